"""HEIC, by pillow-heif (libheif); 8, 10 and 12 bits."""

import io

import numpy as np

from nightsharp.photo.container import Container, Decoded, Header, Picture, peak_memory
from nightsharp.photo.decoding import damaged, extra, refusing
from nightsharp.photo.exif import strip_prefix
from nightsharp.photo.source import Source

# Pillow's names; "I" is grey of more than 8 bits, a small "a" an alpha that the colours are multiplied by
_KINDS = {
    "L": (1, False),
    "I": (1, False),
    "LA": (1, True),
    "La": (1, True),
    "RGB": (3, False),
    "RGBA": (3, True),
    "RGBa": (3, True),
}


def open_heif(source: Source) -> Container:
    """Read the header of a HEIC."""
    pillow_heif = extra("pillow_heif", "heif")
    name = source.file_name
    with refusing(name, "HEIC"):
        file = pillow_heif.open_heif(source, convert_hdr_to_8bit=False, hdr_to_16bit=False)
        image = file[file.primary_index]
        width, height = image.size
        kind, _, suffix = image.mode.partition(";")
        if kind not in _KINDS:
            raise damaged(name, "HEIC", f"pixels of the kind {image.mode}")
    channels, alpha = _KINDS[kind]
    depth = int(suffix or 8)
    working = 12 if depth == 8 else 24
    notes = []
    if len(file) > 1:
        notes.append(f"the file holds {len(file)} pictures; only the main one is kept")
    if image.info.get("nclx_profile", {}).get("transfer_characteristics") in (16, 18):
        notes.append("the file is high dynamic range (PQ or HLG); its values are treated as sRGB")
    exif = image.info.get("exif")
    return Container(
        Header(
            format="heif",
            width=width,
            height=height,
            channels=channels,
            alpha=alpha,
            depth=depth,
            floating=False,
            frames=len(file),
            file_bytes=source.size,
            memory=peak_memory(width, height, working=working, alpha=alpha, file_bytes=4 * source.size),
        ),
        decode=lambda: _decode(name, image, depth, channels + alpha, source),
        # the decoder turns the pixels by the file's own rule; the EXIF orientation repeats what is done already
        orientation=1,
        icc=image.info.get("icc_profile") or None,
        exif=strip_prefix(exif) if exif else None,
        xmp=image.info.get("xmp") or None,
        notes=notes,
    )


def _decode(name: str, image, depth: int, samples: int, source: Source) -> Decoded:
    with refusing(name, "HEIC"):
        width, height = image.size
        codes = np.asarray(image).reshape(height, -1, samples)[:, :width]
        if depth > 8:
            last = (1 << depth) - 1
            codes = ((np.minimum(codes, last).astype(np.uint32) * 65535 + last // 2) // last).astype(np.uint16)
    source.deadline.check()
    return Decoded.interleaved(codes)


def encode_heif(picture: Picture, notes: list[str]) -> bytes:
    """Encode as HEIC of 8 or 10 bits, quality 95, 4:4:4."""
    pillow_heif = extra("pillow_heif", "heif")
    height, width, channels = picture.codes.shape
    codes = picture.codes
    if channels == 2:
        codes = np.concatenate([codes[..., :1]] * 3 + [codes[..., 1:]], axis=2)
        channels = 4
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    if codes.dtype == np.uint16:
        codes = ((codes.astype(np.uint32) * 1023 + 32767) // 65535).astype(np.uint16)
        mode += ";10"
    told = {"exif": picture.exif, "xmp": picture.xmp, "icc_profile": picture.icc}
    out = io.BytesIO()
    pillow_heif.encode(
        mode,
        (width, height),
        np.ascontiguousarray(codes).tobytes(),
        out,
        # measured: at quality 95 the slowest preset gains 0.3 dB and takes eight times as long
        quality=95,
        enc_params={"preset": "ultrafast"},
        chroma=444 if channels > 1 else None,
        **{key: value for key, value in told.items() if value},
    )
    return out.getvalue()
