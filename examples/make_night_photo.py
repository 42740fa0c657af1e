"""Make the shipped example: a hand-held shot in a dim cafe whose sharp truth is known.

The scene is scikit-image's bundled photograph of a cup of coffee (Rachel Michetti, CC0). In linear light it is
darkened to what little a cafe at night gives, a hand shakes, the sensor counts photons and saturates, and the camera
writes a JPEG. Run it from the repository's root:

    python examples/make_night_photo.py
"""

from pathlib import Path

import numpy as np
import skimage.data
import torch
from PIL import Image
from torch import Tensor

from nightsharp.optics import Blur, expose, shake
from nightsharp.photo import linear_to_srgb, srgb_to_linear

FOLDER = Path(__file__).parent
EXPOSURE = 0.3
PHOTONS = 3000.0
READ_NOISE = 0.001
EXTENT = 17
SEED = 11


def to_picture(linear: Tensor) -> Image.Image:
    """Eight-bit sRGB of a ``(1, 3, height, width)`` tensor."""
    values = linear_to_srgb(linear.clamp(0, 1))[0].mul(255).round().byte().permute(1, 2, 0).numpy()
    return Image.fromarray(np.ascontiguousarray(values))


def main() -> None:
    """Write the photograph, its truth and its PSF beside this script."""
    generator = torch.Generator().manual_seed(SEED)
    cafe = torch.from_numpy(skimage.data.coffee()).permute(2, 0, 1)[None].float() / 255
    scene = EXPOSURE * srgb_to_linear(cafe)
    psf = shake(EXTENT, generator=generator)
    # only pixels whose light all comes from inside the scene
    blurred = Blur(psf, boundary="valid")(scene)
    recorded = expose(blurred, photons=PHOTONS, read_noise=READ_NOISE, generator=generator)
    kh, kw = psf.size
    top, left = kh - 1 - kh // 2, kw - 1 - kw // 2
    truth = scene[..., top : top + blurred.shape[-2], left : left + blurred.shape[-1]]

    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "nightsharp", "night simulator"
    exif[0x0132] = "2024:11:21 21:40:00"
    exif.get_ifd(0x8769).update({0x829A: 0.5, 0x8827: 3200})
    to_picture(recorded).save(FOLDER / "night.jpg", quality=95, subsampling=0, exif=exif)
    to_picture(truth).save(FOLDER / "night-sharp-truth.png", optimize=True)
    psf.save(FOLDER / "night-psf.npy")
    for name in ("night.jpg", "night-sharp-truth.png", "night-psf.npy"):
        print(f"{FOLDER / name}  {(FOLDER / name).stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
