"""What is held out stays held out."""

from pathlib import Path

import pytest

from nightsharp.errors import RecipeError
from nightsharp.training.split import split_photographs


def photographs(folder: Path, count: int) -> list[Path]:
    return [folder / f"{number:03}.png" for number in range(count)]


def test_no_photograph_is_on_both_sides(tmp_path):
    files = photographs(tmp_path, 60)
    split = split_photographs(files, tmp_path, 3, tmp_path / "split.json")
    assert len(split.held_out) == 3
    assert sorted((*split.train, *split.held_out)) == files


def test_the_draw_depends_on_the_seed_and_on_nothing_else(tmp_path):
    files = photographs(tmp_path, 60)
    one = split_photographs(files, tmp_path, 3, tmp_path / "a.json")
    assert split_photographs(files[::-1], tmp_path, 3, tmp_path / "b.json") == one
    assert split_photographs(files, tmp_path, 4, tmp_path / "c.json").held_out != one.held_out


def test_a_folder_that_grew_keeps_its_held_out_photographs(tmp_path):
    one = split_photographs(photographs(tmp_path, 40), tmp_path, 0, tmp_path / "split.json")
    grown = split_photographs(photographs(tmp_path, 80), tmp_path, 0, tmp_path / "split.json")
    assert grown.held_out == one.held_out
    assert len(grown.train) == 78


def test_an_index_decides(tmp_path):
    files = photographs(tmp_path, 4)
    rows = ["file,split", "000.png,train_night", "001.png,val_night", "002.png,test", "gone.png,train"]
    # with the mark that a spreadsheet puts before its text
    (tmp_path / "index.csv").write_text("\n".join(rows), encoding="utf-8-sig")
    split = split_photographs(files, tmp_path, 0, tmp_path / "split.json")
    assert ([f.name for f in split.train], [f.name for f in split.held_out]) == (["000.png"], ["001.png"])
    assert not (tmp_path / "split.json").exists()


def test_one_photograph_cannot_be_both_learned_from_and_held_out(tmp_path):
    with pytest.raises(RecipeError, match="0 photographs to learn from and 1 held out"):
        split_photographs(photographs(tmp_path, 1), tmp_path, 0, tmp_path / "split.json")


def test_an_index_without_splits_is_refused(tmp_path):
    (tmp_path / "index.csv").write_text("name\n000.png\n")
    with pytest.raises(RecipeError, match="lacks the columns file and split"):
        split_photographs(photographs(tmp_path, 4), tmp_path, 0, tmp_path / "split.json")
