"""Every metric beside a second computation that shares no code with it."""

import math

import numpy as np
import pytest
import scipy.signal
import skimage.data
import torch

from nightsharp.errors import PhotoError, WeightsError
from nightsharp.evaluation import Protocol, metrics
from nightsharp.evaluation.metrics.lpips import VARIABLE
from nightsharp.evaluation.metrics.niqe import features, our_model
from nightsharp.evaluation.metrics.ssim import shrunk
from nightsharp.evaluation.scores import score
from nightsharp.optics import Blur, gaussian


def picture(name: str = "astronaut", side: int = 256) -> torch.Tensor:
    values = np.atleast_3d(getattr(skimage.data, name)())[:side, :side] / 255
    return torch.from_numpy(values).permute(2, 0, 1)


def noisy(image: torch.Tensor, sigma: float = 0.05, seed: int = 0) -> torch.Tensor:
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(seed), dtype=image.dtype)
    return image + sigma * noise


@pytest.fixture(scope="module")
def pair() -> tuple[torch.Tensor, torch.Tensor]:
    truth = picture()
    return noisy(Blur(gaussian(1.2), "reflect")(truth[None].float())[0].double()), truth


def window(kind: str) -> np.ndarray:
    if kind == "uniform7":
        return np.full((7, 7), 1 / 49)
    line = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    return np.outer(line, line) / line.sum() ** 2


def literal_ssim(x: np.ndarray, y: np.ndarray, kind: str) -> tuple[float, float]:
    """SSIM and its contrast-structure part, by two-dimensional convolutions on valid positions."""
    taps = window(kind)

    def local(values: np.ndarray) -> np.ndarray:
        return scipy.signal.convolve2d(values, taps, mode="valid")

    unbiased = 49 / 48 if kind == "uniform7" else 1.0
    mx, my = local(x), local(y)
    sx, sy, sxy = ((local(a * b) - local(a) * local(b)) * unbiased for a, b in ((x, x), (y, y), (x, y)))
    c1, c2 = 0.01**2, 0.03**2
    contrast = (2 * sxy + c2) / (sx + sy + c2)
    return float(((2 * mx * my + c1) / (mx**2 + my**2 + c1) * contrast).mean()), float(contrast.mean())


def test_psnr_is_its_formula(pair):
    result, truth = pair
    error = sum((float(a) - float(b)) ** 2 for a, b in zip(result.flatten(), truth.flatten(), strict=True))
    assert metrics.psnr(result, truth) == pytest.approx(10 * math.log10(result.numel() / error), abs=1e-9)
    assert metrics.psnr(255 * result, 255 * truth, peak=255) == pytest.approx(metrics.psnr(result, truth), abs=1e-9)


@pytest.mark.parametrize("kind", ["gaussian11", "uniform7"])
def test_ssim_agrees_with_plain_convolutions(pair, kind):
    result, truth = pair
    expected = np.mean([literal_ssim(x, y, kind)[0] for x, y in zip(result.numpy(), truth.numpy(), strict=True)])
    assert metrics.ssim(result, truth, window=kind) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("side", "factor"), [(255, 1), (383, 1), (384, 2), (512, 2), (640, 3)])
def test_ssim_shrinks_as_wang_does(side, factor):
    values = np.random.default_rng(0).random((side, side + 9))
    # MATLAB: imfilter(img, ones(f) / f^2, 'symmetric', 'same'), then img(1:f:end, 1:f:end)
    before, after = (factor - 1) // 2, factor // 2
    wide = np.pad(values, ((before, after), (before, after)), mode="symmetric")
    mean = scipy.signal.convolve2d(wide, np.full((factor, factor), 1 / factor**2), mode="valid")
    np.testing.assert_allclose(shrunk(values[..., None])[..., 0], mean[::factor, ::factor], atol=1e-12)


def test_ms_ssim_agrees_with_plain_convolutions(pair):
    result, truth = pair
    expected = []
    for x, y in zip(result.numpy(), truth.numpy(), strict=True):
        value = 1.0
        for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
            whole, contrast = literal_ssim(x, y, "gaussian11")
            value *= (whole if scale == 4 else contrast) ** weight
            x, y = (scipy.signal.convolve2d(image, np.full((2, 2), 0.25), mode="valid")[::2, ::2] for image in (x, y))
        expected.append(value)
    assert metrics.ms_ssim(result, truth) == pytest.approx(np.mean(expected), abs=1e-6)


# Sharma, Wu and Dalal 2005, table 1: pairs of Lab colours and their difference
CIEDE2000 = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, -1.0, 2.0), (50.0, 0.0, 0.0), 2.3669),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0011), 7.2195),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((35.0831, -44.1164, 3.7933), (35.0232, -40.0716, 1.5901), 1.8645),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("one", "other", "difference"), CIEDE2000)
def test_the_colour_difference_keeps_the_published_table(one, other, difference):
    from skimage.color import deltaE_ciede2000

    assert deltaE_ciede2000(np.array(one), np.array(other)) == pytest.approx(difference, abs=1e-4)


def literal_lab(rgb: np.ndarray) -> np.ndarray:
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    matrix = [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
    xyz = linear @ np.array(matrix).T / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def literal_ciede2000(one: np.ndarray, other: np.ndarray) -> float:
    """The formulae of Sharma et al., one pair of colours at a time."""
    (L1, a1, b1), (L2, a2, b2) = one, other
    mean = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    G = 0.5 * (1 - math.sqrt(mean**7 / (mean**7 + 25**7)))
    a1, a2 = (1 + G) * a1, (1 + G) * a2
    C1, C2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = math.degrees(math.atan2(b1, a1)) % 360, math.degrees(math.atan2(b2, a2)) % 360
    dh = 0.0 if C1 * C2 == 0 else (h2 - h1 + 180) % 360 - 180
    dL, dC, dH = L2 - L1, C2 - C1, 2 * math.sqrt(C1 * C2) * math.sin(math.radians(dh / 2))
    L, C = (L1 + L2) / 2, (C1 + C2) / 2
    h = h1 + h2 if C1 * C2 == 0 else ((h1 + h2) / 2 if abs(h1 - h2) <= 180 else ((h1 + h2 + 360) / 2) % 360)
    T = (
        1
        - 0.17 * math.cos(math.radians(h - 30))
        + 0.24 * math.cos(math.radians(2 * h))
        + 0.32 * math.cos(math.radians(3 * h + 6))
        - 0.20 * math.cos(math.radians(4 * h - 63))
    )
    turn = 30 * math.exp(-(((h - 275) / 25) ** 2))
    SL = 1 + 0.015 * (L - 50) ** 2 / math.sqrt(20 + (L - 50) ** 2)
    SC, SH = 1 + 0.045 * C, 1 + 0.015 * C * T
    RT = -2 * math.sqrt(C**7 / (C**7 + 25**7)) * math.sin(math.radians(2 * turn))
    return math.sqrt((dL / SL) ** 2 + (dC / SC) ** 2 + (dH / SH) ** 2 + RT * dC / SC * dH / SH)


def test_the_colour_difference_of_images_is_the_mean_of_the_formula():
    truth = picture("coffee", 12)
    result = noisy(truth, 0.04).clamp(0, 1)
    one, other = (literal_lab(image.permute(1, 2, 0).reshape(-1, 3).numpy()) for image in (truth, result))
    expected = np.mean([literal_ciede2000(a, b) for a, b in zip(one, other, strict=True)])
    assert metrics.delta_e(result, truth) == pytest.approx(expected, abs=1e-4)


def test_the_two_error_ratios_are_not_the_same():
    generator = torch.Generator().manual_seed(0)
    truth, blind, known = (torch.rand(1, 20, 30, generator=generator, dtype=torch.float64) for _ in range(3))
    one, other = ((image - truth)[0] for image in (blind, known))
    assert metrics.ssd_ratio(blind, known, truth) == pytest.approx(float((one**2).sum() / (other**2).sum()), rel=1e-9)
    largest = [math.sqrt(float(torch.linalg.eigvalsh(e @ e.T)[-1])) for e in (one, other)]
    assert metrics.spectral_ratio(blind, known, truth) == pytest.approx(largest[0] / largest[1], rel=1e-9)
    assert metrics.ssd_ratio(truth, truth, truth) == 1.0
    assert metrics.ssd_ratio(blind, truth, truth) == math.inf


def test_psf_similarity_is_the_largest_correlation_over_shifts():
    generator = torch.Generator().manual_seed(0)
    one, other = torch.rand(5, 7, generator=generator), torch.rand(6, 4, generator=generator)
    whole = scipy.signal.correlate2d(one.numpy(), other.numpy())
    expected = whole.max() / np.linalg.norm(one.numpy()) / np.linalg.norm(other.numpy())
    assert metrics.psf_similarity(one, other) == pytest.approx(expected, abs=1e-5)


def literal_block(block: np.ndarray) -> list[float]:
    """The 18 features of one block of NIQE, by a search through every shape."""

    def fit(values: np.ndarray) -> tuple[float, float, float]:
        left = math.sqrt((values[values < 0] ** 2).mean())
        right = math.sqrt((values[values > 0] ** 2).mean())
        skew = left / right
        ratio = np.abs(values).mean() ** 2 / (values**2).mean()
        ratio *= (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
        shapes = [0.2 + 0.001 * step for step in range(9801)]
        gamma = math.gamma
        shape = min(shapes, key=lambda a: (gamma(2 / a) ** 2 / (gamma(1 / a) * gamma(3 / a)) - ratio) ** 2)
        scale = math.sqrt(gamma(1 / shape) / gamma(3 / shape))
        return shape, left * scale, right * scale

    shape, left, right = fit(block)
    found = [shape, (left + right) / 2]
    for down, across in ((0, 1), (1, 0), (1, 1), (1, -1)):
        shape, left, right = fit(block * np.roll(np.roll(block, down, 0), across, 1))
        found += [shape, (right - left) * math.gamma(2 / shape) / math.gamma(1 / shape), left, right]
    return found


def test_niqe_features_agree_with_a_block_by_block_computation():
    values = picture("camera", 192)[0].numpy() * 255
    ours, _ = features(values)
    line = np.exp(-(np.arange(-3, 4) ** 2) / (2 * (7 / 6) ** 2))
    taps = np.outer(line, line) / line.sum() ** 2
    wide = np.pad(values, 3, mode="edge")
    mean = scipy.signal.convolve2d(wide, taps, mode="valid")
    deviation = np.sqrt(np.abs(scipy.signal.convolve2d(wide**2, taps, mode="valid") - mean**2))
    normalised = (values - mean) / (deviation + 1)
    expected = [literal_block(normalised[r : r + 96, c : c + 96]) for r in (0, 96) for c in (0, 96)]
    np.testing.assert_allclose(ours[:, :18], expected, atol=1e-4)


@pytest.mark.parametrize("name", ["motorcycle_left", "retina"])
def test_niqe_finds_noise_and_blur_unnatural(name):
    if name == "motorcycle_left":
        image = torch.from_numpy(skimage.data.stereo_motorcycle()[0][:384, :384] / 255).permute(2, 0, 1)
    else:
        image = torch.from_numpy(skimage.data.retina()[500:884, 500:884] / 255).permute(2, 0, 1)
    clean = metrics.niqe(image)
    assert metrics.niqe(noisy(image, 0.15).clamp(0, 1)) > clean
    assert metrics.niqe(Blur(gaussian(4), "reflect")(image[None].float())[0]) > clean


def test_niqe_takes_published_parameters_from_a_file(tmp_path):
    ours = our_model()
    np.savez(tmp_path / "model.npz", mu_prisparam=ours.mean, cov_prisparam=ours.covariance)
    image = picture("camera")
    assert metrics.niqe(image, metrics.NaturalModel.load(tmp_path / "model.npz")) == metrics.niqe(image)
    np.savez(tmp_path / "other.npz", mean=ours.mean)
    with pytest.raises(WeightsError, match="mu_prisparam"):
        metrics.NaturalModel.load(tmp_path / "other.npz")
    with pytest.raises(WeightsError):
        metrics.NaturalModel.load(tmp_path / "missing.mat")


def test_blur_is_less_sharp_and_noise_is_measured():
    image = picture("coffee")
    assert metrics.sharpness(Blur(gaussian(2), "reflect")(image[None].float())[0]) < metrics.sharpness(image) - 0.1
    grey = torch.full((1, 128, 128), 0.5)
    assert score(noisy(grey, 0.03), None, Protocol(), ["noise"])[0]["noise"] == pytest.approx(0.03, abs=0.002)


def test_ringing_is_ripples_beside_edges_and_not_noise_or_blur():
    steps = torch.zeros(1, 1, 160, 160)
    steps[..., 80:] = 0.6
    steps = steps + 0.2
    spectrum = torch.fft.rfft2(torch.cat([steps, steps.flip(-1)], -1))
    spectrum[..., 30:] = 0
    rung = torch.fft.irfft2(spectrum, s=(160, 320))[0, ..., :160]
    soft = Blur(gaussian(2), "replicate")(steps)[0]
    assert metrics.ringing(rung) > 0.003
    assert metrics.ringing(soft) < 0.001
    assert metrics.ringing(noisy(steps[0], 0.02)) < 0.002
    assert metrics.ringing(torch.zeros(1, 30, 30)) == 0


def test_lpips_is_its_formula_with_weights_from_a_file(tmp_path, pair):
    torch.manual_seed(0)
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(3, 64, 11, 4, 2), torch.nn.ReLU(), torch.nn.MaxPool2d(3, 2),
        torch.nn.Conv2d(64, 192, 5, 1, 2), torch.nn.ReLU(), torch.nn.MaxPool2d(3, 2),
        torch.nn.Conv2d(192, 384, 3, 1, 1), torch.nn.ReLU(),
        torch.nn.Conv2d(384, 256, 3, 1, 1), torch.nn.ReLU(),
        torch.nn.Conv2d(256, 256, 3, 1, 1), torch.nn.ReLU(),
    )  # fmt: skip
    lines = {f"lin{n}.model.1.weight": torch.rand(1, c, 1, 1) for n, c in enumerate((64, 192, 384, 256, 256))}
    torch.save({f"features.{key}": value for key, value in layers.state_dict().items()}, tmp_path / "alexnet.pth")
    torch.save(lines, tmp_path / "alex.pth")
    file = metrics.convert_lpips(tmp_path / "alexnet.pth", tmp_path / "alex.pth", tmp_path / "lpips.safetensors")

    shift, scale = np.array([-0.030, -0.088, -0.188]), np.array([0.458, 0.448, 0.450])
    states = []
    for image in pair:
        values = ((2 * image.permute(1, 2, 0).numpy() - 1) - shift) / scale
        x = torch.from_numpy(values).permute(2, 0, 1)[None].float()
        kept = []
        for layer in layers:
            x = layer(x)
            if isinstance(layer, torch.nn.ReLU):
                kept.append(x[0].detach().numpy().astype(np.float64))
        states.append(kept)
    expected = 0.0
    for n, (f, g) in enumerate(zip(*states, strict=True)):
        f, g = (values / np.sqrt((values**2).sum(0)) for values in (f, g))
        expected += float(np.tensordot(lines[f"lin{n}.model.1.weight"][0, :, 0, 0].numpy(), (f - g) ** 2, 1).mean())
    result, truth = pair
    assert metrics.lpips(result, truth, metrics.Lpips.load(file)) == pytest.approx(expected, abs=1e-4)


def test_lpips_without_weights_says_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    image = torch.rand(3, 64, 64)
    with pytest.raises(WeightsError, match="convert_lpips"):
        metrics.lpips(image, image)
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "bad.safetensors"))
    with pytest.raises(WeightsError, match="no LPIPS weights"):
        metrics.lpips(image, image)
    with pytest.raises(WeightsError, match="AlexNet"):
        metrics.convert_lpips(tmp_path / "bad.safetensors", tmp_path / "none.pth", tmp_path / "out.safetensors")


@pytest.mark.parametrize("metric", [metrics.psnr, metrics.ssim, metrics.ms_ssim, metrics.delta_e, metrics.lpips])
def test_images_of_two_sizes_are_refused(metric):
    with pytest.raises(PhotoError):
        metric(torch.rand(3, 180, 180), torch.rand(3, 180, 181))


def test_images_too_small_for_a_window_are_refused():
    tiny = torch.rand(1, 8, 8)
    for metric in (metrics.ssim, metrics.ms_ssim, metrics.lpips):
        with pytest.raises(PhotoError):
            metric(tiny, tiny)
    for metric in (metrics.niqe, metrics.sharpness):
        with pytest.raises(PhotoError):
            metric(tiny)


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (2, 50), (10, 50)])
def test_the_sharpness_of_next_to_nothing_is_refused(size):
    with pytest.raises(PhotoError, match=rf"the image is {size[0]} x {size[1]}; sharpness needs 11 x 11"):
        metrics.sharpness(torch.rand(1, *size))
    assert 0 <= metrics.sharpness(torch.full((1, 11, 11), 0.5)) <= 1
