"""DarkDeblur's losses, beside formulas written out and beside other implementations."""

import hashlib

import pytest
import torch
from safetensors.torch import save_file
from seeded import random
from torch.nn.functional import binary_cross_entropy, conv2d, max_pool2d

from nightsharp.errors import WeightsError
from nightsharp.evaluation.metrics import ms_ssim as metric
from nightsharp.methods.darkdeblur import vgg as vgg_module
from nightsharp.methods.darkdeblur.losses import (
    Weights,
    adversarial_loss,
    discriminator_loss,
    gradient_error,
    paper_terms,
    perceptual_loss,
    released_terms,
)
from nightsharp.methods.darkdeblur.ms_ssim import WEIGHTS, ms_ssim, released_ms_ssim
from nightsharp.methods.darkdeblur.vgg import VGG19Features


def noisy(image: torch.Tensor, sigma: float = 0.1) -> torch.Tensor:
    return image + sigma * torch.randn(image.shape, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("size", [(176, 192), (181, 207)], ids=str)
def test_ms_ssim_is_the_metric(size):
    image = random(2, 3, *size)
    other = noisy(image)
    expected = sum(metric(one, two) for one, two in zip(other, image, strict=True)) / 2
    assert float(ms_ssim(other, image)) == pytest.approx(expected, abs=1e-5)


def test_ms_ssim_works_on_training_crops_and_has_a_slope_even_for_a_negative():
    image = random(2, 3, 128, 128)
    similar = [float(ms_ssim(noisy(image, sigma), image)) for sigma in (0.0, 0.05, 0.2)]
    assert similar == sorted(similar, reverse=True)
    assert similar[0] == pytest.approx(1, abs=1e-5)
    negative = (1 - image).requires_grad_()
    (1 - ms_ssim(negative, image)).backward()
    assert negative.grad is not None
    assert bool(negative.grad.isfinite().all())


def ssim_by_hand(x: torch.Tensor, y: torch.Tensor, span: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean similarity and mean contrast, two-dimensional windows, no padding."""
    side = min(11, *x.shape[-2:])
    line = torch.tensor([torch.e ** (-((i - side // 2) ** 2) / (2 * 1.5**2)) for i in range(side)])
    window = torch.outer(line / line.sum(), line / line.sum()).expand(3, 1, side, side)

    def e(z: torch.Tensor) -> torch.Tensor:
        return conv2d(z, window, groups=3)

    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    v1 = 2 * (e(x * y) - e(x) * e(y)) + c2
    v2 = e(x * x) - e(x) ** 2 + e(y * y) - e(y) ** 2 + c2
    return ((2 * e(x) * e(y) + c1) * v1 / ((e(x) ** 2 + e(y) ** 2 + c1) * v2)).mean(), (v1 / v2).mean()


@pytest.mark.parametrize("dark", [False, True])
def test_the_release_s_ms_ssim_counts_the_coarsest_scale_four_times(dark):
    x = 2 * random(2, 3, 128, 128) - 1
    x, y = (0.2 * x, 0.2 * noisy(x)) if dark else (x, noisy(x))
    values, contrasts, one, two = [], [], x, y
    for _ in range(5):
        value, contrast = ssim_by_hand(one, two, 2.0 if one.min() < -0.5 else 1.0)
        values.append((value + 1) / 2)
        contrasts.append((contrast + 1) / 2)
        one, two = (torch.nn.functional.avg_pool2d(z, 2) for z in (one, two))
    powers = [c**w for c, w in zip(contrasts[:4], WEIGHTS[:4], strict=True)]
    expected = torch.stack([power * values[4] ** WEIGHTS[4] for power in powers]).prod()
    torch.testing.assert_close(released_ms_ssim(x, y), expected, rtol=1e-4, atol=0)


def test_the_gradient_error_is_its_formula():
    x, y = random(2, 3, 9, 12), random(2, 3, 9, 12, seed=1)
    down = ((x[:, :, 1:] - x[:, :, :-1]) - (y[:, :, 1:] - y[:, :, :-1])).abs().sum()
    across = ((x[..., 1:] - x[..., :-1]) - (y[..., 1:] - y[..., :-1])).abs().sum()
    torch.testing.assert_close(gradient_error(x, y), (down + across) / (2 * 3 * 9 * 12))


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    """Random weights under torchvision's names, in both kinds of file."""
    generator = torch.Generator().manual_seed(0)
    state, enters, place = {}, 3, 0
    for stage in ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4):
        for width in stage:
            scale = (2 / (9 * enters)) ** 0.5
            state[f"features.{place}.weight"] = scale * torch.randn(width, enters, 3, 3, generator=generator)
            state[f"features.{place}.bias"] = 0.1 * torch.randn(width, generator=generator)
            enters, place = width, place + 2
        place += 1
    state["classifier.0.weight"] = torch.zeros(2, 2)
    folder = tmp_path_factory.mktemp("vgg")
    torch.save(state, folder / "vgg19.pth")
    save_file(state, folder / "vgg19.safetensors")
    return folder, state


@torch.no_grad()
def test_the_features_are_those_of_vgg_19(public):
    folder, state = public
    assert [name for name in state if name.endswith("weight")][-2] == "features.34.weight"
    image = random(1, 3, 32, 40)
    for activated in (False, True):
        x = (image - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor([0.229, 0.224, 0.225])[
            :, None, None
        ]
        for layer in range(35 + activated):
            if f"features.{layer}.weight" in state:
                x = conv2d(x, state[f"features.{layer}.weight"], state[f"features.{layer}.bias"], padding=1)
            elif layer in (4, 9, 18, 27):
                x = max_pool2d(x, 2)
            else:
                x = torch.relu(x)
        for name in ("vgg19.pth", "vgg19.safetensors"):
            torch.testing.assert_close(VGG19Features.from_public(folder / name)(image, activated=activated), x)


def test_the_public_weights_are_fetched_once_and_their_hash_is_checked(public, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
    file = public[0] / "vgg19.pth"
    named = tmp_path / f"vgg19-{hashlib.sha256(file.read_bytes()).hexdigest()[:8]}.pth"
    named.symlink_to(file)
    monkeypatch.setattr(vgg_module, "PUBLIC", named.as_uri())
    fetched = VGG19Features.from_public()
    named.unlink()
    again = VGG19Features.from_public()
    assert all(torch.equal(one, other) for one, other in zip(fetched.parameters(), again.parameters(), strict=True))
    monkeypatch.setattr(vgg_module, "PUBLIC", (tmp_path / "vgg19-00000000.pth").as_uri())
    with pytest.raises(WeightsError, match=r"could not be fetched from file://.*train without the perceptual term"):
        VGG19Features.from_public()
    (tmp_path / "vgg19-00000000.pth").symlink_to(file)
    with pytest.raises(WeightsError, match="invalid hash value"):
        VGG19Features.from_public()


def test_the_features_do_not_learn_but_pass_the_gradient_on(public):
    vgg = VGG19Features.from_public(public[0] / "vgg19.pth")
    image = random(1, 3, 32, 32).requires_grad_()
    perceptual_loss(image, random(1, 3, 32, 32, seed=1), vgg).backward()
    assert image.grad is not None
    assert bool(image.grad.any())
    assert all(weight.grad is None for weight in vgg.parameters())


def test_files_that_are_no_vgg_are_refused(tmp_path):
    with pytest.raises(WeightsError, match="there is no such file"):
        VGG19Features.from_public(tmp_path / "none.pth")
    (tmp_path / "text.pth").write_text("text")
    with pytest.raises(WeightsError, match="not a whole weight file"):
        VGG19Features.from_public(tmp_path / "text.pth")
    save_file({"features.0.weight": torch.zeros(8, 3, 3, 3)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match=r"'features\.0\.weight' is missing or of another size"):
        VGG19Features.from_public(tmp_path / "other.safetensors")


def test_the_discriminator_and_the_network_pull_in_opposite_directions():
    real, fake = torch.tensor([[2.0], [1.0]]), torch.tensor([[-1.0], [0.5]])
    one, zero = torch.ones(2, 1), torch.zeros(2, 1)
    by_hand = binary_cross_entropy(real.sigmoid(), one) + binary_cross_entropy(fake.sigmoid(), zero)
    torch.testing.assert_close(discriminator_loss(real, fake), by_hand)
    torch.testing.assert_close(adversarial_loss(fake), binary_cross_entropy(fake.sigmoid(), one))


def test_the_release_s_targets_are_drawn_and_never_above_one():
    # sure of itself without end, a discriminator would win without end by targets above 1
    sure, generator = torch.full((1000, 1), 100.0), torch.Generator().manual_seed(0)
    assert float(discriminator_loss(sure, -sure, generator=generator)) > 0
    unsure = torch.zeros(1000, 1)
    assert float(discriminator_loss(unsure, unsure, generator=generator)) == pytest.approx(2 * 0.6931, abs=1e-3)


def test_the_terms_are_weighed_as_in_the_paper_and_as_in_the_release(public):
    vgg = VGG19Features.from_public(public[0] / "vgg19.pth")
    sharp, restored, logits = random(1, 3, 32, 32), random(1, 3, 32, 32, seed=1), torch.tensor([[0.3]])
    paper = paper_terms(restored, sharp, logits, vgg)
    assert list(paper) == ["reconstruction", "structure", "perceptual", "adversarial"]
    torch.testing.assert_close(paper["reconstruction"], (restored - sharp).abs().mean())
    torch.testing.assert_close(paper["structure"], 1 - ms_ssim(restored, sharp))
    torch.testing.assert_close(paper["perceptual"], 1e-2 * (vgg(restored) - vgg(sharp)).abs().mean())
    torch.testing.assert_close(paper["adversarial"], -1e-4 * torch.sigmoid(logits).log().mean())

    released, x, y = released_terms(restored, sharp, logits, vgg), 2 * restored - 1, 2 * sharp - 1
    torch.testing.assert_close(released["reconstruction"], (x - y).abs().mean())
    torch.testing.assert_close(released["structure"], 1 - released_ms_ssim(x, y))
    features = [vgg(z, normalised=False, activated=False) for z in (x, y)]
    product = gradient_error(x, y) * (features[0] - features[1]).abs().mean()
    torch.testing.assert_close(released["perceptual"], product)
    torch.testing.assert_close(released["adversarial"], -1e-3 * torch.sigmoid(logits).log().mean())


def test_a_term_without_weight_is_not_computed():
    x = random(1, 3, 32, 32)
    only = Weights(structure=0.0, perceptual=0.0, adversarial=0.0)
    for terms in (paper_terms, released_terms):
        assert list(terms(x, x, torch.zeros(1, 1), None, only)) == ["reconstruction"]
