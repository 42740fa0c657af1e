"""What users may write where a PSF is asked for."""

import pytest
import torch

from nightsharp.errors import NightsharpError, PsfError, UsageError
from nightsharp.optics import Psf, defocus, disk, gaussian, line
from nightsharp.restore import parse_psf

FORMULAS = [
    ("line:15,30", line(15, 30)),
    ("line:15", line(15)),
    ("line: 4.5 , -90", line(4.5, -90)),
    ("disk:4.5", disk(4.5)),
    ("gaussian:2", gaussian(2)),
    ("defocus:6", defocus(6)),
    ("defocus:6,5", defocus(6, 5)),
]

MISTAKES = [
    ("line:15,1,2", UsageError, "line:LENGTH,ANGLE"),
    ("line:15,30,2", UsageError, "line:LENGTH,ANGLE"),
    ("line:long,30", UsageError, "no number"),
    ("line:", UsageError, "line:LENGTH,ANGLE"),
    ("line", UsageError, "lacks its numbers"),
    ("circle:3", UsageError, "'circle' is unknown"),
    ("disk:-1", PsfError, "disk:RADIUS"),
    ("disk:nan", PsfError, "disk:RADIUS"),
    ("gaussian:0", PsfError, "gaussian:SIGMA"),
    ("defocus:4,2", PsfError, "blades is 2"),
    ("defocus:4,5.5", UsageError, "whole ones"),
    ("missing.png", PsfError, "Check the path"),
    ("C:\\missing.png", PsfError, "Check the path"),
    ("psf.docx", PsfError, "a PSF is read from"),
    ("", PsfError, "no ending"),
]


@pytest.mark.parametrize(("text", "psf"), FORMULAS, ids=[text for text, _ in FORMULAS])
def test_a_formula_means_the_shape_of_that_name(text: str, psf: Psf):
    found = parse_psf(text)
    assert found is not None
    assert torch.equal(found.kernel, psf.kernel)


def test_auto_asks_for_an_estimate():
    assert parse_psf("auto") is None


@pytest.mark.parametrize(("text", "kind", "words"), MISTAKES, ids=[text or "nothing" for text, _, _ in MISTAKES])
def test_a_mistake_is_answered_with_its_cure(text: str, kind: type[NightsharpError], words: str):
    with pytest.raises(kind) as caught:
        parse_psf(text)
    assert words in str(caught.value)


def test_a_file_is_read_even_when_its_name_looks_like_a_formula(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line(3).save("disk:3.npy")
    found = parse_psf("disk:3.npy")
    assert found is not None
    assert torch.equal(found.kernel, line(3).kernel)
