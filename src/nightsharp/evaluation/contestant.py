"""One method on one image of a set, given what it may know."""

import time
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from nightsharp.errors import WeightsError
from nightsharp.evaluation.benchmarks import Pair
from nightsharp.evaluation.own_weights import WeightFile
from nightsharp.methods import MethodSpec, get_method
from nightsharp.methods.map_psf import PsfEstimate
from nightsharp.optics import Psf
from nightsharp.restore import Restoration, deblur, estimate_psf

AUTO = "auto"
"""The route that users get, guard included; the other names run their method alone."""

REFERENCE = "hyper_laplacian"
"""Restores with the true PSF where a method that takes no PSF needs an error ratio."""

MEMORY = "8GB"
"""The same everywhere: tiles follow from it, and a restoration in other tiles differs in its last digits."""


class Estimation:
    """The PSF of one image, found when first asked for and shared by the methods that need it."""

    def __init__(self, blurred: Tensor) -> None:
        self._blurred = blurred
        self.seconds = 0.0

    @cached_property
    def found(self) -> PsfEstimate:
        """The estimate.

        Raises:
            PhotoError: the image is too small to show a PSF.
        """
        start = time.perf_counter()
        estimate = estimate_psf(self._blurred)
        self.seconds = time.perf_counter() - start
        return estimate


@dataclass(frozen=True)
class Answer:
    """What a method made of an image.

    Attributes:
        sharp: the result.
        psf: the PSF it found or was given by the estimator; None when it had the true one or knows of none.
        known: what it was given: ``"true PSF"``, ``"estimated PSF"``, ``"image only"``.
        seconds: of the restoration and, where one was made, the estimate.
    """

    sharp: Tensor
    psf: Psf | None
    known: str
    seconds: float


def method_spec(name: str) -> MethodSpec | None:
    """The method's entry in the registry; None for ``"auto"``.

    Raises:
        UsageError: there is no such method.
    """
    return None if name == AUTO else get_method(name)


def restore(name: str, pair: Pair, *, blind: bool, estimation: Estimation, weights: WeightFile | None = None) -> Answer:
    """Run a method on an image.

    Args:
        name: a method, or ``"auto"``.
        pair: the image; its PSF is given to the method unless ``blind``.
        blind: hide the true PSF.
        estimation: the image's estimated PSF, for methods that need one and are not given it.
        weights: of the method; None takes the shipped ones.

    Raises:
        WeightsError: the weight file is not the one that was chosen any more.
        NightsharpError: whatever the method refuses.
    """
    spec = method_spec(name)
    true_psf = None if blind else pair.psf
    start = time.perf_counter()
    if spec is None:
        out = deblur(pair.blurred, psf=true_psf, max_memory=MEMORY)
        return Answer(out.sharp, None if true_psf else out.psf, _known(true_psf), time.perf_counter() - start)
    if not spec.needs_psf:
        out = _alone(name, pair, None, weights)
        return Answer(out.sharp, None, "image only", time.perf_counter() - start)
    psf = estimation.found.psf if true_psf is None else true_psf
    start = time.perf_counter()
    out = _alone(name, pair, psf, weights)
    seconds = time.perf_counter() - start
    if true_psf is None:
        return Answer(out.sharp, psf, "estimated PSF", seconds + estimation.seconds)
    return Answer(out.sharp, None, _known(true_psf), seconds)


def with_true_psf(name: str, pair: Pair, weights: WeightFile | None = None) -> Tensor:
    """The same method with the true PSF, for the error ratio; the reference method where it takes none."""
    assert pair.psf is not None
    spec = method_spec(name)
    takes_psf = spec is not None and spec.needs_psf
    if takes_psf:
        return _alone(name, pair, pair.psf, weights).sharp
    return _alone(REFERENCE, pair, pair.psf, None).sharp


def _alone(name: str, pair: Pair, psf: Psf | None, weights: WeightFile | None) -> Restoration:
    """The method without the guard."""
    file = None if weights is None else weights.file
    out = deblur(pair.blurred, method=name, weights=file, psf=psf, guard=False, max_memory=MEMORY)
    if weights is not None and out.report["weights"]["sha256"] != weights.sha256:
        # a training that still runs may write its file anew
        raise WeightsError(f"{weights.file} was replaced during the run. Copy it, and measure the copy.")
    return out


def _known(psf: Psf | None) -> str:
    return "image only" if psf is None else "true PSF"
