"""What kind of file the first bytes say it is; the name is never asked."""

from nightsharp._endings import Format
from nightsharp.errors import PhotoError

HEAD = 64
"""How many bytes ``sniff`` looks at."""

READABLE = "JPEG, PNG, TIFF, WebP, AVIF, HEIC and camera RAW (DNG, CR2, CR3, NEF, ARW, RAF, ORF, RW2, ...)"

_RAW = (
    b"II*\0\x10\0\0\0CR\x02",  # Canon CR2
    b"IIU\0",  # Panasonic RW2
    b"IIRO",  # Olympus ORF
    b"IIRS",
    b"MMOR",
    b"FUJIFILMCCD-RAW",
    b"FOVb",  # Sigma X3F
    b"\0MRM",  # Minolta
)

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_OTHERS = (
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"8BPS", "a Photoshop document"),
    (b"%PDF", "a PDF"),
    (b"%!PS", "a PostScript file"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"v/1\x01", "an OpenEXR file"),
    (b"#?RADIANCE", "a Radiance HDR file"),
    (b"SIMPLE  =", "a FITS file"),
    (b"II\xbc", "a JPEG XR"),
    (b"qoif", "a QOI"),
    (b"<svg", "an SVG"),
    (b"<?xml", "an XML file"),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
)

_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF_BRANDS = {b"avif"}
_SHARED_BRANDS = {b"mif1", b"msf1", b"miaf", b"MiHB", b"MiHE"}


def sniff(name: str, head: bytes) -> Format:
    """Tell the format from the first bytes.

    A RAW file that is a TIFF outside (DNG, NEF, ARW, ...) is called ``"tiff"`` here; its directories tell more.

    Args:
        name: file name, for the error.
        head: the first ``HEAD`` bytes of the file.

    Returns:
        The format.

    Raises:
        PhotoError: the bytes are of no format that is read here.

    Example:
        >>> sniff("holiday.txt", bytes.fromhex("ffd8ffe0"))
        'jpeg'
    """
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if head.startswith(_RAW):
        return "raw"
    if head.startswith(_TIFF):
        return "tiff"
    if head[4:8] == b"ftyp" and (found := _brand(head)):
        return found
    for start, what in _OTHERS:
        if head.startswith(start):
            raise PhotoError(f"{name} is {what}; nightsharp reads {READABLE}. Save it as a PNG or TIFF first.")
    if head[4:12] == b"ftypavis":
        raise PhotoError(f"{name} is an AVIF animation, which is not read. Save its first frame as a PNG.")
    if head[4:8] == b"ftyp":
        raise PhotoError(f"{name} is a video or another kind of media file; nightsharp reads {READABLE}.")
    raise PhotoError(f"{name} is no photo that nightsharp knows (it begins {head[:8].hex(' ')}); it reads {READABLE}.")


def _brand(head: bytes) -> Format | None:
    length = min(int.from_bytes(head[:4], "big"), len(head))
    major = head[8:12]
    brands = {head[at : at + 4] for at in range(16, length - 3, 4)}
    if major == b"crx ":
        return "raw"
    if major in _AVIF_BRANDS or (major in _SHARED_BRANDS and brands & _AVIF_BRANDS):
        return "avif"
    if major in _HEIF_BRANDS | _SHARED_BRANDS:
        return "heif"
    return None
