"""AVIF, by Pillow (libavif)."""

import io

import numpy as np

from nightsharp.errors import PhotoError
from nightsharp.photo.container import Container, Decoded, Header, Picture, peak_memory
from nightsharp.photo.decoding import damaged, refusing
from nightsharp.photo.exif import MOST_BYTES, ORIENTATION, compact, strip_prefix
from nightsharp.photo.formats.av1 import frame_size
from nightsharp.photo.formats.bmff import exif_block, find_items
from nightsharp.photo.source import Source

LONGEST_SIDE = 65535

_EXIF, _FRAME = b"Exif", b"av01"
_KINDS = {"L": (1, False), "LA": (1, True), "RGB": (3, False), "RGBA": (3, True)}


def open_avif(source: Source) -> Container:
    """Read the header of an AVIF."""
    from PIL import AvifImagePlugin

    name = source.file_name
    if not AvifImagePlugin.SUPPORTED:
        raise PhotoError(f"{name}: this build of Pillow reads no AVIF. Run: pip install --upgrade pillow")
    data = bytearray(source.whole())
    with refusing(name, "AVIF"):
        items = find_items(bytes(data), {_EXIF: MOST_BYTES, _FRAME: 1024})
        # Pillow would unpack every tag of the block at once, whatever sizes they claim; it is not shown the block.
        blocks = [item for item in items if item.kind == _EXIF]
        for item in blocks:
            data[item.kind_at : item.kind_at + 4] = b"skip"
        image = AvifImagePlugin.AvifImageFile(io.BytesIO(bytes(data)))
        frames = [frame_size(item.content) for item in items if item.kind == _FRAME]
    if image.mode not in _KINDS:
        raise damaged(name, "AVIF", f"pixels of the kind {image.mode}")
    width, height = image.size
    # Frames of a grid reach over its edge by less than their own size.
    across, down = (max(sides, default=0) for sides in zip(*frames, strict=True)) if frames else (0, 0)
    if across * down > 4 * width * height + 2**20:
        raise damaged(name, "AVIF", f"{width} x {height} outside, frames of {across} x {down} inside")
    channels, alpha = _KINDS[image.mode]
    notes = []
    if image.n_frames > 1:
        notes.append(f"the file is an animation of {image.n_frames} frames; only the first is kept")
    orientation = image.getexif().get(274, 1)
    block = strip_prefix(exif_block(blocks[0])) if blocks else b""
    return Container(
        Header(
            format="avif",
            width=width,
            height=height,
            channels=channels,
            alpha=alpha,
            depth=8,
            floating=False,
            frames=image.n_frames,
            file_bytes=source.size,
            memory=peak_memory(width, height, working=20, alpha=alpha, file_bytes=4 * source.size),
        ),
        decode=lambda: _decode(name, image, source),
        orientation=orientation if 1 <= orientation <= 8 else 1,
        icc=image.info.get("icc_profile"),
        exif=block or None,
        xmp=image.info.get("xmp"),
        notes=notes,
    )


def _decode(name: str, image, source: Source) -> Decoded:
    with refusing(name, "AVIF"), image:
        image.load()
        source.deadline.check()
        codes = np.asarray(image)
    return Decoded.interleaved(codes)


def encode_avif(picture: Picture, notes: list[str]) -> bytes:
    """Encode as AVIF of 8 bits, quality 90, 4:4:4."""
    from PIL import AvifImagePlugin, Image

    height, width, channels = picture.codes.shape
    if not AvifImagePlugin.SUPPORTED:
        raise PhotoError("this build of Pillow writes no AVIF. Save a PNG or run: pip install --upgrade pillow")
    if max(height, width) > LONGEST_SIDE:
        raise PhotoError(f"the photo is {width} x {height}; an AVIF has at most {LONGEST_SIDE} pixels on a side.")
    codes = picture.codes
    if channels == 2:
        codes = np.concatenate([codes[..., :1]] * 3 + [codes[..., 1:]], axis=2)
    out = io.BytesIO()
    # built anew: the encoder unpacks the block and stumbles over what it cannot read
    exif = compact(picture.exif, without=frozenset({ORIENTATION})) if picture.exif else None
    Image.fromarray(np.ascontiguousarray(codes[..., 0] if channels == 1 else codes)).save(
        out,
        "AVIF",
        quality=90,
        subsampling="4:0:0" if channels == 1 else "4:4:4",
        speed=8,
        icc_profile=picture.icc or b"",
        exif=exif or b"",
        xmp=picture.xmp or b"",
    )
    return out.getvalue()
