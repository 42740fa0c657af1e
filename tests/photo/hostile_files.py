"""Files made to do harm, or broken on the way: each must be read or refused, quickly, in bounded memory."""

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from making_files import chunk, dng, exif_block, noise, picture, pillow, png, profile_chunk, raw_png, srgb_profile, tiff


def everything() -> dict[str, bytes]:
    """All hostile files by name; the same at every call."""
    files: dict[str, bytes] = {}
    for name, content in _sound().items():
        files |= {f"{name} cut at {at}": content[:at] for at in _cuts(len(content))}
        files |= {f"{name} flipped {seed}": _flipped(content, seed) for seed in range(14)}
        files[f"{name} with a tail"] = content + bytes(1000)
        files[f"{name} without its start"] = content[1:]
        files[f"{name} twice"] = content * 2
    for kind, start in _STARTS.items():
        rng = np.random.default_rng(0)
        files |= {f"{kind} of noise {length}": start + rng.bytes(length) for length in (1, 30, 400, 20_000)}
        files |= {f"{kind} of zeros {length}": start + bytes(length) for length in (40, 5000)}
    files["empty"] = b""
    files |= {f"{value:02x} over and over": bytes([value]) * 4096 for value in (0x00, 0x20, 0x49, 0xFF)}
    for part in (_large, _pngs, _jpegs, _tiffs, _webps, _boxes, _exifs):
        files |= dict(part())
    return {name.replace("/", "-"): content for name, content in files.items()}


def _sound() -> dict[str, bytes]:
    samples, icc, exif = picture(), srgb_profile(), exif_block(6)
    sound = {
        "JPEG": pillow(samples, "JPEG", exif=b"Exif\0\0" + exif, icc_profile=icc),
        "progressive JPEG": pillow(samples, "JPEG", progressive=True),
        "CMYK JPEG": pillow(samples, "JPEG", "CMYK"),
        "PNG": png(samples, profile_chunk(icc), (b"eXIf", exif)),
        "16-bit PNG": png(noise(20, 20, 4, "u2")),
        "palette PNG": pillow(samples, "PNG", "P"),
        "lossy WebP": pillow(samples, "WEBP", exif=exif, icc_profile=icc),
        "lossless WebP": pillow(noise(20, 20, 4), "WEBP", lossless=True),
        "TIFF": pillow(samples, "TIFF", exif=exif, icc_profile=icc),
        "LZW TIFF": tiff(noise(20, 20, 3, "u2"), compression="lzw", predictor=True, rowsperstrip=5),
        "tiled TIFF": tiff(samples, compression="deflate", tile=(16, 16)),
        "float TIFF": tiff(noise(20, 20, 3, "f4"), compression="zstd"),
        "JPEG TIFF": pillow(samples, "TIFF", compression="jpeg"),
        "AVIF": pillow(samples, "AVIF", exif=exif, icc_profile=icc),
        "DNG": dng(noise(64, 64, 1, "u2")[..., 0]),
    }
    try:
        import io

        import pillow_heif
    except ImportError:
        return sound
    out = io.BytesIO()
    pillow_heif.encode("RGB", (48, 40), samples.tobytes(), out, quality=50, exif=exif)
    return sound | {"HEIC": out.getvalue()}


def _large() -> Iterator[tuple[str, bytes]]:
    """Sound files of few bytes and many pixels: they may be read, and must keep to the limit."""
    black = np.zeros((2600, 3600, 3), np.uint8)
    clear = np.zeros((2600, 3600, 4), np.uint8)
    deep = np.zeros((2600, 3600, 4), np.uint16)
    yield "large JPEG", pillow(black, "JPEG")
    yield "large progressive JPEG", pillow(black, "JPEG", progressive=True)
    yield "large CMYK JPEG", pillow(black[:2000], "JPEG", "CMYK")
    yield "large grey JPEG", pillow(black, "JPEG", "L")
    yield "large turned JPEG", pillow(black, "JPEG", exif=b"Exif\0\0" + exif_block(6))
    yield "large PNG", png(black)
    yield "large clear PNG", png(clear)
    yield "large deep PNG", png(deep)
    yield "large turned PNG", png(deep, (b"eXIf", exif_block(5)))
    yield "large palette PNG", pillow(black, "PNG", "P")
    yield "large 1-bit PNG", pillow(black, "PNG", "1")
    yield "large lossless WebP", pillow(clear, "WEBP", lossless=True, quality=0, method=0)
    yield "large lossy WebP", pillow(black, "WEBP", method=0)
    yield "large TIFF in one strip", tiff(deep, compression="deflate", rowsperstrip=2600)
    yield "large TIFF", tiff(deep, compression="deflate", predictor=True)
    yield "large plain TIFF", tiff(black)
    yield "large float TIFF", tiff(clear.astype("f4"), compression="deflate")
    yield "large double TIFF", tiff(black[:1500].astype("f8"), compression="zstd")
    yield "large 1-bit TIFF", pillow(black, "TIFF", "1")
    yield "large CMYK TIFF", pillow(black[:2000], "TIFF", "CMYK", compression="tiff_lzw")
    yield "large AVIF", pillow(black[:1300], "AVIF", speed=10)
    yield "large DNG", dng(deep[..., 0])


_STARTS = {
    "JPEG": b"\xff\xd8\xff",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "WebP": b"RIFF\xff\0\0\0WEBPVP8 ",
    "TIFF": b"II*\0\x08\0\0\0",
    "big-endian TIFF": b"MM\0*\0\0\0\x08",
    "BigTIFF": b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0",
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "AVIF": b"\0\0\0\x1cftypavif\0\0\0\0mif1avifmiaf",
    "CR2": b"II*\0\x10\0\0\0CR\x02\0",
    "CR3": b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom",
    "RAF": b"FUJIFILMCCD-RAW 0201FF383501X-T1",
    "ORF": b"IIRO\x08\0\0\0",
    "RW2": b"IIU\0\x08\0\0\0",
    "X3F": b"FOVb",
    "MRW": b"\0MRM",
}


def _cuts(length: int) -> list[int]:
    at = {1, 3, 7, 8, 12, 20, 33, 64, 100, 200, 500, length // 4, length // 2, 3 * length // 4, length - 20, length - 1}
    return sorted(cut for cut in at if 0 < cut < length)


def _flipped(content: bytes, seed: int) -> bytes:
    """A few bits changed: in the first half of the seeds anywhere, in the others near the start."""
    rng = np.random.default_rng(seed)
    changed = bytearray(content)
    reach = len(content) if seed % 2 else min(len(content), 300)
    for at in rng.integers(4, reach, 1 + seed % 4):
        changed[at] ^= 1 << int(rng.integers(0, 8))
    return bytes(changed)


def _pngs() -> Iterator[tuple[str, bytes]]:
    row = b"\0" * (1 + 3 * 8)
    yield "PNG that says it is enormous", raw_png(2**31 - 1, 2**31 - 1, 8, 2, row)
    yield "PNG that says it is wide", raw_png(39_999, 700, 16, 6, row)
    yield "PNG of no width", raw_png(0, 8, 8, 2, row)
    yield "PNG of 3 bits", raw_png(8, 8, 3, 0, row)
    yield "PNG of kind 5", raw_png(8, 8, 8, 5, row)
    yield "PNG with too few rows", raw_png(8, 800, 8, 2, row * 8)
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    sound = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    yield "PNG that goes on for 8 GB", sound + chunk(b"IDAT", _packed_zeros(8000)) + chunk(b"IEND", b"")
    yield "PNG of 25 million black pixels", raw_png(5000, 5000, 8, 2, bytes((1 + 15000) * 5000))
    yield "PNG of 29 million deep pixels", raw_png(1000, 29_000, 16, 6, bytes((1 + 8000) * 29_000))
    yield "PNG palette without colours", raw_png(8, 1, 8, 3, bytes(9))
    yield "PNG palette with bad places", raw_png(8, 1, 8, 3, b"\0" + b"\xff" * 8, (b"PLTE", bytes(9)))
    bomb = _packed_zeros(400)
    yield "PNG with a profile bomb", png(picture(), (b"iCCP", b"x\0\0" + bomb))
    yield "PNG with a text bomb", png(picture(), (b"zTXt", b"x\0\0" + bomb))
    yield "PNG with an XMP bomb", png(picture(), (b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0" + bomb))
    yield "PNG with many texts", png(picture(), *[(b"tEXt", b"a\0b")] * 50_000)
    yield "PNG with many data chunks", png(picture(), *[(b"IDAT", b"")] * 100_000)
    yield "PNG of frames without end", png(picture(), (b"acTL", struct.pack(">II", 2**31, 0)))
    yield "PNG with a chunk of 2 GB", png(picture())[:33] + struct.pack(">I", 2**31 - 1) + b"tEXt" + bytes(100)
    yield "PNG with a header too many", png(picture(), (b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0)))
    yield "PNG with a broken sum", png(picture()).replace(b"IDAT", b"IDAT\x01", 1)
    yield "PNG without a header", b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")


def _packed_zeros(megabytes: int) -> bytes:
    """A sound zlib stream of many zeros, made from one block over and over."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    adler = ((megabytes << 20) % 65521) << 16 | 1
    return b"\x78\xda" + block * megabytes + b"\x03\0" + struct.pack(">I", adler)


def _jpegs() -> Iterator[tuple[str, bytes]]:
    sound = pillow(picture(), "JPEG")
    frame = sound.index(b"\xff\xc0")
    size = frame + 5

    def sized(height: int, width: int) -> bytes:
        return sound[:size] + struct.pack(">HH", height, width) + sound[size + 4 :]

    yield "JPEG that says it is enormous", sized(65535, 65535)
    yield "JPEG that says it is larger", sized(5000, 5000)
    yield "JPEG that says it is smaller", sized(8, 8)
    yield "JPEG of no height", sized(0, 48)
    yield "JPEG of no width", sized(40, 0)
    yield "JPEG of 12 bits", sound[: frame + 4] + b"\x0c" + sound[frame + 5 :]
    yield "JPEG with a second frame", sound[:frame] + sound[frame : frame + 19] + sound[frame:]
    yield "JPEG of a lossless kind", sound[:frame] + b"\xff\xc3" + sound[frame + 2 :]
    yield "JPEG of an arithmetic kind", sound[:frame] + b"\xff\xc9" + sound[frame + 2 :]
    yield "JPEG without an end", sound[:-2]
    yield "JPEG that ends at once", sound[: sound.index(b"\xff\xda")] + b"\xff\xd9"
    scan = sound[sound.index(b"\xff\xda") : sound.index(b"\xff\xda") + 14]
    yield "JPEG of many scans", sound[:-2] + scan * 5000 + b"\xff\xd9"
    large = pillow(np.zeros((2400, 3200, 3), np.uint8), "JPEG", progressive=True)
    last = large.rindex(b"\xff\xda")
    yield "progressive JPEG of many scans", large[:-2] + large[last:-2] * 3000 + b"\xff\xd9"
    yield "progressive JPEG of 120 scans", large[:-2] + large[last:-2] * 110 + b"\xff\xd9"
    claims = b"\xff\xe2" + struct.pack(">H", 20) + b"ICC_PROFILE\0" + b"\x07\x09" + b"pppp"
    yield "JPEG with one of nine pieces of a profile", sound[:2] + claims + sound[2:]
    yield "JPEG with nine thousand markers", sound[:2] + b"\xff\xe5\0\x02" * 9000 + sound[2:]
    yield "JPEG with ten million markers", sound[:2] + b"\xff\xe5\0\x02" * 10_000_000 + sound[2:]
    yield "JPEG of fill bytes", sound[:2] + b"\xff" * 5_000_000 + sound[2:]


def _tiff(*entries: tuple[int, int, int, int], tail: bytes = b"", following: int = 0) -> bytes:
    lines = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + lines + struct.pack("<I", following) + tail


def _tiffs() -> Iterator[tuple[str, bytes]]:
    def plain(**changed: tuple[int, int, int, int]) -> list[tuple[int, int, int, int]]:
        entries = {
            "width": (256, 4, 1, 16),
            "height": (257, 4, 1, 16),
            "bits": (258, 3, 1, 8),
            "compression": (259, 3, 1, 1),
            "photometric": (262, 3, 1, 1),
            "offsets": (273, 4, 1, 200),
            "samples": (277, 3, 1, 1),
            "rows": (278, 4, 1, 16),
            "counts": (279, 4, 1, 256),
        }
        return list((entries | changed).values())

    tail = bytes(600)
    yield "TIFF that is sound", _tiff(*plain(), tail=tail)
    yield "TIFF that says it is enormous", _tiff(*plain(width=(256, 4, 1, 2**32 - 1), height=(257, 4, 1, 2**32 - 1)))
    yield "TIFF that says it is larger", _tiff(*plain(height=(257, 4, 1, 20_000), rows=(278, 4, 1, 20_000)), tail=tail)
    yield "TIFF of no height", _tiff(*plain(height=(257, 4, 1, 0)), tail=tail)
    yield "TIFF of 60000 samples", _tiff(*plain(samples=(277, 3, 1, 60_000)), tail=tail)
    yield "TIFF whose pixels are elsewhere", _tiff(*plain(offsets=(273, 4, 1, 2**31)), tail=tail)
    yield "TIFF whose strip is the file", _tiff(*plain(counts=(279, 4, 1, 2**32 - 1)), tail=tail)
    yield "TIFF of a billion strips", _tiff(*plain(offsets=(273, 4, 10**9, 8), counts=(279, 4, 10**9, 8)), tail=tail)
    yield "TIFF of 2 GB of description", _tiff(*plain(), (270, 2, 2**31, 8), tail=tail)
    yield "TIFF with a huge profile", _tiff(*plain(), (34675, 7, 2**32 - 1, 8), tail=tail)
    yield "TIFF whose next page is itself", _tiff(*plain(), tail=tail, following=8)
    yield "TIFF whose directory is outside", b"II*\0" + struct.pack("<I", 2**31) + tail
    yield "TIFF whose directory is its header", b"II*\0\0\0\0\0" + tail
    yield "TIFF with 65535 entries", b"II*\0\x08\0\0\0\xff\xff" + bytes(65535 * 12 + 4)
    yield "TIFF that is its own preview", _tiff(*plain(), (330, 4, 1, 8), tail=tail)
    yield "TIFF of tiles of 2 to the 32", _tiff(*plain(), (322, 4, 1, 65520), (323, 4, 1, 65520), tail=tail)
    yield "TIFF of tiles of nothing", _tiff(*plain(), (322, 4, 1, 0), (323, 4, 1, 0), tail=tail)
    yield "TIFF of an unknown compression", _tiff(*plain(compression=(259, 3, 1, 4711)), tail=tail)
    yield "TIFF of an unknown predictor", _tiff(*plain(), (317, 3, 1, 77), tail=tail)
    yield "TIFF of 128 bits", _tiff(*plain(bits=(258, 3, 1, 128)), tail=tail)
    yield "TIFF of depth", _tiff(*plain(), (32997, 4, 1, 10**6), tail=tail)
    yield "TIFF with a broken palette", _tiff(*plain(photometric=(262, 3, 1, 3)), (320, 3, 5, 200), tail=tail)
    yield "BigTIFF of everything", b"II+\0\x08\0\0\0\x10" + bytes(7) + b"\xff" * 8 + bytes(200)
    for name, bomb in (
        ("deflate", (8, _packed_zeros(400))),
        ("LZW", (5, _lzw_bomb())),
        ("zstd", (50000, _zstd_bomb())),
    ):
        method, content = bomb
        entries = plain(compression=(259, 3, 1, method), offsets=(273, 4, 1, 200), counts=(279, 4, 1, len(content)))
        body = _tiff(*entries)
        yield f"TIFF with a {name} bomb", body.ljust(200, b"\0") + content
    strips = struct.pack("<16I", *[264] * 16)
    counts = struct.pack("<16I", *[40_000] * 16)
    entries = plain(offsets=(273, 4, 16, 136), counts=(279, 4, 16, 200), rows=(278, 4, 1, 1))
    yield "TIFF whose strips are one", _tiff(*entries).ljust(136, b"\0") + strips + counts + bytes(41_000)
    jpeg = pillow(np.zeros((6000, 6000, 3), np.uint8), "JPEG")
    entries = plain(
        compression=(259, 3, 1, 7), samples=(277, 3, 1, 3), photometric=(262, 3, 1, 6), counts=(279, 4, 1, len(jpeg))
    )
    yield "TIFF with a larger JPEG inside", _tiff(*entries).ljust(200, b"\0") + jpeg
    pages = b"".join(struct.pack("<HHHIII", 1, 256, 4, 1, 16, 8 + 18 * (number + 1)) for number in range(30_000))
    yield "TIFF of 30000 pages", b"II*\0\x08\0\0\0" + pages


def _lzw_bomb() -> bytes:
    import imagecodecs

    return bytes(imagecodecs.lzw_encode(bytes(100_000_000)))


def _zstd_bomb() -> bytes:
    import imagecodecs

    return bytes(imagecodecs.zstd_encode(bytes(400_000_000)))


def _webps() -> Iterator[tuple[str, bytes]]:
    def riff(*chunks: tuple[bytes, bytes]) -> bytes:
        body = b"".join(k + struct.pack("<I", len(p)) + p + b"\0" * (len(p) % 2) for k, p in chunks)
        return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body

    def canvas(width: int, height: int, flags: int = 2) -> tuple[bytes, bytes]:
        return b"VP8X", bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")

    sound = pillow(picture(), "WEBP")
    picture_chunk = (sound[12:16], sound[20:])
    yield "WebP of a canvas of 2 to the 48", riff(canvas(2**24, 2**24), (b"ANIM", bytes(6)))
    yield "WebP of a canvas too large for its picture", riff(canvas(16383, 1800, 0), picture_chunk)
    yield "WebP of a canvas and nothing", riff(canvas(100, 100))
    yield "WebP of many frames", riff(canvas(100, 100), (b"ANIM", bytes(6)), *[(b"ANMF", bytes(24))] * 60)
    yield "WebP of broken frames", riff(canvas(100, 100), (b"ANIM", bytes(6)), *[(b"ANMF", b"\xff" * 24)] * 3)
    yield "WebP of a million chunks", riff(*[(b"JUNK", b"")] * 1_000_000)
    yield (
        "WebP of 16383 x 16383",
        b"RIFF"
        + struct.pack("<I", 40)
        + b"WEBPVP8L"
        + struct.pack("<I", 20)
        + (b"\x2f" + struct.pack("<I", 16382 | 16382 << 14) + bytes(15)),
    )
    yield "WebP that claims 4 GB", b"RIFF\xff\xff\xff\xff" + sound[8:]


def _boxes() -> Iterator[tuple[str, bytes]]:
    def box(kind: bytes, payload: bytes) -> bytes:
        return struct.pack(">I", len(payload) + 8) + kind + payload

    for brand in (b"avif", b"heic"):
        name = brand.decode()
        start = box(b"ftyp", brand + bytes(4) + b"mif1" + brand)
        yield f"{name} with a box of no end", start + struct.pack(">I", 2**32 - 1) + b"meta" + bytes(50)
        yield f"{name} with a box of no size", start + b"\0\0\0\x01meta" + bytes(50)
        yield f"{name} of 100000 boxes", start + box(b"free", b"") * 100_000
        deep = b""
        for _ in range(2000):
            deep = box(b"meta", bytes(4) + deep)
        yield f"{name} of boxes in boxes", start + deep
        places = bytes([0, 0, 0, 0, 0x44, 0x00]) + struct.pack(">H", 65535) + bytes(200)
        pieces = bytes(6) + b"\xff" * 120_000
        names = bytes(4) + struct.pack(">H", 1) + box(b"infe", b"\2\0\0\0\0\1\0\0Exif\0")
        for words, where in (("with places of nothing", places), ("in pieces of nothing", pieces)):
            inside = bytes(4) + box(b"iinf", names) + box(b"iloc", where)
            yield f"{name} {words}", start + box(b"meta", inside)
    sound = pillow(picture(), "AVIF")
    at = sound.index(b"ispe") + 8
    for side in (2**31, 65535, 16384, 4000, 2):
        yield f"AVIF that says it is {side}", sound[:at] + struct.pack(">II", side, side) + sound[at + 8 :]
    enormous = pillow(np.zeros((3000, 3000, 3), np.uint8), "AVIF", speed=10)
    at = enormous.index(b"ispe") + 8
    yield "AVIF with a larger frame inside", enormous[:at] + struct.pack(">II", 20, 20) + enormous[at + 8 :]
    yield "AVIF that is an animation", sound[:8] + b"avis" + sound[12:]
    bomb = _amplifier()
    harmless = bomb[:8] + bytes(2) + bomb[10:]
    carrier = pillow(picture(), "AVIF", exif=harmless)
    assert harmless in carrier
    yield "AVIF with EXIF that grows to 10 GB", carrier.replace(harmless, bomb)


def _amplifier() -> bytes:
    """A block of 5 MB whose 2000 tags each claim nearly all of it: 10 GB once unpacked."""
    size = 5_000_000
    lines = b"".join(struct.pack("<HHII", 1000 + n, 7, size - 30_000, 28_000) for n in range(2000))
    return (b"II*\0\x08\0\0\0" + struct.pack("<H", 2000) + lines + bytes(4)).ljust(size, b"\0")


def _exifs() -> Iterator[tuple[str, bytes]]:
    loops = b"II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 34665, 4, 1, 8, 8)
    outside = b"MM\0*" + struct.pack(">I", 2**32 - 1)
    many = b"II*\0\x08\0\0\0\xff\xff" + bytes(60_000)
    small = b"".join(struct.pack("<HHII", 1000 + n, 7, 30_000, 30_000) for n in range(2000))
    amplifier = (b"II*\0\x08\0\0\0" + struct.pack("<H", 2000) + small + bytes(4)).ljust(60_500, b"\0")
    for name, block in {
        "that loops": loops,
        "that points outside": outside,
        "of many tags": many,
        "that grows": amplifier,
        "of noise": np.random.default_rng(1).bytes(3000),
        "of nothing": b"",
    }.items():
        yield f"JPEG with EXIF {name}", pillow(picture(), "JPEG", exif=b"Exif\0\0" + block)
        yield f"PNG with EXIF {name}", png(picture(), (b"eXIf", block))
        yield f"WebP with EXIF {name}", pillow(picture(), "WEBP", exif=b"x" + block)
    yield "PNG with EXIF that grows to 10 GB", png(picture(), (b"eXIf", _amplifier()))
    yield "WebP with EXIF that grows to 10 GB", pillow(picture(), "WEBP", exif=_amplifier())
