"""Camera RAW, by rawpy (LibRaw): developed linear, with the camera's white balance, 16 bits."""

import numpy as np

from nightsharp.errors import PhotoError
from nightsharp.photo.container import Container, Decoded, Header, peak_memory
from nightsharp.photo.decoding import damaged, extra, refusing
from nightsharp.photo.exif import gather
from nightsharp.photo.formats.jpeg import exif_of_jpeg
from nightsharp.photo.ifd import BadDirectoryError, Directory, Tree
from nightsharp.photo.source import Source

_LOOK_INTO = 16
_PIXELS = ((273, 279), (324, 325))


def open_raw(source: Source) -> Container:
    """Read the header of a RAW file."""
    rawpy = extra("rawpy", "raw")
    name = source.file_name
    exif = _told_by_directories(source)
    source.seek(0)
    with refusing(name, "RAW"):
        raw = rawpy.imread(source)
        sizes = raw.sizes
        width, height = sizes.width, sizes.height
        stored = sizes.raw_width * sizes.raw_height
    if not width or not height or stored > 4 * width * height + 2**24:
        raise damaged(name, "RAW", f"{sizes.raw_width} x {sizes.raw_height} sensor pixels for {width} x {height}")
    if exif is None:
        exif = _told_by_preview(rawpy, raw)
    # LibRaw's bits: 4 says that rows and columns change places
    if sizes.flip & 4:
        width, height = height, width
    notes = [] if exif else ["no EXIF block was found in this RAW file"]
    return Container(
        Header(
            format="raw",
            width=width,
            height=height,
            channels=3,
            alpha=False,
            depth=16,
            floating=False,
            frames=1,
            file_bytes=source.size,
            # two bytes each: the sensor's values, four colour planes, the developed picture
            memory=peak_memory(width, height, working=8 + 6, alpha=False, file_bytes=source.size + 2 * stored),
        ),
        decode=lambda: _decode(rawpy, raw, name, source),
        exif=exif,
        linear=True,
        display=True,
        notes=notes,
    )


def _told_by_directories(source: Source) -> bytes | None:
    """The EXIF block of a RAW that is a TIFF outside; its pixels must lie inside the file."""
    try:
        tree = Tree(source.at, source.size)
        directories = list(tree.chain(_LOOK_INTO))
    except BadDirectoryError:
        return None
    below = []
    for directory in directories:
        for offset in _numbers(tree, directory, 330)[:_LOOK_INTO]:
            try:
                below.append(tree.directory(offset))
            except BadDirectoryError:
                continue
    for directory in [*directories, *below]:
        for offsets, counts in _PIXELS:
            ends = zip(_numbers(tree, directory, offsets), _numbers(tree, directory, counts), strict=False)
            if any(offset + count > source.size for offset, count in ends):
                raise damaged(source.file_name, "RAW", "its pixels lie outside the file")
    return gather(tree, directories[0]) if directories else None


def _numbers(tree: Tree, directory: Directory, tag: int) -> list[int]:
    try:
        return tree.numbers(directory, tag)
    except BadDirectoryError:
        return []


def _told_by_preview(rawpy, raw) -> bytes | None:
    """The EXIF block of the JPEG preview, which RAW files of other structures (CR3, RAF) carry."""
    try:
        preview = raw.extract_thumb()
    except rawpy.LibRawError:
        return None
    return exif_of_jpeg(preview.data) if preview.format == rawpy.ThumbFormat.JPEG else None


def _decode(rawpy, raw, name: str, source: Source) -> Decoded:
    source.deadline.check()
    with refusing(name, "RAW"), raw:
        codes = raw.postprocess(
            gamma=(1, 1),
            no_auto_bright=True,
            use_camera_wb=True,
            output_bps=16,
            output_color=rawpy.ColorSpace.sRGB,
        )
    if codes.dtype != np.uint16 or codes.ndim != 3 or codes.shape[2] != 3:
        raise PhotoError(
            f"{name} is a RAW of {codes.shape[-1]} colours. Develop it in a RAW converter to a 16-bit TIFF."
        )
    source.deadline.check()
    return Decoded(codes, None)
