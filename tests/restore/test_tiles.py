"""A large photograph in pieces is the same photograph."""

import time
from threading import Event

import pytest
import skimage.data
import torch

from nightsharp.methods import get_method
from nightsharp.methods._blocks import measured_contrast
from nightsharp.optics import Blur, disk, line, shake
from nightsharp.restore.function import function_of, network_of, statistics_of, usable_methods
from nightsharp.restore.given import Given
from nightsharp.restore.plan import Work, halo_of
from nightsharp.restore.rim import with_rim, without_rim
from nightsharp.restore.tiles import CORE, Place, in_tiles, spans


def tiled(image: torch.Tensor, restore, **options) -> torch.Tensor:
    """The bands that come out, put together."""
    bands = list(in_tiles((image.shape[-2], image.shape[-1]), restore, **options))
    assert [rows.start for rows, _ in bands] == [0, *(rows.stop for rows, _ in bands[:-1])]
    assert bands[-1][0].stop == image.shape[-2]
    return torch.cat([band for _, band in bands], dim=-2)


AXES = [(1, 64), (63, 64), (100, 50), (1000, 128), (1001, 128), (4032, 1024), (257, 8)]


@pytest.mark.parametrize(("length", "core"), AXES)
@pytest.mark.parametrize("halo", [0, 5, 90])
class TestSpanLaws:
    def test_weights_sum_to_one_everywhere(self, length, core, halo):
        total = torch.zeros(length)
        for span in spans(length, core, halo):
            total[span.start : span.stop] += span.weight
        assert torch.allclose(total, torch.ones(length), atol=1e-6)

    def test_weights_lie_between_zero_and_one(self, length, core, halo):
        for span in spans(length, core, halo):
            assert span.weight.shape == (span.stop - span.start,)
            assert bool((span.weight >= -1e-6).all())
            assert bool((span.weight <= 1 + 1e-6).all())

    def test_the_halo_has_no_weight(self, length, core, halo):
        for span in spans(length, core, halo):
            if span.start > 0:
                assert bool((span.weight[:halo].abs() < 1e-6).all())
            if span.stop < length:
                assert bool((span.weight[span.weight.shape[0] - halo :].abs() < 1e-6).all())


@pytest.mark.parametrize("parallel", [1, 3])
def test_a_local_operation_in_tiles_is_the_operation_on_the_whole(parallel):
    image = torch.rand(1, 3, 400, 310, generator=torch.Generator().manual_seed(0))
    blur = Blur(line(21, 30), boundary="replicate")

    def restore(place: Place) -> torch.Tensor:
        return blur(image[..., place.rows, place.columns])

    out = tiled(image, restore, halo=(24, 24), core=128, parallel=parallel)
    assert torch.allclose(out, blur(image), atol=1e-5)


@pytest.mark.parametrize("size", [(100, 97), (128, 4000), (1333, 129)])
def test_whatever_the_size_each_row_comes_once(size):
    image = torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(0))
    out = tiled(image, lambda place: image[..., place.rows, place.columns], halo=(9, 9), core=100, parallel=2)
    assert torch.allclose(out, image, atol=1e-6)


def test_each_tile_knows_its_place():
    image = torch.rand(1, 1, 300, 300)
    seen = []

    def note(place: Place) -> torch.Tensor:
        seen.append((place.number, place.count))
        return image[..., place.rows, place.columns]

    tiled(image, note, halo=(4, 4), core=128)
    assert sorted(seen) == [(n, 4) for n in range(4)]


def test_finished_tiles_do_not_pile_up():
    begun = []

    def note(place: Place) -> torch.Tensor:
        begun.append(place.number)
        return torch.zeros(1, 1, place.rows.stop - place.rows.start, place.columns.stop - place.columns.start)

    bands = in_tiles((2000, 100), note, halo=(4, 4), core=100, parallel=2)
    next(bands)
    time.sleep(0.2)
    assert len(begun) < 8
    bands.close()


def test_a_failing_tile_stops_the_others():
    begun = []

    def fail(place: Place) -> torch.Tensor:
        begun.append(place.number)
        if place.number == 0:
            raise RuntimeError("tile 0")
        place.stopping.wait(10)
        assert place.stopping.is_set()
        return torch.zeros(1, 1, 1, 1)

    with pytest.raises(RuntimeError, match="tile 0"):
        list(in_tiles((1200, 1200), fail, halo=(4, 4), core=128, parallel=2))
    assert len(begun) < 64


def test_the_number_of_threads_is_as_before():
    before = torch.get_num_threads()
    image = torch.zeros(1, 1, 300, 300)
    tiled(image, lambda place: image[..., place.rows, place.columns], halo=(4, 4), core=128, parallel=2)
    assert torch.get_num_threads() == before


def test_a_tile_is_bounded_however_large_the_photograph():
    for row in spans(30_000, CORE, 40):
        assert row.stop - row.start < 1250


def scene() -> torch.Tensor:
    """Half flat, half a photograph, and a few lamps: tiles that measured themselves would disagree."""
    image = torch.from_numpy(skimage.data.camera()).float()[None, None] / 255
    image = image.repeat(1, 1, 2, 2)[..., 100:700, 60:860].clone()
    image[..., :400] = 0.5 + 0.05 * image[..., :400]
    image[..., 100::97, 50::131] = 8.0
    return image


@pytest.mark.parametrize("name", [spec.name for spec in usable_methods()])
@pytest.mark.parametrize("psf", [disk(3), shake(11, generator=torch.Generator().manual_seed(0))], ids=str)
def test_tiles_with_the_halo_of_the_method_are_the_whole(name, psf):
    """Within 2 / 255; beside the photograph's own edge a lamp may make a few pixels differ by more."""
    generator = torch.Generator().manual_seed(1)
    clean = Blur(psf, "replicate")(scene())
    blurred = (clean + 0.01 * torch.randn(clean.shape, generator=generator)).clamp(0, 1)
    spec = get_method(name)
    network = network_of(spec)
    told = statistics_of(spec, network, Given(None, blurred[0], None), psf)
    method, contrast = function_of(spec, network, **told), measured_contrast(blurred)

    def restore(place: Place) -> torch.Tensor:
        tile, weight = with_rim(blurred[..., place.rows, place.columns], None, place, below=0.98)
        kernel = psf.kernel[None, None]
        out = method(tile, kernel, sigma=0.015, contrast=contrast, weight=weight, tolerance=0.0)
        return without_rim(out, place)

    work = Work((600, 800), 1, spec, psf.size, 0, 4, 0, threads=1)
    out = tiled(blurred, restore, halo=halo_of(work), core=200)
    whole = restore(Place(0, 1, (600, 800), slice(0, 600), slice(0, 800), Event()))
    gap = (out.clamp(0, 1) - whole.clamp(0, 1)).abs()
    assert float(gap[..., 16:-16, 16:-16].max()) < 2 / 255
    assert float((gap > 2 / 255).float().mean()) < 4e-4
