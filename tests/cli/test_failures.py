"""Every failure is one line and one exit code."""

import json

import pytest

from nightsharp import errors
from nightsharp.cli.failures import describe_failure, exit_code, failure_as_json, say_failure

CODES = [
    (errors.UsageError("a"), 2),
    (errors.RecipeError("a"), 2),
    (errors.PhotoError("a"), 3),
    (errors.PsfError("a"), 3),
    (errors.EventsError("a"), 3),
    (FileNotFoundError(2, "No such file", "x.jpg"), 3),
    (OSError(28, "No space left on device"), 3),
    (errors.LimitError("a"), 4),
    (MemoryError(), 4),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), 4),
    (errors.WeightsError("a"), 5),
    (ZeroDivisionError("division\nby zero"), 1),
    (RuntimeError("shapes do not match"), 1),
]


@pytest.mark.parametrize(("problem", "code"), CODES, ids=[type(p).__name__ + str(c) for p, c in CODES])
class TestFailureLaws:
    def test_its_family_has_its_code(self, problem, code):
        assert exit_code(problem) == code

    def test_it_is_one_line(self, problem, code):
        assert "\n" not in describe_failure(problem)

    def test_machines_read_the_same(self, problem, code):
        error = json.loads(failure_as_json(problem))["error"]
        assert error == {
            "kind": type(problem).__name__,
            "message": describe_failure(problem),
            "exit_code": code,
        }


def raised() -> Exception:
    try:
        raise ZeroDivisionError("oh")
    except ZeroDivisionError as problem:
        return problem


def test_a_fault_of_ours_says_how_to_see_more(capsys, monkeypatch):
    monkeypatch.delenv("NIGHTSHARP_DEBUG", raising=False)
    say_failure(raised())
    words = capsys.readouterr().err
    assert "NIGHTSHARP_DEBUG=1" in words
    assert "Traceback" not in words


def test_the_traceback_is_there_for_those_who_ask(capsys, monkeypatch):
    monkeypatch.setenv("NIGHTSHARP_DEBUG", "1")
    say_failure(raised())
    assert "Traceback" in capsys.readouterr().err


def test_the_photograph_is_named_once(capsys):
    say_failure(errors.PhotoError("street.jpg is broken."), "street.jpg")
    say_failure(MemoryError(), "street.jpg")
    first, second = capsys.readouterr().err.splitlines()
    assert first == "nightsharp: street.jpg is broken."
    assert second.startswith("nightsharp: street.jpg: there is not enough memory")
