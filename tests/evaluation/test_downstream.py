"""What reading and finding gain by a restoration is measured as defined, and is there where it should be."""

import json
import os
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import skimage.data
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from nightsharp.cli import main
from nightsharp.errors import PhotoError, UsageError
from nightsharp.evaluation.downstream import (
    Item,
    Shot,
    as_document,
    as_markdown,
    from_folders,
    make_task,
    measure,
    rendered_text,
    restored_by,
)
from nightsharp.evaluation.downstream.detect import Box, agreement, overlap
from nightsharp.evaluation.downstream.interval import interval
from nightsharp.evaluation.downstream.ocr import edit_distance
from nightsharp.evaluation.downstream.rendered import sign
from nightsharp.evaluation.downstream.segment import intersection_over_union
from nightsharp.evaluation.downstream.task import pooled
from nightsharp.methods.darkdeblur import DarkDeblurNet
from nightsharp.optics import Blur, line
from nightsharp.weights import Card, save, sha256


@pytest.fixture
def tesseract():
    """Tests that need it fail in CI where it is missing: there it must be installed."""
    if shutil.which("tesseract") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("tesseract is not installed")
    pytest.importorskip("pytesseract", reason="pip install '.[downstream]'")


@pytest.fixture
def opencv():
    pytest.importorskip("cv2", reason="pip install '.[downstream]'")


def table(one: str, other: str) -> int:
    """The edit distance by its textbook table."""
    cost = {(i, 0): i for i in range(len(one) + 1)} | {(0, j): j for j in range(len(other) + 1)}
    for i, a in enumerate(one, 1):
        for j, b in enumerate(other, 1):
            cost[i, j] = min(cost[i - 1, j] + 1, cost[i, j - 1] + 1, cost[i - 1, j - 1] + (a != b))
    return cost[len(one), len(other)]


class TestCharacterErrors:
    @given(st.text("abcé🌃 ", max_size=12), st.text("abcé🌃 ", max_size=12))
    def test_the_edit_distance_is_that_of_the_table(self, one, other):
        assert edit_distance(one, other) == table(one, other)

    @pytest.mark.parametrize(("read", "errors"), [("exit", 0), ("exi", 1), ("", 4), ("lexits", 2), ("axit", 1)])
    def test_errors_are_counted_in_characters_of_the_truth(self, tesseract, read, errors):
        assert pooled(make_task("ocr").compare(read, "exit")) == errors / 4

    def test_line_breaks_are_no_errors(self, tesseract):
        ocr = make_task("ocr")
        assert ocr.read(sign(["night tram", "exit"], 30, bright_on_dark=False)) == "night tram exit"

    def test_bright_letters_on_a_dark_sign_are_read(self, tesseract):
        assert make_task("ocr").read(sign(["harbour"], 30, bright_on_dark=True)) == "harbour"

    def test_a_language_without_data_is_refused(self, tesseract):
        with pytest.raises(UsageError, match="no data for the language 'klingon'"):
            make_task("ocr", "klingon")

    def test_a_missing_program_is_named_with_its_cure(self, monkeypatch):
        pytest.importorskip("pytesseract")
        monkeypatch.setattr(shutil, "which", lambda _: None)
        with pytest.raises(UsageError, match="apt-get install tesseract-ocr"):
            make_task("ocr")


def at(left: float, label: str = "face", score: float = 1.0) -> Box:
    return Box(label, score, left, 0, left + 10, 10)


class TestBoxes:
    def test_overlap_is_symmetric_and_at_most_one(self):
        for shift in (0, 3, 9, 10, 50):
            assert (
                overlap(at(0), at(shift))
                == overlap(at(shift), at(0))
                == pytest.approx(max(0, 10 - shift) / (10 + min(shift, 10)))
            )

    def test_a_box_counts_for_one_object_only(self):
        assert agreement([at(0), at(1)], [at(0)])["face"].value == pytest.approx(2 / 3)

    def test_the_surest_box_takes_the_object(self):
        assert agreement([at(4, score=0.2), at(0, score=0.9)], [at(0)])["face"].value == pytest.approx(2 / 3)

    def test_a_face_is_no_person(self):
        assert agreement([at(0, "person")], [at(0)]) == agreement([at(0)], [at(0, "person")])
        assert pooled(agreement([at(0, "person")], [at(0)])) == 0

    def test_perfect_and_empty(self):
        assert pooled(agreement([at(0), at(20)], [at(20), at(0)])) == 1
        assert pooled(agreement([], [at(0)])) == 0


def test_intersection_over_union_counts_pixels():
    one = np.zeros((4, 4), bool)
    other = one.copy()
    one[:2], other[1:3] = True, True
    scores = intersection_over_union({"road": one, "sky": one}, {"road": other})
    assert scores["road"].value == pytest.approx(1 / 3)
    assert scores["sky"].value == 0


class TestInterval:
    def test_it_holds_the_true_mean_about_as_often_as_it_says(self):
        draw = np.random.default_rng(0)
        held = 0
        for trial in range(100):
            low, high = interval(draw.normal(0.1, 0.2, 40).tolist(), range(40), seed=trial) or (0, 0)
            held += low <= 0.1 <= high
        assert 86 <= held <= 100

    def test_pictures_of_one_scene_do_not_make_it_surer(self):
        draw = np.random.default_rng(0)
        scenes = [scene for scene in range(10) for _ in range(20)]
        values = (draw.normal(0, 1, 10)[scenes] + draw.normal(0, 0.1, 200)).tolist()
        together, apart = interval(values, scenes), interval(values, range(200))
        assert together is not None
        assert apart is not None
        assert together[1] - together[0] > 2.5 * (apart[1] - apart[0])

    def test_one_scene_tells_nothing(self):
        assert interval([0.1, 0.2], "aa") is None


class TestRenderedText:
    def test_it_is_the_same_every_time_and_other_with_another_seed(self):
        (first, texts), (again, _), (other, other_texts) = rendered_text(), rendered_text(), rendered_text(1)
        assert torch.equal(first[5].load().blurred, again[5].load().blurred)
        assert not torch.equal(first[5].load().blurred, other[5].load().blurred)
        assert list(texts.values()) != list(other_texts.values())

    def test_the_recording_is_dark_noise_over_the_blurred_sign(self):
        pair = rendered_text()[0][0].load()
        assert pair.psf is not None
        assert pair.sharp is not None
        expected = Blur(pair.psf, "replicate")(pair.sharp[None])[0]
        # 2,000 electrons fill a pixel
        deviation = (pair.blurred - expected).square().mean().sqrt()
        assert float(deviation) == pytest.approx(float((expected.mean() / 2000 + 0.004**2).sqrt()), rel=0.15)

    def test_known_psfs_make_it_readable(self, tesseract):
        samples, texts = rendered_text()
        chosen = [sample for sample in samples if sample.name.startswith("24px") and sample.name.endswith("_400e_0")]
        items = restored_by("hyper_laplacian", chosen, blind=False, texts=texts, linear=True)
        measured = measure(make_task("ocr"), items, source="rendered")
        assert measured.mean.images == 3
        assert measured.mean.ceiling == 0
        assert measured.mean.after < 0.1 < measured.mean.before
        assert min(measured.gains) >= 0


def photograph(file, image: torch.Tensor) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    values = (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(np.ascontiguousarray(values.squeeze(-1) if values.shape[-1] == 1 else values)).save(file)


@pytest.fixture
def astronaut() -> torch.Tensor:
    """A portrait."""
    return torch.from_numpy(skimage.data.astronaut().copy()).permute(2, 0, 1)[:, :256, 96:352].float() / 255


class TestDetection:
    def test_a_face_is_found_in_its_place(self, opencv, astronaut):
        faces = [box for box in make_task("detect").read(astronaut) if box.label == "face"]
        assert len(faces) == 1
        assert overlap(faces[0], Box("face", 1, 70, 60, 190, 190)) > 0.4

    def test_blur_loses_the_face_and_deblurring_finds_it_again(self, opencv, astronaut):
        from nightsharp.restore import deblur

        blurred = Blur(line(45, 30), "replicate")(astronaut[None])[0]
        restored = deblur(blurred, method="hyper_laplacian", psf=line(45, 30), guard=False).sharp
        items = [Item("portrait", "", lambda: Shot(blurred, restored.clamp(0, 1), astronaut))]
        measured = measure(make_task("detect"), items, source="a portrait")
        assert measured.classes["face"].before == 0
        assert measured.classes["face"].after == 1
        assert measured.confidence is None

    def test_no_detector_has_a_cure(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "cv2", None)
        with pytest.raises(UsageError, match=r"\.\[downstream\]"):
            make_task("detect")


@pytest.fixture
def folders(tmp_path):
    """Two signs, blurred, restored and sharp, with their texts; the second restoration is no better."""
    for name, words in (("a", "night tram"), ("street/b", "hotel exit")):
        sharp = sign([words], 30, bright_on_dark=False)
        blurred = Blur(line(23, 0), "replicate")(sharp[None])[0]
        photograph(tmp_path / "blurred" / f"{name}.png", blurred)
        photograph(tmp_path / "sharp" / f"{name}.png", sharp)
        photograph(tmp_path / "restored" / f"{name}-sharp.png", sharp if name == "a" else blurred)
        (tmp_path / "texts" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "texts" / f"{name}.txt").write_text(words + "\n", encoding="utf-8")
    return tmp_path


class TestFolders:
    def test_known_texts_and_readings_of_sharp_pictures_agree(self, tesseract, folders):
        place = [folders / name for name in ("blurred", "restored", "sharp", "texts")]
        ocr = make_task("ocr")
        by_text = measure(ocr, from_folders(place[0], place[1], None, place[3]), source="signs")
        by_picture = measure(ocr, from_folders(*place[:3]), source="signs")
        assert by_text.gains == by_picture.gains
        assert [row.name for row in by_text.rows] == ["a", "street/b"]
        assert by_text.gains[0] > 0.3
        assert by_text.gains[1] == 0
        assert set(by_text.classes) == {"all", "street"}

    def test_a_picture_of_which_nothing_is_known_is_named(self, folders):
        (folders / "sharp" / "a.png").unlink()
        with pytest.raises(PhotoError, match="nothing says what stands in it"):
            from_folders(folders / "blurred", folders / "restored", folders / "sharp")

    def test_a_broken_picture_is_counted_and_does_not_stop_the_rest(self, tesseract, folders):
        (folders / "restored" / "a-sharp.png").write_bytes(b"\x89PNG broken")
        items = from_folders(folders / "blurred", folders / "restored", folders / "sharp")
        document = as_document(measure(make_task("ocr"), items, source="signs"))
        assert document["images"] == 1
        assert [row["image"] for row in document["failed"]] == ["a"]

    def test_a_picture_without_text_counts_in_no_figure(self, tesseract, folders):
        grey = torch.full((1, 60, 200), 0.5)
        for folder, name in (("blurred", "c"), ("sharp", "c"), ("restored", "c-sharp")):
            photograph(folders / folder / f"{name}.png", grey)
        items = from_folders(folders / "blurred", folders / "restored", folders / "sharp")
        measured = measure(make_task("ocr"), items, source="signs")
        assert measured.nothing == ("c",)
        assert measured.mean.images == 2
        assert "1 with nothing to find" in as_markdown(measured)
        alone = as_markdown(replace(measured, rows=()))
        assert alone.endswith("Nothing to compare: there is nothing to find in c.\n")
        assert "0.000" not in alone

    def test_a_text_in_another_encoding_is_named_and_does_not_stop_the_rest(self, tesseract, folders):
        (folders / "texts" / "a.txt").write_text("café", encoding="latin-1")
        items = from_folders(folders / "blurred", folders / "restored", None, folders / "texts")
        rows = measure(make_task("ocr"), items, source="signs").rows
        assert f"{folders / 'texts' / 'a.txt'}: the text is not in UTF-8" in str(rows[0].error)
        assert rows[1].error is None

    def test_a_byte_order_mark_is_no_character(self, folders):
        (folders / "texts" / "a.txt").write_text("night tram", encoding="utf-8-sig")
        items = from_folders(folders / "blurred", folders / "restored", None, folders / "texts")
        assert items[0].load().text == "night tram"

    def test_two_results_of_one_picture_are_refused(self, folders):
        shutil.copy(folders / "restored" / "a-sharp.png", folders / "restored" / "a-wiener.png")
        with pytest.raises(PhotoError, match=r"a-sharp.png and a-wiener.png are both results of it"):
            from_folders(folders / "blurred", folders / "restored", folders / "sharp")

    def test_a_sheet_of_before_and_after_is_no_result(self, folders):
        shutil.copy(folders / "restored" / "a-sharp.png", folders / "restored" / "a-compare.png")
        items = from_folders(folders / "blurred", folders / "restored", folders / "sharp")
        assert [item.name for item in items] == ["a", "street/b"]

    def test_a_folder_that_is_missing_is_named(self, folders):
        with pytest.raises(PhotoError, match="no such folder"):
            from_folders(folders / "blurred", folders / "restored", folders / "shrap")

    def test_pictures_of_two_sizes_cannot_be_compared_by_place(self, opencv, astronaut):
        items = [Item("a", "", lambda: Shot(astronaut, astronaut[:, 1:], astronaut))]
        (row,) = measure(make_task("detect"), items, source="portraits").rows
        assert row.error is not None
        assert "differ in size (255 x 256, 256 x 256)" in row.error


class TestCommand:
    def test_folders_give_table_json_and_files(self, tesseract, folders, capsys):
        words = ["downstream", "--task", "ocr"]
        for option in ("blurred", "restored", "sharp"):
            words += [f"--{option}", str(folders / option)]
        assert main([*words, "--out", str(folders / "report")]) == 0
        said = capsys.readouterr().out
        assert "## ocr: character error rate (lower is better)" in said
        assert "1 better, 0 worse" in said
        assert main([*words, "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document == json.loads((folders / "report" / "downstream-ocr.json").read_text(encoding="utf-8"))
        assert document["mean"]["gain"] > 0.15
        assert (folders / "report" / "downstream-ocr.md").read_text(encoding="utf-8") in said

    def test_a_report_that_cannot_be_written_is_refused_before_the_work(self, tesseract, folders, capsys, monkeypatch):
        def never(*_: object, **__: object) -> None:
            raise AssertionError("measured")

        monkeypatch.setattr("nightsharp.evaluation.downstream.measure", never)
        (folders / "report").write_text("a file")
        words = ["downstream", "--task", "ocr", "--out", str(folders / "report")]
        for option in ("blurred", "restored", "sharp"):
            words += [f"--{option}", str(folders / option)]
        assert main(words) == 2
        assert "report is a file" in capsys.readouterr().err

    @pytest.mark.parametrize("form", ["table", "json"])
    def test_what_was_measured_is_shown_before_it_is_written(self, tesseract, folders, capsys, monkeypatch, form):
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("nightsharp.evaluation.downstream.write_report", full)
        words = ["downstream", "--task", "ocr", "--out", str(folders / "report")]
        for option in ("blurred", "restored", "sharp"):
            words += [f"--{option}", str(folders / option)]
        assert main([*words, "--json"] if form == "json" else words) == 3
        said = capsys.readouterr()
        assert json.loads(said.out)["images"] == 2 if form == "json" else "1 better, 0 worse" in said.out
        assert "No space left on device" in said.err

    def test_a_set_is_restored_and_read(self, tesseract, capsys):
        assert main(["downstream", "--task", "ocr", "--method", "wiener", "--every", "18", "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["source"] == "rendered_text, wiener, true PSF"
        assert document["images"] == 2
        assert document["mean"]["sharp"] == 0

    def test_a_network_of_a_file_restores_and_the_file_is_named(self, tesseract, tmp_path, capsys):
        file = tmp_path / "mine.safetensors"
        with torch.random.fork_rng(devices=[]):
            save(file, DarkDeblurNet.lite(), Card(system="darkdeblur"))
        words = ["downstream", "--task", "ocr", "--weights", str(file), "--every", "18", "--json"]
        assert main([*words, "--method", "darkdeblur"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert (
            document["source"]
            == f"rendered_text, darkdeblur from mine.safetensors (sha256 {sha256(file)[:12]}), image only"
        )
        assert document["failed"] == []
        assert main(words) == 2
        assert "Choose the method darkdeblur" in capsys.readouterr().out
        assert main(["downstream", "--task", "ocr", "--method", "darkdeblur"]) == 5
        assert "Give a file of them (--weights)" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["--task", "ocr", "--blurred", "a"], "belong together"),
            (["--task", "ocr", "--blurred", "a", "--restored", "b", "--set", "levin2009"], "Choose one"),
            (["--task", "detect"], "--blurred and --restored, or a --set"),
            (["--task", "segment"], "--model"),
            (["--task", "segment", "--model", "fasterrcnn:a.pth"], "draws no masks"),
            (["--task", "detect", "--model", "a.pth"], "no .onnx file"),
            (["--task", "detect", "--set", "no-such-set"], "no-such-set"),
            (["--task", "ocr", "--method", "magic"], "magic"),
            (["--task", "ocr", "--every", "0"], "--every is 0"),
            (["--task", "ocr", "--blurred", "a", "--restored", "b", "--weights", "w"], "hold results already"),
            (["--task", "paint"], "paint"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_what_does_not_hold_together_is_usage(self, tesseract, opencv, words, says, capsys, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert main(["downstream", *words]) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert says in said
        assert "Traceback" not in said

    def test_help_has_examples(self, capsys):
        assert main(["downstream", "--help"]) == 0
        assert "  nightsharp downstream --task ocr" in capsys.readouterr().out
