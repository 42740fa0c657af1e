"""Which files of two folders are a pair, and what a pair is written as."""

import numpy as np
import pytest
import tifffile
import torch

from nightsharp.cli.align import _as_sixteen_bits, _couples
from nightsharp.errors import UsageError
from nightsharp.photo import read_photo


@pytest.fixture
def folders(tmp_path):
    for name in ("still/a.jpg", "still/a.xmp", "still/notes.txt", "shot/a.dng", "shot/b.png", "shot/.a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path / "still", tmp_path / "shot"


def test_what_lies_beside_the_photographs_is_passed_over(folders, capsys):
    still, shot = folders
    assert _couples(still, shot) == [(still / "a.jpg", shot / "a.dng")]
    assert capsys.readouterr().err.splitlines() == ["nightsharp: b.png has no partner and is left out"]


def test_two_photographs_of_one_name_are_refused(folders):
    (folders[1] / "a.JPG").touch()
    with pytest.raises(UsageError, match="have one name"):
        _couples(*folders)


def test_linear_light_is_read_back_as_the_light_it_was(tmp_path):
    light = np.random.default_rng(0).random((12, 16, 3), dtype=np.float32)
    tifffile.imwrite(tmp_path / "a.tif", light, photometric="rgb")
    photo = read_photo(tmp_path / "a.tif")
    _as_sixteen_bits(photo, photo.pixels).save(tmp_path / "a.png")
    again = read_photo(tmp_path / "a.png")
    assert torch.allclose(again.pixels, photo.pixels, atol=1e-4)
