"""PSFs by formula: motion along a line, defocus, Gaussian, and a simple hand-shake path."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from nightsharp.errors import PsfError
from nightsharp.optics.psf import Psf

_OVERSAMPLING = 16
_LARGEST = 1000


def line(length: float, angle: float = 0.0) -> Psf:
    """Uniform motion along a straight line.

    Args:
        length: the path in pixels, from end to end, 0 to 1,000; 0 is no motion.
        angle: degrees, anticlockwise from the horizontal.

    Returns:
        The PSF, its sides odd.

    Raises:
        PsfError: ``length`` is out of its range, or ``angle`` is not finite.

    Example:
        >>> line(4).kernel.shape
        torch.Size([1, 5])
        >>> line(4, angle=90).kernel.shape
        torch.Size([5, 1])
    """
    _check("length", length, least=0)
    turn = _radians("angle", angle)
    count = max(1, math.ceil(length * _OVERSAMPLING))
    steps = ((torch.arange(count, dtype=torch.float64) + 0.5) / count - 0.5) * length
    return path(torch.stack([-steps * math.sin(turn), steps * math.cos(turn)], dim=1))


def path(points: Float[Tensor, "points 2"]) -> Psf:
    """The PSF of a light that spends the same time at each of the points (rows, columns; pixels from the centre).

    Each point is shared among its four neighbours by bilinear weights.

    Args:
        points: at least one; rows count downwards, up to 1,000 pixels from the centre.

    Returns:
        The PSF, its sides odd; its centroid is the mean of the points.

    Raises:
        PsfError: there is no point, or one is not finite or farther than 1,000 pixels away.

    Example:
        >>> path(torch.tensor([[0.0, 0.0], [0.0, 1.0]])).kernel
        tensor([[0.0000, 0.5000, 0.5000]])
    """
    points = points.detach().double().cpu()
    if not points.numel():
        raise PsfError("the path has no points; give at least one.")
    farthest = float(points.abs().max())
    if not farthest <= _LARGEST:
        raise PsfError(f"the path reaches {farthest} pixels from the centre; it must stay within {_LARGEST:,}.")
    # a coordinate of 1e-17 off the pixel must not open a new row
    reach = [math.ceil(float(points[:, axis].abs().max()) - 1e-6) for axis in (0, 1)]
    size = [2 * r + 1 for r in reach]
    kernel = torch.zeros(size[0] + 1, size[1] + 1, dtype=torch.float64)
    place = points + torch.tensor(reach, dtype=torch.float64)
    corner = place.floor().clamp_min(0)
    part = (place - corner).clamp(0, 1)
    row, column = corner.long().unbind(1)
    for down in (0, 1):
        for right in (0, 1):
            weight = (part[:, 0] if down else 1 - part[:, 0]) * (part[:, 1] if right else 1 - part[:, 1])
            kernel.index_put_((row + down, column + right), weight, accumulate=True)
    return Psf.from_tensor(kernel[:-1, :-1].float())


def disk(radius: float) -> Psf:
    """Defocus of an ideal round aperture: a disk of even light.

    Args:
        radius: pixels, 0 to 1,000; up to half a pixel is no blur.

    Returns:
        The PSF, its sides odd; each tap is the part of the pixel that the disk covers.

    Raises:
        PsfError: ``radius`` is out of its range.

    Example:
        >>> disk(2).kernel.shape
        torch.Size([5, 5])
    """
    _check("radius", radius, least=0)
    return _coverage(radius, lambda y, x: torch.hypot(y, x) - radius)


def defocus(radius: float, blades: int = 7, rotation: float = 0.0) -> Psf:
    """Defocus of a lens whose aperture is a regular polygon, as stopped-down lenses draw lamps.

    Args:
        radius: of the circle through the corners, pixels, 0 to 1,000.
        blades: aperture blades, 3 to 1,000.
        rotation: degrees, anticlockwise; at 0 a corner points to the right.

    Returns:
        The PSF, its sides odd; each tap is the part of the pixel that the polygon covers.

    Raises:
        PsfError: a value is out of its range.

    Example:
        >>> defocus(4, blades=6).kernel.shape
        torch.Size([7, 9])
    """
    _check("radius", radius, least=0)
    _check("blades", blades, least=3)
    turn = _radians("rotation", rotation)
    sector = 2 * math.pi / blades

    def beyond_edge(y: Tensor, x: Tensor) -> Tensor:
        bearing = (torch.atan2(-y, x) - turn) % sector - sector / 2
        return torch.hypot(y, x) * bearing.cos() - radius * math.cos(sector / 2)

    return _coverage(radius, beyond_edge)


def gaussian(sigma: float) -> Psf:
    r"""A Gaussian, cut at four sigma.

    .. math:: k(y, x) \propto \exp\!\left( -\frac{y^2 + x^2}{2 \sigma^2} \right)

    Args:
        sigma: pixels, 0.001 to 250.

    Returns:
        The PSF, its sides odd.

    Raises:
        PsfError: ``sigma`` is out of its range.

    Example:
        >>> gaussian(1.0).kernel.shape
        torch.Size([9, 9])
    """
    _check("sigma", sigma, least=1e-3, most=250)
    reach = math.ceil(4 * sigma)
    place = torch.arange(-reach, reach + 1, dtype=torch.float64)
    profile = torch.exp(-0.5 * (place / sigma) ** 2)
    return Psf.from_tensor(torch.outer(profile, profile).float())


def shake(extent: float, *, generator: torch.Generator | None = None) -> Psf:
    """A hand-held exposure: a smooth random path, scaled to the wanted extent.

    The velocity is a random walk that forgets, so that the path bends, lingers and crosses itself as hands do.

    Args:
        extent: the longer side of the path's bounding box, pixels, 1 to 1,000.
        generator: the source of randomness, on the CPU; torch's default when None.

    Returns:
        The PSF, centred, its sides odd.

    Raises:
        PsfError: ``extent`` is out of its range.

    Example:
        >>> max(shake(15, generator=torch.Generator().manual_seed(1)).quality().support) <= 17
        True
    """
    _check("extent", extent, least=1)
    steps = 64 * math.ceil(extent)
    kicks = torch.randn(steps, 2, generator=generator, dtype=torch.float64)
    memory = torch.exp(-torch.arange(steps, dtype=torch.float64) / (steps / 6))
    spectrum = torch.fft.rfft(kicks, n=2 * steps, dim=0) * torch.fft.rfft(memory, n=2 * steps)[:, None]
    track = torch.fft.irfft(spectrum, n=2 * steps, dim=0)[:steps].cumsum(0)
    low, high = track.amin(0), track.amax(0)
    return path((track - (low + high) / 2) * (extent / float((high - low).max()))).centred()


def _coverage(radius: float, beyond_edge: Callable[[Tensor, Tensor], Tensor]) -> Psf:
    """How much of each pixel lies inside a shape, given the distance beyond its edge (negative inside)."""
    reach = math.ceil(radius)
    place = torch.arange(-reach, reach + 1, dtype=torch.float64)
    y, x = torch.meshgrid(place, place, indexing="ij")
    outside = beyond_edge(y, x)
    kernel = (outside < 0).double()
    # only a pixel within half a diagonal of the edge is cut by it; it is sampled on a fine grid
    cut = outside.abs() < math.sqrt(0.5)
    fine = (torch.arange(_OVERSAMPLING, dtype=torch.float64) + 0.5) / _OVERSAMPLING - 0.5
    inside = beyond_edge(y[cut][:, None, None] + fine[:, None], x[cut][:, None, None] + fine) <= 0
    kernel[cut] = inside.double().mean(dim=(1, 2))
    if not bool(kernel.any()):
        kernel[reach, reach] = 1
    return Psf.from_tensor(kernel.float()).trim(0)


def _check(name: str, value: float, *, least: float, most: float = _LARGEST) -> None:
    if not least <= value <= most:
        raise PsfError(f"{name} is {value}; it must lie between {least:g} and {most:,g}.")


def _radians(name: str, degrees: float) -> float:
    if not math.isfinite(degrees):
        raise PsfError(f"{name} is {degrees}; give degrees, anticlockwise.")
    return math.radians(degrees)
