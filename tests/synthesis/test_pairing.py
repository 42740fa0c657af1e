"""Two shots of one scene become a pair, to half a pixel, under blur and night noise; other shots are refused."""

import json

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from torch import Tensor

from nightsharp.cli import main
from nightsharp.errors import PhotoError
from nightsharp.optics import Blur, disk, expose, line
from nightsharp.optics.splat import splat
from nightsharp.photo import linear_to_srgb, read_photo, srgb_to_linear
from nightsharp.synthesis import generator_for
from nightsharp.synthesis.pairing import align_pair
from nightsharp.synthesis.registration import corner_error, refine, warp
from nightsharp.synthesis.trajectories import rotating_paths, scaled_to

MOVED = {
    "turned": np.array([[1.03, 0.03, -12.0], [-0.025, 0.99, 9.0], [4e-5, -3e-5, 1.0]]),
    "zoomed": np.array([[1.2, -0.1, -20.0], [0.08, 1.2, -30.0], [-1e-4, 8e-5, 1.0]]),
}
SHAKE = splat(scaled_to(rotating_paths(1, generator=generator_for(3)), torch.tensor([8.0])), 19).float()
PSFS = {"line": line(9, 30).kernel[None, None], "disk": disk(4).kernel[None, None], "shake": SHAKE}


def scene() -> Tensor:
    picture = torch.from_numpy(skimage.data.astronaut().copy())[:400, :420]
    return srgb_to_linear(picture.permute(2, 0, 1).float() / 255)


def shot(homography: np.ndarray, psf: Tensor, *, photons: float, read_noise: float, exposure: float = 0.3) -> Tensor:
    """What a hand-held camera recorded of the scene at night."""
    seen, _ = warp(scene(), homography, (400, 420))
    light = Blur(psf, "replicate")(seen[None]).clamp_min(0) * exposure
    return expose(light, photons=photons, read_noise=read_noise, generator=generator_for(1))[0]


@pytest.mark.parametrize(
    ("way", "psf", "photons", "read_noise"),
    [
        ("turned", "disk", 300.0, 0.01),
        ("turned", "shake", 300.0, 0.01),
        ("zoomed", "shake", 1000.0, 0.005),
    ],
)
def test_the_corners_are_found_to_half_a_pixel_under_blur_and_night_noise(way, psf, photons, read_noise):
    blurred = shot(MOVED[way], PSFS[psf], photons=photons, read_noise=read_noise)
    pair = align_pair(scene(), blurred)
    assert corner_error(pair.homography, MOVED[way], (400, 420)) < 0.5
    # the sharp shot has the brightness of the blurred one, and its own edges
    assert pair.gain == pytest.approx((0.3, 0.3, 0.3), rel=0.05)
    top, left, height, width = pair.box
    assert torch.equal(pair.blurred, blurred[:, top : top + height, left : left + width])
    truth = 0.3 * warp(scene(), MOVED[way], (400, 420))[0][:, top : top + height, left : left + width]
    assert float((pair.sharp - truth).square().mean().sqrt()) < 0.02


def test_large_photographs_are_aligned_on_a_smaller_scale():
    large = torch.nn.functional.interpolate(scene()[None], scale_factor=3, mode="bilinear")[0]
    scale = np.diag([3.0, 3.0, 1.0])
    moved = scale @ MOVED["turned"] @ np.linalg.inv(scale)
    seen, _ = warp(large, moved, (1200, 1260))
    light = 0.3 * Blur(line(31, 30), "replicate")(seen[None]).clamp_min(0)
    pair = align_pair(large, expose(light, photons=1000, read_noise=0.005, generator=generator_for(1))[0])
    assert corner_error(pair.homography, moved, (1200, 1260)) < 0.5
    assert pair.gain == pytest.approx((0.3, 0.3, 0.3), rel=0.05)
    assert 25 < pair.blur < 45


def test_a_brighter_and_tinted_shot_is_matched():
    blurred = shot(MOVED["turned"], PSFS["line"], photons=1e4, read_noise=0.0, exposure=0.5)
    tinted = blurred * torch.tensor([0.9, 1.0, 0.6])[:, None, None] + 0.02
    pair = align_pair(scene(), tinted)
    assert pair.gain == pytest.approx((0.45, 0.5, 0.3), rel=0.05)
    assert pair.offset == pytest.approx((0.02, 0.02, 0.02), abs=0.01)


class TestRefusals:
    def test_another_scene(self):
        other = srgb_to_linear(torch.from_numpy(skimage.data.coffee()).permute(2, 0, 1).float() / 255)[:, :400, :500]
        with pytest.raises(PhotoError, match=r"do not match: .* common features agree"):
            align_pair(scene(), other)

    def test_a_shot_of_nothing(self):
        with pytest.raises(PhotoError, match="blurred shot shows no features"):
            align_pair(scene(), torch.full((3, 300, 300), 0.2))

    def test_a_mirrored_shot(self):
        with pytest.raises(PhotoError, match=r"do not match|impossible view"):
            align_pair(scene(), scene().flip(-1))

    def test_a_corner_of_the_scene_only(self):
        with pytest.raises(PhotoError, match="the two shots share"):
            align_pair(scene()[:, :210, :200], scene())

    def test_a_tiny_picture(self):
        with pytest.raises(PhotoError, match="the blurred shot is 20 x 400"):
            align_pair(scene(), scene()[:, :20, :400])


def test_brightness_alone_refines_a_first_guess():
    truth = MOVED["turned"]
    moving = torch.nn.functional.avg_pool2d(scene().mean(0)[None, None], 5, 1, 2)[0, 0]
    fixed = 0.4 * warp(moving[None], truth, (400, 420))[0][0] + 0.1
    guess = np.array([[1, 0, 1.5], [0, 1, -2.0], [0, 0, 1]]) @ truth
    found = refine(moving, fixed, guess, trusted=torch.ones(400, 420, dtype=torch.bool))
    assert corner_error(found, truth, (400, 420)) < 0.02


@pytest.mark.parametrize(
    ("across", "trusted"), [(0.0, False), (900.0, True)], ids=["nothing is trusted", "nothing is shared"]
)
def test_brightness_without_a_single_pixel_refines_nothing(across, trusted):
    moved = np.array([[1, 0, across], [0, 1, 0], [0, 0, 1]])
    picture = scene().mean(0)
    with pytest.raises(PhotoError, match="no pixel"):
        refine(picture, picture, moved, trusted=torch.full(picture.shape, trusted))


def save(file, light: Tensor):
    file.parent.mkdir(parents=True, exist_ok=True)
    codes = linear_to_srgb(light.clamp(0, 1)).mul(255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(np.ascontiguousarray(codes)).save(file)
    return file


class TestTheVerb:
    def test_folders_of_pairs_and_one_that_does_not_match(self, tmp_path, capsys):
        still, hand, out = tmp_path / "still", tmp_path / "hand", tmp_path / "out"
        save(still / "a.png", scene())
        save(hand / "a.png", shot(MOVED["turned"], PSFS["line"], photons=2000, read_noise=0.0))
        save(still / "b.png", scene())
        save(hand / "b.png", torch.rand(3, 300, 300, generator=generator_for(0)))
        save(still / "alone.png", scene()[:, :80, :80])
        assert main(["align", str(still), str(hand), "-o", str(out), "--json"]) == 3
        said = capsys.readouterr()
        document = json.loads(said.out)
        assert (document["done"], document["failed"]) == (1, 1)
        assert "alone.png has no partner" in said.err
        assert "b.png and b.png: the two shots do not match" in said.err
        done = document["pairs"][0]
        assert corner_error(np.array(done["homography"]), MOVED["turned"], (400, 420)) < 0.5
        sharp, blurred = (read_photo(file) for file in done["outputs"])
        assert (sharp.height, sharp.width) == (blurred.height, blurred.width) == tuple(done["box"][2:])
        assert sharp.meta.depth == 16

    def test_two_photographs_in_words(self, tmp_path, capsys):
        still = save(tmp_path / "still.png", scene())
        hand = save(tmp_path / "hand.png", shot(MOVED["turned"], PSFS["line"], photons=2000, read_noise=0.0))
        words = ["align", str(still), str(hand), "-o", str(tmp_path / "out")]
        assert main(words) == 0
        said = capsys.readouterr().out
        assert said.startswith(f"{still} + {hand} -> ")
        assert "features: " in said
        assert "edges explained: " in said
        assert main(words) == 2
        assert "exists already" in capsys.readouterr().err

    def test_what_is_not_there_is_named(self, tmp_path, capsys):
        still = save(tmp_path / "still.png", scene()[:, :80, :80])
        assert main(["align", str(still), str(tmp_path / "no.png")]) == 3
        assert "no.png: there is no such file" in capsys.readouterr().err
        (tmp_path / "folder").mkdir()
        assert main(["align", str(still), str(tmp_path / "folder")]) == 2
        assert main(["align", str(tmp_path), str(tmp_path / "folder")]) == 3
        assert "no file name in common" in capsys.readouterr().err
