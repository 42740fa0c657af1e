"""DarkDeblurNet: a blurred photograph in, a sharp one out, in one pass and without a PSF."""

from nightsharp.methods.darkdeblur.discriminator import Discriminator
from nightsharp.methods.darkdeblur.network import DarkDeblurNet
from nightsharp.methods.darkdeblur.restore import darkdeblur, measure

__all__ = ["DarkDeblurNet", "Discriminator", "darkdeblur", "measure"]
