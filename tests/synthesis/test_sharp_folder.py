"""A folder of photographs becomes a stream of crops that depends on seed and index alone."""

import numpy as np
import pytest
import torch
from PIL import Image

from nightsharp._endings import ENDINGS
from nightsharp.errors import PhotoError, UsageError
from nightsharp.photo import linear_to_srgb
from nightsharp.synthesis import SharpFolder


def test_a_crop_depends_on_seed_and_index_alone(folder):
    one, other = SharpFolder(folder, crop=64, seed=3), SharpFolder(folder, crop=64, seed=3, cache=0)
    forwards = [one[index] for index in range(12)]
    backwards = [other[index] for index in reversed(range(12))]
    assert all(torch.equal(a, b) for a, b in zip(forwards, reversed(backwards), strict=True))
    assert not torch.equal(forwards[0], SharpFolder(folder, crop=64, seed=4)[0])
    assert torch.equal(one.batch(2, 4), torch.stack(forwards[8:]))


def test_one_round_meets_every_photograph_once(tmp_path):
    greys = [40, 80, 120, 160]
    for grey in greys:
        Image.fromarray(np.full((90, 90, 3), grey, np.uint8)).save(tmp_path / f"{grey}.png")
    crops = SharpFolder(tmp_path, crop=32, seed=0)
    for turn in range(3):
        means = sorted(float(crops[4 * turn + place].mean()) for place in range(4))
        assert means == pytest.approx([grey / 255 for grey in greys])


def test_display_crops_are_the_values_of_the_file_and_linear_ones_their_light(folder):
    display, linear = (SharpFolder(folder, crop=48, seed=1, light=light) for light in ("display", "linear"))
    assert torch.equal((display[0] * 255).round() / 255, display[0])
    torch.testing.assert_close(linear_to_srgb(linear[0]), display[0], atol=2e-4, rtol=0)


@pytest.mark.parametrize("kind", ["L", "I;16", "RGBA", "P"])
def test_grey_deep_transparent_and_palette_files_give_colour_crops(tmp_path, kind):
    values = np.random.default_rng(0).integers(0, 256, (40, 50), dtype=np.uint8)
    if kind == "I;16":
        picture = Image.fromarray(values.astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(values).convert(kind)
    picture.save(tmp_path / "x.png")
    crop = SharpFolder(tmp_path, crop=40, seed=0)[0]
    assert crop.shape == (3, 40, 40)
    assert crop.dtype == torch.float32
    assert 0 <= float(crop.min()) < float(crop.max()) <= 1


def test_a_damaged_file_is_named_and_replaced(folder):
    whole = (folder / "c.png").read_bytes()
    (folder / "c.png").write_bytes(whole[: len(whole) // 2])
    (folder / "e.png").write_bytes(b"no picture")
    crops = SharpFolder(folder, crop=64, seed=0)
    assert all(crops[index].shape == (3, 64, 64) for index in range(10))
    assert sorted(name for name in ("c.png", "e.png") if any(name in note for note in crops.notes)) == [
        "c.png",
        "e.png",
    ]
    assert len(crops.notes) == 2


def test_photographs_smaller_than_the_crop_are_named(folder):
    crops = SharpFolder(folder, crop=105, seed=0)
    assert len(crops) == 2
    assert sum("smaller than the crop" in note for note in crops.notes) == 2
    with pytest.raises(PhotoError, match=r"a\.png is 97 x 90, smaller than the crop of 300.*Take smaller crops"):
        SharpFolder(folder, crop=300, seed=0)


def test_every_ending_that_is_read_is_found(tmp_path):
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(tmp_path / "x.png")
    for ending in ENDINGS:
        (tmp_path / f"y{ending.upper()}").write_bytes((tmp_path / "x.png").read_bytes())
    crops = SharpFolder(tmp_path, crop=16)
    assert len(crops) + len(crops.notes) == 1 + len(ENDINGS)


def test_a_folder_without_photographs_is_refused(tmp_path):
    with pytest.raises(PhotoError, match="holds no photograph"):
        SharpFolder(tmp_path, crop=8)
    with pytest.raises(PhotoError, match="does not exist"):
        SharpFolder(tmp_path / "nowhere", crop=8)
    with pytest.raises(UsageError, match="crop is 0"):
        SharpFolder(tmp_path, crop=0)


def test_when_no_file_can_be_decoded_the_first_is_named(tmp_path):
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(tmp_path / "x.png")
    whole = (tmp_path / "x.png").read_bytes()
    (tmp_path / "x.png").write_bytes(whole[:60])
    with pytest.raises(PhotoError, match=r"x\.png"):
        _ = SharpFolder(tmp_path, crop=16)[0]
