"""What is held out stays held out."""

from pathlib import Path

import pytest

from nightsharp.errors import RecipeError
from nightsharp.training.curve import load_curve
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


@pytest.mark.parametrize("row", ["001.png", "001.png,", "001.png, val", "001.png,Val"])
def test_a_line_that_ends_early_or_is_spelt_otherwise_is_no_fault(row, tmp_path):
    (tmp_path / "index.csv").write_text(f"file,split\n000.png,train\n{row}\n002.png,val\n")
    split = split_photographs(photographs(tmp_path, 4), tmp_path, 0, tmp_path / "split.json")
    held_out = ["001.png", "002.png"] if row.endswith(" val") else ["002.png"]
    assert [file.name for file in split.held_out] == held_out


def test_an_index_whose_names_do_not_match_says_so(tmp_path):
    (tmp_path / "index.csv").write_text("file,split\nphotos\\000.png,train\n001.png,validation\n")
    with pytest.raises(RecipeError, match=r"0 photographs to learn from and 1 held out \(index.csv names 1 of them"):
        split_photographs(photographs(tmp_path, 4), tmp_path, 0, tmp_path / "split.json")


@pytest.mark.parametrize("content", [b"file,split\n\xe4.png,train\n", b"file,split\n\0.png,train\n"])
def test_an_index_that_is_no_table_is_refused_in_a_line(content, tmp_path):
    (tmp_path / "index.csv").write_bytes(content)
    with pytest.raises(RecipeError, match=r"index.csv"):
        split_photographs(photographs(tmp_path, 4), tmp_path, 0, tmp_path / "split.json")


@pytest.mark.parametrize("content", ["{}", "{", "[]"])
def test_damaged_files_of_a_run_are_named(content, tmp_path):
    for name in ("split.json", "curve.json"):
        (tmp_path / name).write_text(content)
    with pytest.raises(RecipeError, match=r"split.json is damaged"):
        split_photographs(photographs(tmp_path, 40), tmp_path, 0, tmp_path / "split.json")
    with pytest.raises(RecipeError, match=r"curve.json is damaged"):
        load_curve(tmp_path / "curve.json")
