"""What the search for a PSF answers."""

from dataclasses import dataclass, replace

from nightsharp.methods.map_psf.confidence import Evidence
from nightsharp.methods.map_psf.pyramid import Scale
from nightsharp.optics import Psf


@dataclass(frozen=True)
class Trial:
    """One attempt at the PSF.

    Attributes:
        origin: its start and prior, in words.
        size: side of its window, pixels.
        gain: how much it sharpens; above 1 the sharp image is sparser than under a point.
    """

    origin: str
    size: int
    gain: float


@dataclass(frozen=True)
class PsfEstimate:
    """What a blurred photograph tells about its blur.

    Attributes:
        psf: the estimated PSF.
        confidence: how far to trust it, in [0, 1]; a photograph without visible blur has a PSF of about one pixel.
        noise_sigma: standard deviation of the noise that was assumed, in the range of the photograph.
        size: side of the window the PSF was sought in, pixels.
        evidence: what the confidence was weighed from.
        scales: the PSF on every scale, coarsest first.
        origin: the start and prior that led to it, in words.
        tried: what competed, in the order of the attempts.
    """

    psf: Psf
    confidence: float
    noise_sigma: float
    size: int
    evidence: Evidence
    scales: tuple[Scale, ...]
    origin: str
    tried: tuple[Trial, ...]

    def nearer(self, times: int) -> "PsfEstimate":
        """As found in a photograph ``times`` as large on a side, but for the PSF itself."""
        if times == 1:
            return self
        where = f", at 1/{times} of the size"
        return replace(
            self,
            size=self.size * times,
            scales=tuple(Scale(scale.scale / times, scale.kernel) for scale in self.scales),
            origin=self.origin + where,
            tried=tuple(Trial(trial.origin + where, trial.size * times, trial.gain) for trial in self.tried),
        )
