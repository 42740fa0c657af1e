"""What a command says about one photograph when it is done."""

from pathlib import Path
from typing import Any

import pytest

from nightsharp.cli.words import last_words
from nightsharp.restore.guard import NO_BLUR


def words(kept: str, said: str, confidence: float | None, *mended: str) -> list[str]:
    report: dict[str, Any] = {
        "size": {"width": 40, "height": 30},
        "seconds": {"total": 1.0},
        "peak_memory_bytes": None,
        "route": {"reason": "no PSF given -> estimated PSF + wiener"},
        "psf": {"height": 5, "width": 5, "confidence": confidence, "source": "given", "notes": [*mended]},
        "strength": 1.0,
        "applied_strength": 1.0,
        "guard": {"kept": kept, "words": said},
        "notes": [],
        "warnings": [said],
    }
    return last_words(Path("a.png"), Path("b.png"), report).splitlines()


@pytest.mark.parametrize(("confidence", "way"), [(0.5, "--streak auto"), (None, "--no-guard")])
def test_where_the_photograph_was_kept_it_says_what_to_try(confidence, way):
    *_, said, tried = words("input", "the PSF does not show", confidence)
    assert said == "guard: the PSF does not show"
    assert tried.startswith("try: ")
    assert way in tried


@pytest.mark.parametrize(("kept", "said"), [("result", "nothing to report"), ("partly", "ringing"), ("input", NO_BLUR)])
def test_where_nothing_went_wrong_it_says_nothing_more(kept, said):
    assert words(kept, said, 0.9)[-1] == f"guard: {said}"


def test_what_was_mended_about_the_psf_is_said_but_not_that_it_was_normalised():
    lines = words(
        "result", "nothing to report", None, "normalised (the sum was 4)", "grain of 8% of the peak taken away"
    )
    assert [line for line in lines if line.startswith("note")] == ["note: the PSF: grain of 8% of the peak taken away"]
