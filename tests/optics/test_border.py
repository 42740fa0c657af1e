"""Beyond the border: the index rules, and a taper that keeps a circular filter calm."""

import numpy as np
import pytest
import skimage.data
import torch
from torch import Tensor

from nightsharp.errors import PsfError
from nightsharp.optics import Blur, Psf, disk, edge_taper, gaussian, line, psf_to_otf, shake
from nightsharp.optics.border import border_index


@pytest.mark.parametrize(("mode", "numpy_mode"), [("replicate", "edge"), ("reflect", "reflect")])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (2, 3), (4, 4), (13, 9)])
@pytest.mark.parametrize("length", [1, 2, 5])
def test_the_index_rules_are_those_of_numpy_however_wide_the_margin(length, before, after, mode, numpy_mode):
    expected = np.pad(np.arange(length), (before, after), mode=numpy_mode)
    assert border_index(length, before, after, mode).tolist() == expected.tolist()


def _wiener(blurred: Tensor, psf: Tensor, nsr: float) -> Tensor:
    """The textbook filter, which takes the picture for a tile of an endless wall."""
    size = (blurred.shape[-2], blurred.shape[-1])
    otf = psf_to_otf(psf, size)
    return torch.fft.irfft2(torch.fft.rfft2(blurred) * otf.conj() / (otf.abs().square() + nsr), s=size)


PSFS = [
    line(15, angle=20),
    line(12),
    disk(5),
    gaussian(2.0),
    shake(17, generator=torch.Generator().manual_seed(2)),
]


class TestEdgeTaper:
    @pytest.mark.parametrize("psf", PSFS, ids=str)
    @pytest.mark.parametrize("picture", ["camera", "coffee"])
    def test_it_lowers_the_error_of_a_circular_filter_in_the_border_and_inside(self, psf: Psf, picture, generator):
        pixels = np.atleast_3d(getattr(skimage.data, picture)()[100:292, 60:268]) / 255
        sharp = torch.from_numpy(pixels).permute(2, 0, 1)[None]
        blurred = Blur(psf, "replicate")(sharp)
        blurred = blurred + 0.002 * torch.randn(blurred.shape, dtype=blurred.dtype, generator=generator)
        kernel = psf.kernel[None, None].double()
        plain, tapered = (_wiener(y, kernel, 1e-3) - sharp for y in (blurred, edge_taper(blurred, kernel)))
        margin = max(psf.size)
        inside = (..., slice(margin, -margin), slice(margin, -margin))
        # tapering gives up the outermost pixels and saves the rest: count both
        assert float(tapered.square().mean()) < 0.1 * float(plain.square().mean())
        assert float(tapered[inside].square().mean()) < float(plain[inside].square().mean())

    def test_it_leaves_alone_what_is_farther_from_the_border_than_the_psf_is_long(self, kernel, generator):
        image = torch.rand(2, 3, 80, 90, generator=generator)
        height, width = kernel.shape[-2:]
        inside = (..., slice(height, -height), slice(width, -width))
        torch.testing.assert_close(edge_taper(image, kernel)[inside], image[inside])

    def test_it_treats_the_four_sides_alike(self, generator):
        image = torch.rand(1, 1, 40, 50, generator=generator)
        kernel = gaussian(2.0).kernel[None, None]
        for sides in ([-1], [-2], [-2, -1]):
            mirrored = edge_taper(image.flip(sides), kernel).flip(sides)
            torch.testing.assert_close(mirrored, edge_taper(image, kernel))

    def test_opposite_sides_meet_without_a_step(self):
        ramp = torch.linspace(0, 1, 64).expand(1, 1, 64, 64)
        kernel = disk(5).kernel[None, None]
        tapered = edge_taper(ramp, kernel)
        step = (tapered[..., 0] - tapered[..., -1]).abs().max()
        assert float(step) < 0.2

    def test_it_keeps_shape_and_dtype_and_the_range(self, kernel, image):
        tapered = edge_taper(image, kernel)
        assert (tapered.shape, tapered.dtype) == (image.shape, image.dtype)
        assert 0 <= float(tapered.min()) <= float(tapered.max()) <= 1

    def test_a_psf_larger_than_the_image_is_refused(self):
        with pytest.raises(PsfError, match=r"9 x 9, larger than the image \(8 x 20\)"):
            edge_taper(torch.rand(1, 1, 8, 20), torch.ones(1, 1, 9, 9) / 81)
