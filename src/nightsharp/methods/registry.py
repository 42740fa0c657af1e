"""The methods, by name: what each needs, in which light it works, where it comes from."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

from torch import Tensor

from nightsharp.errors import UsageError


@dataclass(frozen=True)
class MethodSpec:
    """What the rest of the house needs to know about a method.

    Attributes:
        name: as users type it.
        summary: one line for lists and help.
        source: the paper.
        needs_psf: the method restores with a given PSF.
        light: the domain it works in; ``restore`` converts a photograph to it.
        entry: ``module:function``; called as
            ``function(blurred, psf, sigma=, strength=, clip=, contrast=, weight=, tolerance=, progress=, cancel=)`` on
            ``(batch, channel, height, width)``, returning the same shape; with ``network=`` besides where it is
            ``learned``, and ``start=`` where it has one.
        floats: float32 values per pixel and channel of a tile that the process holds for it, with what the system's
            allocator keeps; measured on tiles of 1250 x 1250. Of a network, that whose weights ship.
        floats_at_most: the same with weights of the paper's size, which may be given; None where none are larger.
        halo: sides of the PSF that a tile needs around it so that it comes out as in the whole.
        apart: channels do not know of each other, so that they can be restored one after the other.
        learned: it runs a network; shipped weights bear the method's name.
        start: the method whose result it takes as ``start=``.
        prior: the shipped weights of a second, small network, which it takes as ``prior=``.
        reach: pixels that a tile needs around it besides: the receptive field of the network.
        borders: it makes up its own mind about what lies beyond the photograph's edges; else tiles get a rim there.
        statistics: ``module:function keyword``: what it measures over a whole photograph, as
            ``function(read_rows, size, psf, network=)``, without ``psf`` where none is needed, and the keyword by which
            each tile is told.
    """

    name: str
    summary: str
    source: str
    needs_psf: bool
    light: Literal["linear", "display"]
    entry: str
    floats: float
    halo: float
    apart: bool = False
    learned: bool = False
    start: str | None = None
    prior: str | None = None
    reach: int = 0
    borders: bool = False
    statistics: str | None = None
    floats_at_most: float | None = None

    def load(self) -> Callable[..., Tensor]:
        """Import the method's function; nothing of it is imported before."""
        module, function = self.entry.split(":")
        return getattr(import_module(module), function)


METHODS: dict[str, MethodSpec] = {
    spec.name: spec
    for spec in (
        MethodSpec(
            name="wiener",
            summary="one division in the Fourier domain, regularised by gradients; the fastest",
            source="Wiener 1949; Hunt 1973",
            needs_psf=True,
            light="linear",
            entry="nightsharp.methods.wiener:wiener",
            floats=32,
            halo=14,
            apart=True,
        ),
        MethodSpec(
            name="richardson_lucy",
            summary="photon-counting iteration, saturation-aware; gentle with lamps",
            source="Richardson 1972, Lucy 1974; Whyte et al. 2014",
            needs_psf=True,
            light="linear",
            entry="nightsharp.methods.richardson_lucy:richardson_lucy",
            floats=32,
            halo=4,
        ),
        MethodSpec(
            name="total_variation",
            summary="piecewise smooth result, good under strong noise",
            source="Rudin et al. 1992; ADMM after Almeida and Figueiredo 2013",
            needs_psf=True,
            light="linear",
            entry="nightsharp.methods.total_variation:total_variation",
            floats=38,
            halo=5,
        ),
        MethodSpec(
            name="hyper_laplacian",
            summary="sparse first and second derivatives; the best of the classical methods",
            source="Levin et al. 2007; Krishnan and Fergus 2009",
            needs_psf=True,
            light="linear",
            entry="nightsharp.methods.hyper_laplacian:hyper_laplacian",
            floats=48,
            halo=5,
        ),
        MethodSpec(
            name="nightwiener",
            summary="the hyper-Laplacian result, corrected by a small network; the best with a known PSF",
            source="this project",
            needs_psf=True,
            light="linear",
            entry="nightsharp.methods.nightwiener:nightwiener",
            floats=60,
            halo=5,
            learned=True,
            start="hyper_laplacian",
            prior="nightprior",
            reach=112,
            statistics="nightsharp.methods.nightwiener:fineness scene",
        ),
        MethodSpec(
            name="dwdn",
            summary="learned features, deconvolved one by one and refined at two scales",
            source="Dong, Roth, Schiele, NeurIPS 2020",
            needs_psf=True,
            light="display",
            entry="nightsharp.methods.dwdn:dwdn",
            floats=134,
            halo=5,
            learned=True,
            reach=96,
            borders=True,
            statistics="nightsharp.methods.dwdn:measure nsr",
        ),
        MethodSpec(
            name="infwide",
            summary="deconvolves the denoised image and learned features, and fuses both; for noise and lamps",
            source="Zhang et al., IEEE TIP 2023",
            needs_psf=True,
            light="display",
            entry="nightsharp.methods.infwide:infwide",
            floats=120,
            floats_at_most=226,
            halo=5,
            learned=True,
            reach=96,
            borders=True,
            statistics="nightsharp.methods.infwide:measure statistics",
        ),
        MethodSpec(
            name="darkdeblur",
            summary="one pass of a network that needs no PSF",
            source="Sharif et al., Expert Systems with Applications 2023",
            needs_psf=False,
            light="display",
            entry="nightsharp.methods.darkdeblur:darkdeblur",
            floats=102,
            halo=0,
            learned=True,
            reach=144,
            borders=True,
            statistics="nightsharp.methods.darkdeblur:measure means",
        ),
    )
}


def list_methods() -> tuple[MethodSpec, ...]:
    """All methods, in the order of the documentation.

    Example:
        >>> [spec.name for spec in list_methods()][:2]
        ['wiener', 'richardson_lucy']
    """
    return tuple(METHODS.values())


def get_method(name: str) -> MethodSpec:
    """The method of that name.

    Raises:
        UsageError: there is none; the message offers the nearest.

    Example:
        >>> get_method("wiener").needs_psf
        True
    """
    if name not in METHODS:
        near = difflib.get_close_matches(name, METHODS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(METHODS)}."
        raise UsageError(f"method {name!r} is unknown. {hint}")
    return METHODS[name]
