"""Pages of print: two tones lead to PSFs that edges alone do not find, and nothing else is taken for a page."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont
from skimage.data import camera
from torch import Tensor

from nightsharp.methods.map_psf import PsfEstimate, estimate_psf, similarity
from nightsharp.methods.map_psf.hypotheses import Hypothesis, Race
from nightsharp.methods.map_psf.latent import latent_step, two_tones
from nightsharp.methods.map_psf.observation import Canvas, Observation
from nightsharp.methods.map_psf.page import look_of_print, read_as_page
from nightsharp.methods.map_psf.pyramid import FIRM, Fit, Scale
from nightsharp.optics import Blur, Psf, line, shake

SAID = "The night was long and the lamp burned low. A hand that shook wrote 1, 2, 3 and forgot the rest of the page."
SHAKE = shake(9, generator=torch.Generator().manual_seed(3))
SIZE = 17


def page(side: int = 144) -> Tensor:
    """Dark letters on light paper, as a printer draws them."""
    image = Image.new("L", (side, side), 235)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=22)
    for number, top in enumerate(range(-6, side, 28)):
        draw.text((-7, top), (SAID * 3)[number * 13 :][:22], fill=30, font=font)
    return torch.from_numpy(np.asarray(image, dtype=np.float32) / 255)[None, None]


def blurred(sharp: Tensor, psf: Psf = SHAKE) -> Tensor:
    noise = torch.Generator().manual_seed(0)
    image = Blur(psf, boundary="valid")(sharp)[0]
    return (image + 0.005 * torch.randn(image.shape, generator=noise)).clamp(0, 1)


@pytest.fixture(scope="module")
def estimate() -> PsfEstimate:
    return estimate_psf(blurred(page()), size=SIZE)


def test_the_psf_of_a_page_is_found_and_trusted(estimate: PsfEstimate):
    assert similarity(estimate.psf.kernel, SHAKE.kernel) > 0.9
    assert estimate.confidence > 0.8
    assert estimate.origin.startswith("two-tone prior")


def test_edges_alone_do_not_find_it(estimate: PsfEstimate):
    ways = [trial for trial in estimate.tried if not trial.origin.startswith("two-tone")]
    assert len(ways) >= 3
    assert max(trial.gain for trial in ways) < 1.1 < estimate.evidence.gain


def test_white_on_black_is_a_page_as_well():
    assert similarity(estimate_psf(blurred(1 - page()), size=SIZE).psf.kernel, SHAKE.kernel) > 0.9


def test_the_two_tones_are_ink_and_paper():
    dark, bright = two_tones(page().flatten())
    assert dark == pytest.approx(30 / 255, abs=0.1)
    assert bright == pytest.approx(235 / 255, abs=0.1)
    assert two_tones(torch.full((9,), 0.4)) == pytest.approx((0.4, 0.4))


def test_the_tones_pull_pixels_to_themselves():
    canvas = Canvas.around(Observation.of(blurred(page()), 1.0), SIZE - 1)

    def explained(tones: float) -> float:
        latent = latent_step(canvas, SHAKE.kernel, 1e-2, tones=tones)[0][: canvas.inner[0], : canvas.inner[1]]
        dark, bright = two_tones(latent.flatten())
        left = torch.minimum((latent - dark).square(), (latent - bright).square()).mean()
        return float(1 - left / latent.var(correction=0))

    assert explained(10.0) > explained(0.0) + 0.02


def test_a_page_has_two_tones_and_many_strokes_and_a_photograph_has_not():
    seen = Canvas.around(Observation.of(blurred(page()), 1.0), SIZE - 1)
    found = look_of_print(seen, SHAKE.kernel, 0.005)
    assert found.tones > 0.82
    assert found.strokes > 0.04
    photo = torch.from_numpy(camera()[None, None, 100:356, 100:356] / 255).float()
    other = look_of_print(Canvas.around(Observation.of(blurred(photo), 1.0), SIZE - 1), SHAKE.kernel, 0.005)
    assert other.strokes < 0.028
    flat = Canvas.around(Observation(torch.full((64, 64), 0.5), torch.zeros(64, 64, dtype=torch.bool)), 16)
    assert look_of_print(flat, SHAKE.kernel, 0.0).strokes == 0


def test_a_photograph_is_not_asked_whether_it_is_a_page():
    photo = torch.from_numpy(camera()[None, None, 30:190, 130:290] / 255).float()
    tried = estimate_psf(blurred(photo, line(9, 30)), size=21).tried
    assert not any(trial.origin.startswith("two-tone") for trial in tried)


def lit(sharp: Tensor, least: float = 0.4) -> Tensor:
    """A lamp at its left: the light falls to a part of it at the right."""
    return sharp * least ** torch.linspace(0, 1, sharp.shape[-1])


def test_even_light_takes_what_falls_off_and_nothing_else():
    flat = Observation.of(lit(torch.full((1, 64, 64), 0.8)), 1.0)
    even, falls = flat.levelled()
    assert float(even.light.std()) < 0.01
    assert falls == pytest.approx(2.5, rel=0.05)
    written, unwritten = (Observation.of(made, 1.0).levelled()[0].light for made in (lit(page())[0], page()[0]))
    assert float((written / written.mean() - unwritten / unwritten.mean()).abs().mean()) < 0.05
    dark = Observation(torch.zeros(40, 40), torch.zeros(40, 40, dtype=torch.bool))
    assert dark.levelled()[1] == 1.0
    assert torch.equal(dark.levelled()[0].light, dark.light)
    burnt = Observation(torch.ones(40, 40), torch.ones(40, 40, dtype=torch.bool))
    assert burnt.levelled() == (burnt, 1.0)


def test_a_page_beside_a_lamp_is_found():
    found = estimate_psf(blurred(lit(page(), 0.6)), size=SIZE)
    assert similarity(found.psf.kernel, SHAKE.kernel) > 0.8
    assert found.confidence > 0.6
    assert found.origin.startswith("two-tone prior")


class Told(Race):
    """A race on a page that is blurred by ``SHAKE``, whose pages are known beforehand."""

    def __init__(self, pages: list[Hypothesis]) -> None:
        super().__init__(Observation.of(blurred(page()), 1.0), 0.005, lambda: None)
        self.pages = pages

    def climb(self, *starts):
        assert len(starts) == 2
        self.hypotheses += self.pages
        return self.pages


CANVAS = Canvas.around(Observation.of(blurred(page()), 1.0), 30)


def way(kernel: Tensor, gain: float, origin: str) -> Hypothesis:
    fit = Fit((Scale(1.0, kernel),), CANVAS, FIRM, 0.005)
    found = Hypothesis(origin, 31, fit, 1.0)
    vars(found)["gain"] = gain
    return found


RIGHT, WRONG = SHAKE.pad(31, 31).kernel, line(15, 70).pad(31, 31).kernel


@pytest.mark.parametrize(
    ("pages", "found", "before", "winner", "agreement"),
    [
        ([(RIGHT, 1.2), (RIGHT, 1.2)], (WRONG, 1.1), 0.5, "page", 1.0),
        ([(RIGHT, 1.2), (RIGHT, 1.2)], (RIGHT, 1.2), 0.5, "edges", 1.0),
        ([(RIGHT, 1.2), (RIGHT, 1.2)], (WRONG, 1.3), 0.5, "page", 1.0),
        ([(RIGHT, 1.2), (RIGHT, 1.2)], (WRONG, 1.45), 0.5, "edges", 0.5),
        ([(WRONG, 1.4), (WRONG, 1.4)], (RIGHT, 1.2), 0.5, "edges", 0.5),
        ([(RIGHT, 1.07), (RIGHT, 1.07)], (WRONG, 1.05), 0.5, "edges", 0.5),
        ([(RIGHT, 1.1), (RIGHT, 1.1)], (WRONG, 0.9), 0.5, "page", 1.0),
        ([(RIGHT, 1.2), (RIGHT, 1.2)], (RIGHT, 1.21), 0.99, "edges", 1.0),
    ],
    ids=[
        "it sharpens more",
        "it bears what was found witness",
        "it sharpens less, but is plainly of two tones",
        "it sharpens far less",
        "under its PSF there are not two tones",
        "it sharpens hardly",
        "it sharpens little, but more by far",
        "both agree",
    ],
)
def test_when_a_page_is_believed(pages, found, before, winner, agreement):
    race = Told([way(kernel, gain, "page") for kernel, gain in pages])
    best, said = read_as_page(race, [31], way(found[0], found[1], "edges"), before)
    assert best.origin == winner
    assert said == pytest.approx(agreement, abs=0.4 if winner == "edges" and agreement == 0.5 else 0.02)
