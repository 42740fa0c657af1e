"""What a command says about one photograph when it is done."""

from pathlib import Path
from typing import Any

import pytest

from nightsharp.cli.words import last_words
from nightsharp.restore.guard import NO_BLUR


def words(
    kept: str,
    said: str,
    confidence: float | None,
    *mended: str,
    strength: tuple[float, float] = (1.0, 1.0),
    source: str = "given",
    asked: dict[str, Any] | None = None,
) -> list[str]:
    report: dict[str, Any] = {
        "size": {"width": 40, "height": 30},
        "seconds": {"total": 1.0},
        "peak_memory_bytes": None,
        "route": {"reason": "no PSF given -> estimated PSF + wiener"},
        "psf": {"height": 5, "width": 5, "confidence": confidence, "source": source, "notes": [*mended]},
        "strength": strength[0],
        "applied_strength": strength[1],
        "guard": {"kept": kept, "words": said},
        "notes": [],
        "warnings": [said],
    }
    return last_words(Path("a.png"), Path("b.png"), report, asked).splitlines()


@pytest.mark.parametrize(("confidence", "way"), [(0.5, "--streak auto"), (None, "--no-guard")])
def test_where_the_photograph_was_kept_it_says_what_to_try(confidence, way):
    *_, said, tried = words("input", "the PSF does not show", confidence)
    assert said == "guard: the PSF does not show"
    assert tried.startswith("try: ")
    assert way in tried


@pytest.mark.parametrize(("kept", "said"), [("result", "nothing to report"), ("partly", "ringing")])
def test_where_nothing_went_wrong_it_says_nothing_more(kept, said):
    assert words(kept, said, 0.9)[-1] == f"guard: {said}"


def test_a_photograph_without_blur_may_be_a_blurred_one():
    assert words("input", NO_BLUR, 0.9)[-1].startswith("if it is blurred, try: --streak auto")


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        (
            {},
            "--streak auto where a lamp drew its path, --psf-size 75 for a large shake, "
            "--psf line:30,15 if you know it",
        ),
        ({"streak": "auto"}, "--streak X,Y,W,H around another lamp's path, --psf line:30,15 if you know it"),
        ({"psf_size": 75}, "--streak auto where a lamp drew its path, --psf line:30,15 if you know it"),
    ],
)
def test_it_does_not_suggest_what_was_tried(asked, left):
    assert words("input", "ringing", 0.5, asked=asked)[-1] == f"try: {left}"


def test_with_a_given_psf_a_gentler_strength_is_suggested_where_more_was_asked():
    assert words("input", "ringing", None, strength=(2.0, 2.0))[-1].startswith("try: --strength 1, or another PSF")


@pytest.mark.parametrize(
    ("kept", "strength", "said"),
    [
        (
            "result",
            (1.0, 0.5),
            ["strength: 0.5, gently, because the PSF is an estimate; --strength 2 asks for twice as much"],
        ),
        ("result", (2.0, 0.5), ["strength: 0.5, gently: of the result at 1 the guard would have given up a part"]),
        ("result", (1.0, 1.0), []),
        ("input", (1.0, 0.25), []),
    ],
)
def test_the_strength_is_said_where_it_is_not_the_one_that_was_asked(kept, strength, said):
    lines = words(kept, "nothing to report", 0.9, strength=strength)
    assert [line for line in lines if line.startswith("strength")] == said


def test_windows_are_told_of_where_they_were_asked_for():
    why = "the windows agree within their noise"
    assert f"windows: {why}" in words("result", "nothing to report", 0.9, source=f"estimated by map_psf; {why}")
    given = words("result", "nothing to report", None, source="mine; his.png")
    assert not any(line.startswith("windows") for line in given)


def test_what_was_mended_about_the_psf_is_said_but_not_that_it_was_normalised():
    lines = words(
        "result", "nothing to report", None, "normalised (the sum was 4)", "grain of 8% of the peak taken away"
    )
    assert [line for line in lines if line.startswith("note")] == ["note: the PSF: grain of 8% of the peak taken away"]
