"""A large photograph in pieces is the same photograph."""

import pytest
import skimage.data
import torch

from nightsharp.methods import get_method
from nightsharp.methods._blocks import measured_contrast
from nightsharp.optics import Blur, disk, line
from nightsharp.restore.tiles import Place, in_tiles, spans

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


def test_a_local_operation_in_tiles_is_the_operation_on_the_whole():
    image = torch.rand(1, 3, 400, 310, generator=torch.Generator().manual_seed(0))
    blur = Blur(line(21, 30), boundary="replicate")
    tiled = in_tiles(image, lambda tile, _place: blur(tile), halo=(24, 24), core=128)
    assert torch.allclose(tiled, blur(image), atol=1e-5)


def test_each_tile_knows_its_place():
    image = torch.rand(1, 1, 300, 300)
    seen = []

    def note(tile: torch.Tensor, place: Place) -> torch.Tensor:
        assert torch.equal(tile, image[..., place.rows, place.columns])
        seen.append((place.number, place.count))
        return tile

    in_tiles(image, note, halo=(4, 4), core=128)
    assert sorted(seen) == [(n, 4) for n in range(4)]


def test_a_failing_tile_stops_the_others():
    begun = []

    def fail(tile: torch.Tensor, place: Place) -> torch.Tensor:
        begun.append(place.number)
        if place.number == 0:
            raise RuntimeError("tile 0")
        place.stopping.wait(10)
        assert place.stopping.is_set()
        return tile

    with pytest.raises(RuntimeError, match="tile 0"):
        in_tiles(torch.zeros(1, 1, 1200, 1200), fail, halo=(4, 4), core=128)
    assert len(begun) < 64


def test_the_number_of_threads_is_as_before():
    before = torch.get_num_threads()
    in_tiles(torch.zeros(1, 1, 300, 300), lambda tile, _place: tile, halo=(4, 4), core=128)
    assert torch.get_num_threads() == before


def test_a_tile_is_bounded_however_large_the_photograph():
    sizes = []

    def note(tile: torch.Tensor, _place: Place) -> torch.Tensor:
        sizes.append(tile.shape[-2] * tile.shape[-1])
        return tile

    in_tiles(torch.zeros(1, 1, 3000, 4000), note, halo=(40, 40))
    assert max(sizes) < 1.6e6


@pytest.mark.parametrize("name", ["wiener", "total_variation", "hyper_laplacian"])
def test_tiles_with_the_statistics_of_the_whole_give_the_whole(name):
    """The left half is flat, the right half is not: tiles that measured themselves would disagree."""
    image = torch.from_numpy(skimage.data.camera()[100:400, 60:460]).float()[None, None] / 255
    image[..., :200] = 0.5 + 0.05 * image[..., :200]
    psf = disk(3)
    blurred = Blur(psf, "replicate")(image)
    method, contrast = get_method(name).load(), measured_contrast(blurred)

    def gap(statistic: torch.Tensor | None) -> float:
        def restore(tile: torch.Tensor, _place: Place | None = None) -> torch.Tensor:
            return method(tile, psf.kernel[None, None], sigma=0.01, contrast=statistic, tolerance=0.0)

        tiled = in_tiles(blurred, restore, halo=(24, 24), core=150)
        return float((tiled - restore(blurred)).square().mean().sqrt())

    assert gap(contrast) < 1 / 255
    assert gap(contrast) < 0.5 * gap(None)
