"""A benchmark picture among the training pictures is found, whatever was done to it."""

import io
import itertools
import json
import os
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from benchmarks import overlap
from benchmarks.likeness import Look, look, open_look, part, whole
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

PICTURES = ("astronaut", "camera", "chelsea", "coffee", "rocket", "brick", "coins", "motorcycle_left")
FOLDER = Path(skimage.data.__file__).parent


def picture(name: str) -> Image.Image:
    """A photograph that scikit-image ships."""
    return Image.open(next(FOLDER.glob(f"{name}.*"))).convert("RGB")


def compressed(image: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "jpeg", quality=quality)
    return Image.open(stream)


def scaled(image: Image.Image, share: float) -> Image.Image:
    return image.resize((round(image.width * share), round(image.height * share)), Image.Resampling.LANCZOS)


def cut(image: Image.Image, left: float, top: float, share: float) -> Image.Image:
    """A part of so much of each side."""
    width, height = image.size
    box = (left * width, top * height, (left + share) * width, (top + share) * height)
    return image.crop(box)


COPIES = {
    "the same": lambda image: image,
    "compressed again": lambda image: compressed(image, 25),
    "half the size": lambda image: scaled(image, 0.5),
    "a third larger, compressed": lambda image: compressed(scaled(image, 1.33), 60),
    "grey": lambda image: image.convert("L"),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.3),
    "mirrored": ImageOps.mirror,
    "turned": lambda image: image.rotate(90, expand=True),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(3)),
    "a little cut off": lambda image: cut(image, 0.04, 0.02, 0.94),
    "the middle": lambda image: compressed(cut(image, 0.15, 0.15, 0.7), 80),
    "a corner, grey and scaled": lambda image: scaled(cut(image, 0.0, 0.5, 0.5).convert("L"), 0.8),
    "a mirrored part": lambda image: ImageOps.mirror(cut(image, 0.3, 0.2, 0.6)),
}


def save(image: Image.Image, file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    image.save(file)
    return file


def seen(image: Image.Image) -> Look:
    """As the command sees its file."""
    stream = io.BytesIO()
    image.save(stream, "png")
    return open_look(stream)


@pytest.fixture(scope="module")
def learned() -> list[Look]:
    return [seen(picture(name)) for name in PICTURES]


@pytest.mark.parametrize("name", ["astronaut", "camera", "coffee"])
@pytest.mark.parametrize("change", COPIES)
def test_a_copy_is_found_and_nothing_else(learned, change, name):
    features = np.stack([each.features for each in learned])
    found = overlap.among(seen(COPIES[change](picture(name))), learned, features)
    assert list(found) == [PICTURES.index(name)]


def test_different_photographs_are_different(learned):
    for one, other in itertools.permutations(learned, 2):
        assert whole(one, other) is None
        assert part(one, other) is None


@pytest.mark.parametrize("name", PICTURES)
def test_two_halves_of_a_photograph_that_share_no_pixel_are_different(name):
    image = picture(name)
    middle = image.width // 2
    halves = [image.crop((0, 0, middle, image.height)), image.crop((middle, 0, image.width, image.height))]
    left, right = map(seen, halves)
    assert whole(left, right) is None
    assert part(left, right) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 300)], ids=str)
def test_flat_pictures_are_like_nothing(shape):
    grey, white = look(np.full(shape, 0.5, np.float32)), look(np.ones(shape, np.float32))
    assert whole(grey, white) is None
    assert part(grey, white) is None


class TestTheCommand:
    @pytest.fixture
    def data(self, tmp_path, monkeypatch):
        monkeypatch.setattr(overlap, "RESULTS", tmp_path)
        save(picture("astronaut"), tmp_path / "data" / "bench" / "classic" / "set12" / "01.png")
        save(picture("chelsea"), tmp_path / "data" / "pack" / "images" / "cat.jpg")
        return tmp_path / "data"

    def test_disjoint_sets_are_stored_with_what_was_compared(self, data, capsys):
        assert overlap.main(["--data", str(data), "--store"]) == 0
        assert "0 overlaps" in capsys.readouterr().out
        text = (data.parent / "overlap.json").read_text(encoding="utf-8")
        assert str(data.parent) not in text
        stored = json.loads(text)
        assert (stored["training"], stored["overlaps"]) == ({"pack": 1, "train_bsds400": 0}, [])
        assert {name: count for name, count in stored["benchmarks"].items() if count} == {"set12": 1}

    def test_an_overlap_is_named_and_ends_with_1(self, data, capsys):
        mine = save(cut(picture("astronaut"), 0.1, 0.1, 0.8), data.parent / "mine" / "woman.jpg")
        assert overlap.main(["--data", str(data), "--train", str(mine.parent)]) == 1
        assert "set12/01.png is in mine/woman.jpg" in capsys.readouterr().out

    def test_nothing_to_compare_is_said(self, tmp_path, capsys):
        assert overlap.main(["--data", str(tmp_path)]) == 2
        assert "no training or no benchmark pictures there" in capsys.readouterr().out


def test_the_stored_comparison_found_one_benchmark_picture_in_the_training_data_and_no_other():
    """Set12's starfish is cut out of a Berkeley training photograph, which docs/train.md says to leave out."""
    stored = json.loads((Path(overlap.__file__).parent / "results" / "overlap.json").read_text(encoding="utf-8"))
    found = {row["benchmark"]: row["training"] for row in stored["overlaps"]}
    assert found == {"set12/04.png": "train_bsds400/train_12003.jpg"}
    assert set(stored["training"]) == set(overlap.TRAINING)
    assert set(stored["benchmarks"]) == set(overlap.BENCHMARKS)
    assert all(stored["training"].values())
    assert all(stored["benchmarks"].values())


@pytest.mark.skipif("NIGHTSHARP_DATA" not in os.environ, reason="NIGHTSHARP_DATA names no folder with the sets")
def test_no_training_picture_as_a_whole_is_a_benchmark_picture():
    data = Path(os.environ["NIGHTSHARP_DATA"])
    learned = [open_look(file) for name in overlap.TRAINING for file in overlap.pictures(data / name)]
    if not learned:
        pytest.skip("no training pictures in NIGHTSHARP_DATA")
    for place in overlap.BENCHMARKS.values():
        for file in overlap.pictures(data / "bench" / place):
            one = open_look(file)
            assert not any(whole(one, other) for other in learned), file.name
