"""Blind estimation of the PSF by alternating a sharp-image step and a PSF step, coarse to fine."""

from nightsharp.methods.map_psf.confidence import Evidence, similarity
from nightsharp.methods.map_psf.estimate import LARGEST_SIZE, PsfEstimate, estimate_psf
from nightsharp.methods.map_psf.pyramid import Scale

__all__ = ["LARGEST_SIZE", "Evidence", "PsfEstimate", "Scale", "estimate_psf", "similarity"]
