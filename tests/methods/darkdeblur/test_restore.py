"""DarkDeblurNet as a method, on whatever users bring."""

import pytest
import torch
from seeded import network, random

from nightsharp.errors import Cancelled, UsageError
from nightsharp.methods.darkdeblur import darkdeblur, measure, restore


@pytest.mark.parametrize("size", [(1, 1), (3, 70), (8, 8), (45, 61), (64, 64)], ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_comes_back_at_its_size(size, channels):
    image = random(2, channels, *size)
    sharp = darkdeblur(image, network=network())
    assert sharp.shape == image.shape
    assert bool(sharp.isfinite().all())
    assert 0 <= float(sharp.min()) <= float(sharp.max()) <= 1


def test_a_size_that_fits_goes_in_as_it_is():
    image, made = random(1, 3, 40, 48), network()
    with torch.no_grad():
        torch.testing.assert_close(darkdeblur(image, network=made), made(image))


def test_a_psf_is_not_looked_at():
    image, made = random(1, 3, 24, 24), network()
    with_psf = darkdeblur(image, random(1, 1, 5, 5), network=made, sigma=0.02, strength=2.0)
    torch.testing.assert_close(with_psf, darkdeblur(image, network=made))


@pytest.mark.parametrize("arguments", [{}, {"faithful": True}, {"variant": "nightsharp"}], ids=str)
def test_tiles_told_of_the_whole_photograph_are_the_whole_restored(arguments, monkeypatch):
    # bright above and dark below, so that no tile has the means of the whole
    made, image = network(**arguments), random(1, 3, 301, 24) * torch.linspace(1, 0, 301)[:, None]
    whole = darkdeblur(image, network=made)
    monkeypatch.setattr(restore, "_BAND", 152)
    means = measure(lambda rows: image[..., rows, :], (301, 24), network=made)
    assert len(means) == 6 + 6 * bool(arguments.get("faithful"))
    tiles = [
        darkdeblur(image[..., :296, :], network=made, means=means)[..., :152, :],
        darkdeblur(image[..., 8:, :], network=made, means=means)[..., 144:, :],
    ]
    torch.testing.assert_close(torch.cat(tiles, dim=-2), whole, rtol=0, atol=2e-5)
    alone = darkdeblur(image[..., :152, :], network=made)[..., :8, :]
    assert float((alone - whole[..., :8, :]).abs().max()) > 2e-4


def test_work_can_be_watched_and_stopped():
    seen = []
    darkdeblur(random(1, 3, 16, 16), network=network(), progress=lambda step, most: seen.append((step, most)))
    assert seen[-1] == (1, 1)
    with pytest.raises(Cancelled):
        darkdeblur(random(1, 3, 16, 16), network=network(), cancel=lambda: True)


def test_what_cannot_be_restored_is_refused():
    with pytest.raises(UsageError, match="the image has 4 channels, the network takes 3"):
        darkdeblur(random(1, 4, 16, 16), network=network())
    with pytest.raises(UsageError, match="strength"):
        darkdeblur(random(1, 3, 16, 16), network=network(), strength=0.0)
