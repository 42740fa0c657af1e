"""How large a file may be before nightsharp refuses to open it."""

import time
from dataclasses import dataclass

from nightsharp.errors import LimitError


@dataclass(frozen=True)
class Limits:
    """What reading one photograph may cost; checked from the header, before any pixel is decoded.

    Args:
        pixels: width times height, at most.
        side: the longer side in pixels, at most.
        file_bytes: size of the file, at most.
        frames: pages or frames in the file, at most (only the first is ever decoded).
        memory: bytes of memory that reading may take at its peak, at most.
        seconds: time that reading may take, at most.

    Example:
        >>> Limits.server().pixels < Limits.desktop().pixels
        True
        >>> Limits(pixels=1_000_000).check_size("tiny.png", 2000, 1000)
        Traceback (most recent call last):
        nightsharp.errors.LimitError: tiny.png: the photo is 2000 x 1000, 2.0 million pixels; the limit is 1.0...
    """

    pixels: int = 400_000_000
    side: int = 100_000
    file_bytes: int = 4 << 30
    frames: int = 10_000
    memory: int = 12 << 30
    seconds: float = 300.0

    @classmethod
    def desktop(cls) -> "Limits":
        """For one's own photographs on one's own computer: large panoramas pass."""
        return cls()

    @classmethod
    def server(cls) -> "Limits":
        """For strangers' files: what cameras and telephones make passes, little else."""
        return cls(
            pixels=64_000_000,
            side=32_768,
            file_bytes=256 << 20,
            frames=100,
            memory=2 << 30,
            seconds=30.0,
        )

    def start(self, name: str) -> "Deadline":
        """Start the clock for one file."""
        return Deadline(name, self.seconds)

    def check_file(self, name: str, size: int) -> None:
        """Raise LimitError for a file of more than ``file_bytes`` bytes."""
        if size > self.file_bytes:
            raise LimitError(
                f"{name}: the file has {_mega(size)} MB; the limit is {_mega(self.file_bytes)} MB. "
                f"{_raise('file_bytes')}"
            )

    def check_size(self, name: str, width: int, height: int) -> None:
        """Raise LimitError for a photo of more than ``pixels`` pixels or with a side longer than ``side``."""
        if width * height > self.pixels:
            raise LimitError(
                f"{name}: the photo is {width} x {height}, {width * height / 1e6:.1f} million pixels; the limit is "
                f"{self.pixels / 1e6:.1f} million. Crop or shrink it. {_raise('pixels')}"
            )
        if max(width, height) > self.side:
            raise LimitError(
                f"{name}: the photo is {width} x {height}; the limit for a side is {self.side}. "
                f"Crop or shrink it. {_raise('side')}"
            )

    def check_frames(self, name: str, frames: int) -> None:
        """Raise LimitError for a file of more than ``frames`` frames."""
        if frames > self.frames:
            raise LimitError(
                f"{name}: the file holds more than {self.frames} frames, the limit. Save the first frame on its own. "
                f"{_raise('frames')}"
            )

    def check_memory(self, name: str, needed: int) -> None:
        """Raise LimitError where reading takes more than ``memory`` bytes."""
        if needed > self.memory:
            raise LimitError(
                f"{name}: reading it takes about {_mega(needed)} MB of memory; the limit is {_mega(self.memory)} MB. "
                f"Crop or shrink it. {_raise('memory')}"
            )


class Deadline:
    """The clock of one file: the stages of reading ask it whether there is time left."""

    def __init__(self, name: str, seconds: float) -> None:
        self._name = name
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        """Raise LimitError once the time is over."""
        if time.monotonic() > self._end:
            raise LimitError(
                f"{self._name}: reading took more than {self._seconds:g} s, the limit. "
                f"The file may be made to be slow. {_raise('seconds')}"
            )


def _mega(count: int) -> str:
    return f"{count / 1e6:,.0f}" if count >= 10_000_000 else f"{count / 1e6:.1f}"


def _raise(limit: str) -> str:
    return f"If you trust the file, read it with Limits({limit}=...)."
