"""CMYK to RGB, by the photo's own profile where it brings one."""

import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from nightsharp.photo.container import Container


def rgb_from_cmyk(container: Container, image: Image.Image) -> UInt8[np.ndarray, "height width 3"]:
    """Convert a CMYK image to sRGB; the profile has then served and is dropped.

    Args:
        container: its profile is used and removed, a word is added to its notes.
        image: mode ``CMYK``, 0 is no ink.
    """
    from PIL import ImageCms

    profile, container.icc = container.icc, None
    if profile:
        try:
            given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            # relative colorimetric with black point compensation, as picture editors do by default
            converted = ImageCms.profileToProfile(
                image,
                given,
                ImageCms.createProfile("sRGB"),
                renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                outputMode="RGB",
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            container.notes.append("the CMYK profile cannot be used; the inks were converted plainly")
        else:
            assert converted is not None
            container.notes.append("CMYK was converted to sRGB by its own profile; it is written back as RGB")
            return np.asarray(converted)
    else:
        container.notes.append("CMYK without a profile was converted plainly; it is written back as RGB")
    return np.asarray(image.convert("RGB"))
