"""What a format's reader hands on, and what a format's writer is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Shaped

from nightsharp.photo.magic import Format


@dataclass(frozen=True)
class Header:
    """What a file says about its photo, before any pixel is decoded.

    Args:
        format: what the file is.
        width: pixels across, upright (after the orientation tag).
        height: pixels down, upright.
        channels: 1 grey or 3 colour, alpha not counted.
        alpha: whether there is an alpha channel.
        depth: bits per sample.
        floating: whether samples are floating point.
        frames: pages or frames in the file.
        file_bytes: size of the file.
        memory: bytes of memory that reading takes at its peak, estimated.
    """

    format: Format
    width: int
    height: int
    channels: int
    alpha: bool
    depth: int
    floating: bool
    frames: int
    file_bytes: int
    memory: int


@dataclass(frozen=True)
class Decoded:
    """Pixels as the file has them, still encoded, not yet turned upright.

    Args:
        codes: ``uint8``, ``uint16`` or floating; 1 or 3 channels.
        alpha: same type, or None.
    """

    codes: Shaped[np.ndarray, "height width channels"]
    alpha: Shaped[np.ndarray, "height width"] | None

    @classmethod
    def interleaved(cls, samples: Shaped[np.ndarray, "height width *channels"]) -> "Decoded":
        """Grey, grey and alpha, colour, or colour and alpha, as most decoders give it."""
        samples = samples.reshape(*samples.shape[:2], -1)
        if samples.shape[2] in (2, 4):
            return cls(samples[..., :-1], samples[..., -1])
        return cls(samples, None)


@dataclass
class Container:
    """A file whose header has been read and whose pixels wait.

    Args:
        header: what the limits are checked against; sizes as stored, not upright.
        decode: decodes the pixels; may add to ``notes`` and ``encoding``.
        orientation: the EXIF orientation 1 to 8 that the pixels still need.
        exif: a TIFF-structured block without the ``Exif`` prefix.
        gamma: exponent of the tone curve where the file states one outside an ICC profile.
        linear: whether the values are linear light by the format's own rule.
        display: whether they are written display-referred although read linear (RAW).
        encoding: what the writer of the same format uses again (tables, compression).
        notes: words for the user.
    """

    header: Header
    decode: Callable[[], Decoded]
    orientation: int = 1
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    gamma: float | None = None
    linear: bool = False
    display: bool = False
    encoding: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Picture:
    """Encoded pixels and what goes with them into a file.

    Args:
        codes: ``uint8``, ``uint16`` or floating; 1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha.
        encoding: what the reader of the same format left, empty for another format.
    """

    codes: Shaped[np.ndarray, "height width channels"]
    icc: bytes | None
    exif: bytes | None
    xmp: bytes | None
    dpi: tuple[float, float] | None
    encoding: Mapping[str, Any]


def peak_memory(width: int, height: int, *, working: float, alpha: bool, file_bytes: int = 0) -> int:
    """Bytes that reading takes at its peak: codes, the float32 planes made from them, and some slack.

    Args:
        width: pixels across.
        height: pixels down.
        working: bytes per pixel that the decoder's buffers take while the planes do not exist yet, or beside them.
        alpha: whether there is an alpha channel.
        file_bytes: bytes of the file that are held in memory.
    """
    planes = 4 * (3 + alpha)
    return int(width * height * (working + planes)) + file_bytes + (64 << 20)
