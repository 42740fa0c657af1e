"""How good an image is: one value per image, each metric in its own file."""

from nightsharp.evaluation.metrics.delta_e import delta_e
from nightsharp.evaluation.metrics.error_ratio import spectral_ratio, ssd_ratio
from nightsharp.evaluation.metrics.lpips import Lpips, convert_lpips, lpips
from nightsharp.evaluation.metrics.ms_ssim import ms_ssim
from nightsharp.evaluation.metrics.niqe import NaturalModel, niqe
from nightsharp.evaluation.metrics.psnr import decibel, psnr
from nightsharp.evaluation.metrics.ringing import ringing
from nightsharp.evaluation.metrics.sharpness import sharpness
from nightsharp.evaluation.metrics.ssim import ssim
from nightsharp.methods.map_psf import similarity as psf_similarity

__all__ = [
    "Lpips",
    "NaturalModel",
    "convert_lpips",
    "decibel",
    "delta_e",
    "lpips",
    "ms_ssim",
    "niqe",
    "psf_similarity",
    "psnr",
    "ringing",
    "sharpness",
    "spectral_ratio",
    "ssd_ratio",
    "ssim",
]
