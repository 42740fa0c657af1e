"""The command, called as a function."""

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

import nightsharp
from nightsharp.cli import main
from nightsharp.errors import WeightsError
from nightsharp.optics import Blur, line
from nightsharp.photo.tone import linear_to_srgb, srgb_to_linear

PSF = "line:9,20"


def night(file: Path, mode: str = "RGB", height: int = 64, width: int = 88) -> Path:
    """A small blurred photograph."""
    scene = torch.from_numpy(skimage.data.astronaut().copy())[10:, 150:].permute(2, 0, 1)[None].float() / 255
    sharp = scene[..., : 2 * height, : 2 * width]
    sharp = torch.nn.functional.interpolate(sharp, (height, width), mode="bilinear", antialias=True)
    light = Blur(line(9, 20), boundary="replicate")(srgb_to_linear(sharp))[0]
    values = linear_to_srgb(light).mul(255).round().byte().permute(1, 2, 0).numpy()
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(values)).convert(mode).save(file)
    return file


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def deblur(*words: object) -> int:
    return main(["deblur", "--method", "wiener", "--psf", PSF, *map(str, words)])


@pytest.mark.parametrize("name", ["street.jpg", "Straße bei Nacht.png", "夜 の 写真.tif", "night.webp"])
def test_a_sharper_file_lies_next_to_the_old_one(tmp_path, capsys, name):
    photo = night(tmp_path / name, height=160, width=220)
    before = photo.read_bytes()
    assert deblur(photo) == 0
    result = tmp_path / f"{photo.stem}-sharp{photo.suffix}"
    assert names(tmp_path) == sorted([name, result.name])
    assert photo.read_bytes() == before
    with Image.open(result) as image:
        assert image.size == (220, 160)
    first, route, guard = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{photo} -> {result}   220 x 160, ")
    assert route == "route: PSF given (line:9,20, 5 x 11) -> wiener (asked for)"
    # what compression took away rings a little, and the guard softens that
    assert guard == "guard: nothing to report" or (photo.suffix in {".jpg", ".webp"} and "blended in" in guard)


def test_all_outputs_are_written(tmp_path):
    photo = night(tmp_path / "a.png")
    sheet, report = tmp_path / "side.png", tmp_path / "r.json"
    assert deblur(photo, "-o", tmp_path / "b.png", "--compare", sheet, "--report", report, "-q") == 0
    document = json.loads(report.read_text())
    assert document["done"] == 1
    assert document["failed"] == 0
    file = document["files"][0]
    assert (file["input"], file["output"], file["compare"]) == (str(photo), str(tmp_path / "b.png"), str(sheet))
    assert file["report"]["method"] == "wiener"
    with Image.open(sheet) as image:
        assert image.format == "PNG"


def test_quiet_says_nothing(tmp_path, capsys):
    assert deblur(night(tmp_path / "a.png"), "--quiet") == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


def test_json_is_the_only_thing_on_stdout(tmp_path, capsys):
    good, bad = night(tmp_path / "a.png"), tmp_path / "b.png"
    bad.write_bytes(b"no picture")
    assert deblur(good, bad, tmp_path / "c.png", "--json") == 3
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert (document["nightsharp"], document["done"], document["failed"]) == (nightsharp.__version__, 1, 2)
    assert "report" in document["files"][0]
    assert document["files"][1]["error"]["exit_code"] == 3
    assert document["files"][2]["error"]["kind"] == "PhotoError"
    assert len(said.err.splitlines()) == 2


def test_one_bad_file_does_not_stop_the_rest(tmp_path, capsys):
    first, bad, last = night(tmp_path / "a.png"), tmp_path / "b.jpg", night(tmp_path / "c.png")
    bad.write_bytes(b"\xff\xd8\xff\xe0 broken")
    assert deblur(first, bad, last, "-o", tmp_path / "out") == 3
    assert names(tmp_path / "out") == ["a-sharp.png", "c-sharp.png"]
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == "2 of 3 photos done, 1 failed"
    assert "b.jpg" in said.err


def test_an_existing_result_is_refused_and_stays(tmp_path, capsys):
    photo = night(tmp_path / "a.png")
    (tmp_path / "a-sharp.png").write_bytes(b"precious")
    assert deblur(photo) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (tmp_path / "a-sharp.png").read_bytes() == b"precious"
    assert deblur(photo, "--overwrite") == 0
    assert (tmp_path / "a-sharp.png").read_bytes() != b"precious"


@pytest.mark.parametrize("option", ["--report", "--compare"])
def test_an_existing_side_product_is_refused_before_the_work(tmp_path, option):
    photo = night(tmp_path / "a.png")
    there = tmp_path / ("there.json" if option == "--report" else "there.png")
    there.write_bytes(b"precious")
    assert deblur(photo, option, there) == 2
    assert there.read_bytes() == b"precious"
    assert names(tmp_path) == sorted(["a.png", there.name])


def test_the_input_is_never_written_over(tmp_path, capsys):
    photo = night(tmp_path / "a.png")
    before = photo.read_bytes()
    assert deblur(photo, "-o", photo, "--overwrite") == 2
    assert "over the input" in capsys.readouterr().err
    assert photo.read_bytes() == before


def test_two_results_of_one_name_are_refused_before_the_work(tmp_path):
    photos = [night(tmp_path / "x" / "a.png"), night(tmp_path / "y" / "a.png")]
    assert deblur(*photos, "-o", tmp_path / "out") == 2
    assert names(tmp_path / "out") == []


def test_a_suffix_may_begin_with_a_hyphen(tmp_path):
    assert deblur(night(tmp_path / "a.png"), "--suffix", "-crisp") == 0
    assert names(tmp_path) == ["a-crisp.png", "a.png"]


def test_a_photo_that_is_kept_comes_back_byte_for_byte(tmp_path, capsys):
    photo = night(tmp_path / "a.jpg")
    assert main(["deblur", str(photo), "--psf", "gaussian:0.1"]) == 0
    assert (tmp_path / "a-sharp.jpg").read_bytes() == photo.read_bytes()
    assert "kept as it is" in capsys.readouterr().out


@pytest.mark.parametrize(("size", "mode"), [((1, 1), "RGB"), ((2, 3), "L"), ((1, 50), "RGBA"), ((40, 50), "L")])
def test_tiny_and_grey_photographs_pass(tmp_path, size, mode):
    Image.new(mode, size, 77).save(tmp_path / "a.png")
    assert main(["deblur", str(tmp_path / "a.png")]) == 0
    with Image.open(tmp_path / "a-sharp.png") as image:
        assert image.size == size
        assert image.mode == mode


def test_a_psf_larger_than_the_photograph_is_bad_input(tmp_path, capsys):
    assert main(["deblur", str(night(tmp_path / "a.png")), "--psf", "line:300,0"]) == 3
    said = capsys.readouterr().err
    assert "the PSF is 1 x 301, larger than the image (64 x 88). Cut away its dark rim" in said
    assert names(tmp_path) == ["a.png"]


USAGE = [
    ["deblur"],
    ["deblurr", "a.png"],
    ["deblur", "a.png", "--strenght", "2"],
    ["deblur", "a.png", "--strength", "much"],
    ["deblur", "a.png", "--light", "dim"],
    ["deblur", "a.png", "--psf-size"],
    ["estimate-psf"],
    ["estimate-psf", "a.png", "b.png"],
    ["methods", "wiener"],
]


@pytest.mark.parametrize("words", USAGE, ids=" ".join)
def test_a_command_that_does_not_hold_together_is_usage(words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    assert said.err


@pytest.mark.parametrize("words", [["--method", "magic"], ["--psf", "line:3,1,2"], ["--strength", "0"]], ids=" ".join)
def test_an_option_without_a_meaning_is_usage(words, tmp_path, capsys):
    assert main(["deblur", str(night(tmp_path / "a.png")), *words]) == 2
    assert names(tmp_path) == ["a.png"]
    assert "Traceback" not in capsys.readouterr().err


def bomb(file: Path) -> Path:
    """A PNG whose header claims 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(1000)))
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b""))
    return file


def test_a_photograph_over_the_limits_is_four(tmp_path, capsys):
    assert deblur(bomb(tmp_path / "a.png")) == 4
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("problem", "code"),
    [(MemoryError(), 4), (WeightsError("the weights are missing."), 5), (ZeroDivisionError("oh"), 1)],
    ids=["memory", "weights", "fault"],
)
def test_each_family_of_failures_has_its_code(problem, code, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("NIGHTSHARP_DEBUG", raising=False)

    def fail(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr("nightsharp.restore.execute.restore_tiles", fail)
    assert deblur(night(tmp_path / "a.png")) == code
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "Traceback" not in said
    assert ("NIGHTSHARP_DEBUG=1" in said) == (code == 1)
    assert names(tmp_path) == ["a.png"]


def test_ctrl_c_while_writing_leaves_nothing(tmp_path, capsys, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    photo = night(tmp_path / "a.png")
    monkeypatch.setattr("os.fsync", interrupt)
    assert deblur(photo) == 130
    assert "Traceback" not in capsys.readouterr().err
    assert names(tmp_path) == ["a.png"]


def test_ctrl_c_in_a_batch_keeps_the_report_of_what_is_done(tmp_path, monkeypatch):
    from nightsharp.restore import deblur as restore

    def interrupt_the_second(photo: Path, **options: Any) -> object:
        if photo.name == "b.png":
            raise KeyboardInterrupt
        return restore(photo, **options)

    monkeypatch.setattr("nightsharp.restore.deblur", interrupt_the_second)
    photos = [night(tmp_path / name) for name in ("a.png", "b.png", "c.png")]
    assert deblur(*photos, "--report", tmp_path / "r.json") == 130
    (file,) = json.loads((tmp_path / "r.json").read_text())["files"]
    assert Path(file["output"]).is_file()
    assert file["report"]["output"]["sha256"]


def test_a_name_that_is_no_text_stops_nothing(tmp_path, capfd):
    odd, other = tmp_path / "caf\udce9.png", night(tmp_path / "a.png")
    try:
        odd.write_bytes(other.read_bytes())
    except (OSError, UnicodeError):
        pytest.skip("this disk has names that are text only")
    assert deblur(odd, other, "--report", tmp_path / "r.json") == 0
    assert [file["input"] for file in json.loads((tmp_path / "r.json").read_text())["files"]] == [str(odd), str(other)]


def test_a_name_too_long_for_the_disk_stops_only_itself(tmp_path, capsys):
    long, other = night(tmp_path / f"{'x' * 248}.png"), night(tmp_path / "a.png")
    assert deblur(long, other) == 3
    assert "a-sharp.png" in names(tmp_path)
    assert "name" in capsys.readouterr().err


def test_nothing_that_is_read_is_written_over(tmp_path, capsys):
    photo, still, psf = night(tmp_path / "a.png"), night(tmp_path / "still.png"), tmp_path / "k.png"
    line(5).save(psf)
    kept = [file.read_bytes() for file in (photo, still, psf)]
    order = ["--overwrite", "-o"]
    assert main(["deblur", str(photo), "--psf", str(psf), *order, str(psf)]) == 2
    assert main(["estimate-psf", str(photo), "--sharp", str(still), *order, str(still)]) == 2
    assert main(["weights", "export", str(still), str(still), "--overwrite"]) == 2
    assert [file.read_bytes() for file in (photo, still, psf)] == kept


def test_a_side_by_side_that_fails_does_not_disown_the_result(tmp_path, monkeypatch, capsys):
    def fail(*_: object, **__: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr("nightsharp.cli.compare.side_by_side", fail)
    photo = night(tmp_path / "a.png")
    assert deblur(photo, "--compare", tmp_path / "s.png", "--json") == 0
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert Path(file["output"]).is_file()
    assert any("no side-by-side" in warning for warning in file["report"]["warnings"])


def test_a_replay_takes_no_options(tmp_path, capsys):
    photo = night(tmp_path / "a.png")
    assert deblur(photo, "--report", tmp_path / "r.json") == 0
    again = ["deblur", "--replay", str(tmp_path / "r.json"), "-o", str(tmp_path / "b.png")]
    assert main([*again, "--strength", "2"]) == 2
    assert "--strength" in capsys.readouterr().err
    assert main([*again, "--max-memory", "4GB"]) == 0


def test_a_plan_makes_no_folder(tmp_path):
    assert deblur(night(tmp_path / "a.png"), "--plan", "-o", f"{tmp_path / 'new'}/") == 0
    assert names(tmp_path) == ["a.png"]


def test_a_kept_palette_is_not_said_to_be_lost(tmp_path, capsys):
    photo = tmp_path / "a.png"
    Image.open(night(tmp_path / "b.png")).quantize(20).save(photo)
    assert main(["deblur", str(photo), "--psf", "gaussian:0.1", "--method", "wiener"]) == 0
    assert (tmp_path / "a-sharp.png").read_bytes() == photo.read_bytes()
    assert "note:" not in capsys.readouterr().out


def test_a_psf_can_be_estimated_kept_and_used(tmp_path, capsys):
    photo = night(tmp_path / "a.png", height=96, width=128)
    for psf in ("psf.npy", "psf.png"):
        assert main(["estimate-psf", str(photo), "-o", str(tmp_path / psf), "--size", "15"]) == 0
        assert "confidence" in capsys.readouterr().out
        assert main(["deblur", str(photo), "--psf", str(tmp_path / psf), "--overwrite", "--quiet"]) == 0
    assert main(["estimate-psf", str(photo), "-o", str(tmp_path / "psf.npy")]) == 2
    assert main(["estimate-psf", str(photo), "--size", "15", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert 0 <= said["confidence"] <= 1
    assert said["output"] is None


@pytest.mark.parametrize("place", ["psf.jpg", "psf", "a.png"])
def test_a_psf_is_not_written_where_it_cannot_be(place, tmp_path):
    photo = night(tmp_path / "a.png")
    before = photo.read_bytes()
    assert main(["estimate-psf", str(photo), "-o", str(tmp_path / place), "--overwrite"]) == 2
    assert photo.read_bytes() == before


def test_methods_lists_all(capsys):
    assert main(["methods", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["methods"]
    assert [method["name"] for method in listed] == [spec.name for spec in nightsharp.list_methods()]
    assert main(["methods"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(listed)


def test_the_doctor_tests_itself(capsys):
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["usable"]
    assert found["packages"]["torch"]
    assert found["threads"] >= 1
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "nightsharp is usable"


def test_the_doctor_names_the_cure_for_a_missing_extra(capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "rawpy", None)
    assert main(["doctor"]) == 0
    assert "pip install -c constraints.txt '.[raw]'" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["deblur", "estimate-psf", "methods", "doctor"])
def test_every_verb_has_help_with_an_example(verb, capsys):
    assert main([verb, "--help"]) == 0
    said = capsys.readouterr().out
    assert "Example" in said
    assert f"  nightsharp {verb}" in said
