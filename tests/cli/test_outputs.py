"""Where results go, and what is refused before any work."""

import os
from pathlib import Path

import pytest

from nightsharp.cli.outputs import check_writable, expanded, plan
from nightsharp.errors import PhotoError, UsageError


def make(folder: Path, *names: str) -> list[Path]:
    files = []
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
        files.append(file)
    return files


def settle(photos, *, output=None, suffix="-sharp", compare=None, overwrite=False):
    return plan(photos, output=output, suffix=suffix, compare=compare, overwrite=overwrite)


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("street.jpg", "street-sharp.jpg"),
        ("Straße bei Nacht.JPEG", "Straße bei Nacht-sharp.JPEG"),
        ("夜.png", "夜-sharp.png"),
        ("two.dots.tif", "two.dots-sharp.tif"),
        ("raw.DNG", "raw-sharp.tif"),
    ],
)
def test_a_result_lies_beside_its_photograph(tmp_path, name, result):
    job = settle(make(tmp_path, name))[0]
    assert job.output == tmp_path / result
    assert job.refusal is None


def test_a_folder_takes_many(tmp_path):
    jobs = settle(make(tmp_path, "a.jpg", "b.png"), output=str(tmp_path / "out"))
    assert [job.output for job in jobs] == [tmp_path / "out" / "a-sharp.jpg", tmp_path / "out" / "b-sharp.png"]
    assert (tmp_path / "out").is_dir()


def test_one_photograph_goes_to_the_named_file(tmp_path):
    assert settle(make(tmp_path, "a.jpg"), output=str(tmp_path / "b.png"))[0].output == tmp_path / "b.png"


def test_a_slash_makes_a_folder(tmp_path):
    assert settle(make(tmp_path, "a.jpg"), output=f"{tmp_path}/new/")[0].output == tmp_path / "new" / "a-sharp.jpg"


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("way", ["same", "symlink", "hardlink", "detour"])
def test_the_input_is_never_written_over(tmp_path, way, overwrite):
    photo = make(tmp_path, "a.jpg")[0]
    (tmp_path / "sub").mkdir()
    target = {"same": photo, "detour": tmp_path / "sub" / ".." / "a.jpg"}.get(way, tmp_path / "b.jpg")
    if way == "symlink":
        target.symlink_to(photo)
    if way == "hardlink":
        os.link(photo, target)
    with pytest.raises(UsageError, match="over the input"):
        settle([photo], output=str(target), overwrite=overwrite)


def test_an_empty_suffix_would_write_over_the_input(tmp_path):
    with pytest.raises(UsageError, match="over the input"):
        settle(make(tmp_path, "a.jpg"), suffix="")


def test_a_result_never_replaces_another_input(tmp_path):
    with pytest.raises(UsageError, match="over the input"):
        settle(make(tmp_path, "a.jpg", "a-sharp.jpg"), overwrite=True)


def test_two_photographs_of_one_name_cannot_share_a_folder(tmp_path):
    with pytest.raises(UsageError, match="two results"):
        settle(make(tmp_path, "x/a.jpg", "y/a.jpg"), output=str(tmp_path / "out"))


def test_the_same_photograph_twice_is_refused(tmp_path):
    photo = make(tmp_path, "a.jpg")[0]
    with pytest.raises(UsageError, match="two results"):
        settle([photo, photo])


def test_an_existing_result_stops_only_its_own_photograph(tmp_path):
    photos = make(tmp_path, "a.jpg", "b.jpg")
    make(tmp_path, "a-sharp.jpg")
    first, second = settle(photos)
    assert "--overwrite" in str(first.refusal)
    assert second.refusal is None
    assert settle(photos, overwrite=True)[0].refusal is None


def test_what_was_done_before_is_left_out_of_many(tmp_path):
    first, done, result = make(tmp_path, "a.png", "b.png", "b-sharp.png")
    jobs = settle([first, done, result])
    assert [job.left_out for job in jobs] == [
        None,
        f"{result} exists already; --overwrite makes it anew",
        f"it is the result of {done}",
    ]
    with pytest.raises(UsageError, match="would be written over the input"):
        settle([first, done, result], overwrite=True)


@pytest.mark.parametrize(("content", "ending"), [(b"\xff\xd8\xff\xe0", ".jpg"), (b"\x89PNG\r\n\x1a\n", ".png")])
@pytest.mark.parametrize("name", ["noending", "photo.orig"])
def test_a_name_that_says_nothing_gets_the_ending_of_what_is_in_it(tmp_path, name, content, ending):
    (photo,) = make(tmp_path, name)
    photo.write_bytes(content + bytes(60))
    (job,) = settle([photo])
    assert job.output == tmp_path / f"{photo.stem}-sharp{ending}"
    assert job.refusal is None


def test_what_cannot_be_read_is_said_before_how_it_would_be_named(tmp_path):
    (photo,) = make(tmp_path, "a.bmp")
    photo.write_bytes(b"BM" + bytes(60))
    assert "is a BMP; nightsharp reads" in str(settle([photo])[0].refusal)


def test_several_photographs_do_not_go_into_a_folder_named_like_a_photograph(tmp_path):
    with pytest.raises(UsageError, match="is one file for several photos"):
        settle(make(tmp_path, "a.png", "b.png"), output=str(tmp_path / "one.jpg"))


def test_a_pattern_is_as_good_as_its_files(tmp_path, monkeypatch):
    files = make(tmp_path, "b.png", "a.png", "c.jpg", "what?.png")
    assert expanded([tmp_path / "[ab].png", files[3]]) == [files[1], files[0], files[3]]
    monkeypatch.chdir(tmp_path)
    assert expanded([Path("*.jpg")]) == [Path("c.jpg")]
    with pytest.raises(UsageError, match="no file fits"):
        expanded([Path("*.heic")])


def test_a_dangling_link_counts_as_an_existing_result(tmp_path):
    photo = make(tmp_path, "a.jpg")[0]
    (tmp_path / "a-sharp.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert settle([photo])[0].refusal is not None


def test_a_missing_photograph_is_a_bad_input(tmp_path):
    job = settle([tmp_path / "no.jpg"])[0]
    assert isinstance(job.refusal, PhotoError)
    assert "no such file" in str(job.refusal)


def test_a_folder_is_no_photograph(tmp_path):
    assert "is a folder" in str(settle([tmp_path])[0].refusal)


@pytest.mark.parametrize("place", ["missing/b.jpg", "a.jpg/b.jpg"])
def test_a_result_needs_a_folder_that_exists(tmp_path, place):
    refusal = settle(make(tmp_path, "a.jpg"), output=str(tmp_path / place))[0].refusal
    assert isinstance(refusal, UsageError)
    assert "folder" in str(refusal)


def test_a_file_is_no_folder_for_many(tmp_path):
    with pytest.raises(UsageError, match="is a file"):
        settle(make(tmp_path, "a.jpg", "b.jpg"), output=str(make(tmp_path, "c.jpg")[0]))


def test_a_suffix_cannot_lead_elsewhere(tmp_path):
    with pytest.raises(UsageError, match="holds a path"):
        settle(make(tmp_path, "a.jpg"), suffix="/../../x")


def test_the_side_by_side_is_a_png(tmp_path):
    with pytest.raises(UsageError, match=r"\.png"):
        settle(make(tmp_path, "a.jpg"), compare=str(tmp_path / "b.jpg"))


def test_the_side_by_side_meets_neither_result_nor_input(tmp_path):
    photo = make(tmp_path, "a.png")[0]
    for compare in (photo, tmp_path / "a-sharp.png"):
        with pytest.raises(UsageError):
            settle([photo], compare=str(compare))


def test_a_closed_folder_is_refused(tmp_path, monkeypatch):
    # as root every folder is open, so the answer of the system is provoked
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UsageError, match="cannot be written"):
        check_writable(tmp_path / "a.jpg", overwrite=False)
