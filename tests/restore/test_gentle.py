"""An estimated PSF is used gently, and more gently where the guard doubts; a given one is taken at its word."""

import dataclasses
import io
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import skimage.data
import torch
from PIL import Image

import nightsharp as ns
from nightsharp.methods import get_method
from nightsharp.optics import Blur, Psf, shake
from nightsharp.restore import Restoration
from nightsharp.restore.execute import carry_out
from nightsharp.restore.gentle import restore_estimated
from nightsharp.restore.given import Given
from nightsharp.restore.guard import Verdict
from nightsharp.restore.guard.decide import part_of_tile
from nightsharp.restore.guard.scores import Input
from nightsharp.restore.order import Order
from nightsharp.restore.planning import Clock
from nightsharp.restore.result import Result
from nightsharp.restore.route import Route

SHAKE = shake(21, generator=torch.Generator().manual_seed(5))


def photograph(psf: Psf, turn: float = 0.0, side: int = 256) -> tuple[bytes, torch.Tensor]:
    """A JPEG of a scene shaken by a PSF that turns by so many degrees from side to side, and its sharp display values.

    As a camera has it: light adds before a tone curve that nobody tells.
    """
    values = torch.from_numpy(skimage.data.astronaut()).float()[100 : 100 + side, 110 : 110 + side] / 255
    light = values.permute(2, 0, 1)[None] ** 2.2
    left, right = (Blur(psf.rotate(part * turn).centred(), "reflect")(light) for part in (-0.5, 0.5))
    blurred = torch.lerp(left, right, torch.linspace(0, 1, side))
    blurred = blurred + 0.003 * torch.randn(blurred.shape, generator=torch.Generator().manual_seed(1))
    buffer = io.BytesIO()
    shown = developed(blurred.clamp(0, 1))[0].permute(1, 2, 0).mul(255).round().byte().numpy()
    Image.fromarray(shown).save(buffer, "JPEG", quality=90)
    return buffer.getvalue(), developed(light)[0]


def developed(light: torch.Tensor) -> torch.Tensor:
    shown = light ** (1 / 2.2)
    return 0.6 * shown + 0.4 * shown.square() * (3 - 2 * shown)


def restored(given: Given, psf: Psf, confidence: float | None, **changes: object) -> Restoration:
    """A restoration with a PSF that is said to be an estimate of this confidence."""
    order = Order(
        route=Route("map_psf", get_method("hyper_laplacian"), "for a test"),
        psf=psf,
        source="for a test",
        confidence=confidence,
        strength=1.0,
        guard=True,
        light=None,
    )
    order = dataclasses.replace(order, **changes)  # pyright: ignore[reportArgumentType]
    return carry_out(given, order, max_memory=None, clock=Clock(time.perf_counter()))


def opened(content: bytes, folder: Path) -> Given:
    file = folder / "photo.jpg"
    file.write_bytes(content)
    return Given(ns.read_photo(file), None, file)


def gained(out: Restoration, given: Given, sharp: torch.Tensor) -> float:
    """In decibels, away from the border."""
    assert out.photo is not None
    assert given.photo is not None
    inner = (..., slice(16, -16), slice(16, -16))
    after, before = ((image.display() - sharp)[inner].square().mean() for image in (out.photo, given.photo))
    return float(10 * torch.log10(before / after))


def test_what_was_asked_is_applied_to_a_given_psf_and_half_of_it_to_an_estimate(tmp_path):
    given = opened(photograph(SHAKE)[0], tmp_path)
    assert restored(given, SHAKE, None, strength=0.8).report["applied_strength"] == 0.8
    report = restored(given, SHAKE, 0.95, strength=0.8).report
    assert report["guard"]["kept"] == "result"
    assert (report["strength"], report["applied_strength"]) == (0.8, 0.4)
    # no camera stood between a tensor and its PSF
    tensor = Given(None, Blur(SHAKE, "reflect")(torch.rand(1, 1, 96, 96))[0], None)
    assert restored(tensor, SHAKE, 0.95, guard=False).report["applied_strength"] == 1.0


def test_a_photograph_as_far_from_its_psf_as_real_ones_are_is_restored_all_the_same(tmp_path):
    """The blur turns by 24 degrees over the picture; at full strength the guard gives all of it up."""
    content, sharp = photograph(SHAKE, turn=24)
    given = opened(content, tmp_path)
    assert restored(given, SHAKE, None).report["guard"]["kept"] == "input"
    out = restored(given, SHAKE, 0.95)
    assert out.report["applied_strength"] == 0.25
    assert out.report["guard"]["kept"] == "result"
    assert gained(out, given, sharp) > 2.5


@pytest.mark.parametrize("degrees", [45, 180])
def test_a_psf_that_is_wrong_is_not_used_however_sure_the_search_was(tmp_path, degrees):
    content, sharp = photograph(SHAKE)
    given = opened(content, tmp_path)
    assert gained(restored(given, SHAKE.rotate(degrees).centred(), 0.99), given, sharp) > -0.1


def test_who_is_not_sure_is_not_believed(tmp_path):
    given = opened(photograph(SHAKE, turn=30)[0], tmp_path)
    assert restored(given, SHAKE, 0.5).report["guard"]["kept"] == "input"


def tries(given: Given, parts: dict[float, float]) -> tuple[Callable, list[float], dict[int, float]]:
    """What stands for the work: so much of the result is left at each strength.

    Returns:
        It, the strengths that were tried, and by the result's identity that which made it.
    """
    tried: list[float] = []
    made: dict[int, float] = {}
    kept: list[Result] = []  # or an identity comes back

    def work(order: Order) -> tuple[Result, Verdict]:
        assert order.gentle == (order.strength == 0.25)
        tried.append(order.strength)
        kept.append(Result(given, "linear"))
        made[id(kept[-1])] = order.strength
        left = parts[order.strength]
        return kept[-1], Verdict("result" if left == 1 else "partly" if left >= 0.3 else "input", "", part=left)

    return work, tried, made


@pytest.mark.parametrize(
    ("parts", "tried", "applied"),
    [
        ({0.5: 1.0}, [0.5], 0.5),
        ({0.5: 0.95}, [0.5], 0.5),
        ({0.5: 0.6, 0.25: 0.8}, [0.5, 0.25], 0.25),
        ({0.5: 0.0, 0.25: 1.0}, [0.5, 0.25], 0.25),
        ({0.5: 0.0, 0.25: 0.0}, [0.5, 0.25], 0.25),
        # the first was the better one: it is made again, since only one is held
        ({0.5: 0.6, 0.25: 0.4}, [0.5, 0.25, 0.5], 0.5),
        ({0.5: 0.6, 0.25: 0.6}, [0.5, 0.25, 0.5], 0.5),
    ],
)
@pytest.mark.parametrize("room_for_two", [False, True])
def test_what_keeps_more_is_taken(parts, tried, applied, room_for_two):
    given = Given(ns.Photo(torch.rand(3, 64, 64)), None, None)
    work, seen, made = tries(given, parts)
    order = Order(Route("map_psf", get_method("wiener"), ""), SHAKE, "", 0.9, 1.0, True, None)
    result, verdict, strength = restore_estimated(given, order, work, room_for_two=room_for_two)
    # with room, nothing is made a second time
    assert seen == (tried[:2] if room_for_two else tried)
    assert (made[id(result)], verdict.part, strength) == (applied, parts[applied], applied)


def judged(numbers: dict[str, float], confidence: float, *, gentle: bool = True) -> float:
    """The part that is kept of a result with these scores."""
    blurred = Blur(SHAKE, "reflect")(torch.rand(1, 1, 96, 96, generator=torch.Generator().manual_seed(0)))
    seen = Input.of(blurred, SHAKE, torch.full((1, 1, 1, 1), 0.01), None)
    assert seen is not None
    scores = seen.scores(blurred)
    mark = {name: value for name, value in numbers.items() if hasattr(scores.mark, name)}
    rest = {name: value for name, value in numbers.items() if name not in mark}
    scores = dataclasses.replace(scores, mark=dataclasses.replace(scores.mark, **mark), noise=-5.0, **rest)
    return part_of_tile(scores, confidence, gentle=gentle)[0]


def witnesses(**said: float) -> float:
    """The part of a gentle result whose fitted rule says no, with what the three witnesses say."""
    confidence = said.pop("confidence")
    return judged(
        {"power": 0.0, "scaled": 0.2, "overshoot": 0.0, "smoothness": 0.7, "sparsity": 0.1} | said, confidence
    )


SURE = {"confidence": 0.95, "mirror": -0.1, "unexplained": -1.0, "ripple": 0.4}


def test_three_witnesses_for_an_estimate_are_enough_and_two_are_not():
    assert witnesses(**SURE) == 1
    for name, silent in (("confidence", 0.75), ("mirror", -0.01), ("unexplained", -0.5), ("ripple", 0.1)):
        assert witnesses(**SURE | {name: silent}) == 0
        assert name == "confidence" or witnesses(**SURE | {name: float("nan")}) == 0


def test_a_gentle_result_that_explains_little_has_the_usual_judge():
    """The scores of an unblurred photograph whose noise the search took for the mark of a PSF: it lost 9 dB."""
    told = {"ripple": 0.963, "power": 0.75, "scaled": 0.041, "mirror": -0.004, "overshoot": -2.451, "sparsity": -0.133}
    little, more = (told | {"smoothness": 0.056, "unexplained": value} for value in (-0.088, -0.6))
    assert judged(little, 0.66) == judged(little, 0.66, gentle=False) == 0
    assert judged(more, 0.66) > judged(more, 0.66, gentle=False)
