"""Blind estimation of the PSF by alternating a sharp-image step and a PSF step, coarse to fine."""

from nightsharp.methods.map_psf.answer import PsfEstimate, Trial
from nightsharp.methods.map_psf.confidence import Evidence, similarity
from nightsharp.methods.map_psf.estimate import LARGEST_SIZE, estimate_psf, refine_psf
from nightsharp.methods.map_psf.light_streak import StreakEstimate, from_light_streak, streak_candidates
from nightsharp.methods.map_psf.pair import PairEstimate, from_pair
from nightsharp.methods.map_psf.pyramid import Scale

__all__ = [
    "LARGEST_SIZE",
    "Evidence",
    "PairEstimate",
    "PsfEstimate",
    "Scale",
    "StreakEstimate",
    "Trial",
    "estimate_psf",
    "from_light_streak",
    "from_pair",
    "refine_psf",
    "similarity",
    "streak_candidates",
]
