"""One picture that shows what was gained: before, after, the PSF, and a detail of both."""

import io

import numpy as np
import scipy.ndimage
from PIL import Image, ImageDraw, ImageFont

from nightsharp.optics import Psf
from nightsharp.photo import Photo

_BACKGROUND = (18, 18, 20)
_INK = (232, 232, 228)
_QUIET = (150, 150, 148)
_GAP = 16
_PANEL = 960
_DETAIL_HEIGHT = 420
_LABEL = 34


def side_by_side(before: Photo, after: Photo, psf: Psf, *, kept: bool = False) -> bytes:
    """Draw before and after with the PSF, and below them the region with the most detail, pixel by pixel.

    Args:
        before: the photograph as it was.
        after: the photograph as it is now, of the same size.
        psf: the PSF, shown enlarged and with lifted darks in the corner of the first panel.
        kept: whether the photograph was kept as it is; the sheet says so.

    Returns:
        The bytes of a PNG.
    """
    old, new = _picture(before), _picture(after)
    width, height = old.size
    # small photographs are enlarged by whole numbers, so that their pixels stay pixels
    enlarge = max(1, min(_PANEL // width, _PANEL // height))
    scale = enlarge if enlarge > 1 else min(1.0, _PANEL / width, _PANEL / height)
    panel = (max(1, round(width * scale)), max(1, round(height * scale)))
    zoom = 1 if scale < 0.67 else max(2, enlarge * 2)
    detail = (min(width * zoom, panel[0]), min(height * zoom, _DETAIL_HEIGHT))

    column = max(panel[0], 220)
    top, below = _GAP + _LABEL, 2 * _GAP + 2 * _LABEL + panel[1]
    sheet = Image.new("RGB", (3 * _GAP + 2 * column, below + detail[1] + _GAP), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    box = _most_detailed(old, (max(1, detail[0] // zoom), max(1, detail[1] // zoom)))
    for number, (picture, name) in enumerate(((old, "before"), (new, "kept as it is" if kept else "after"))):
        left = _GAP + number * (column + _GAP)
        _write(draw, (left, _GAP), name, f"{width} x {height}")
        resample = Image.Resampling.NEAREST if enlarge > 1 else Image.Resampling.LANCZOS
        sheet.paste(picture.resize(panel, resample), (left, top))
        frame = [round(value * scale) for value in box]
        corners = (left + frame[0], top + frame[1], left + frame[2] - 1, top + frame[3] - 1)
        if frame[2] - frame[0] < panel[0] or frame[3] - frame[1] < panel[1]:
            draw.rectangle(corners, outline=_QUIET)
        _write(draw, (left, below - _LABEL), f"{name}, detail", "pixel for pixel" if zoom == 1 else f"{zoom} times")
        part = picture.crop(box)
        sheet.paste(part.resize((part.width * zoom, part.height * zoom), Image.Resampling.NEAREST), (left, below))
    _inset(sheet, draw, psf, (_GAP, top), panel)
    buffer = io.BytesIO()
    sheet.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _picture(photo: Photo) -> Image.Image:
    values = np.empty((photo.height, photo.width, 3), np.uint8)
    for rows in photo.bands():
        light = photo.part(rows, light="display").clamp(0, 1)
        values[rows] = light.mul(255).round().byte().permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(values)


def _write(draw: ImageDraw.ImageDraw, place: tuple[int, int], words: str, aside: str) -> None:
    font, small = ImageFont.load_default(20), ImageFont.load_default(14)
    draw.text((place[0], place[1] + _LABEL - 10), words, fill=_INK, font=font, anchor="ls")
    draw.text(
        (place[0] + draw.textlength(words, font=font) + 12, place[1] + _LABEL - 10),
        aside,
        fill=_QUIET,
        font=small,
        anchor="ls",
    )


def _most_detailed(picture: Image.Image, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The box of ``size`` with the most texture; single lamps do not win, because gradients count up to a limit."""
    grey = np.asarray(picture.convert("L"), dtype=np.float32) / 255
    down, across = np.gradient(grey) if min(grey.shape) > 1 else (np.zeros_like(grey), np.zeros_like(grey))
    texture = np.minimum(np.hypot(down, across), 0.08)
    width, height = size
    mean = scipy.ndimage.uniform_filter(texture, size=(height, width), mode="constant")  # pyright: ignore[reportArgumentType]
    # only places whose whole box lies inside
    valid = mean[height // 2 : grey.shape[0] - (height - 1) // 2, width // 2 : grey.shape[1] - (width - 1) // 2]
    row, column = np.unravel_index(int(np.argmax(valid)), valid.shape)
    return int(column), int(row), int(column) + width, int(row) + height


def _inset(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, psf: Psf, corner: tuple[int, int], panel: tuple[int, int]
) -> None:
    """The PSF on black in the upper left corner of the first panel, darks lifted so that its whole path shows."""
    side = round(min(panel) * 0.28)
    if side < 48:
        return
    kernel = psf.kernel.numpy()
    # room around it, and below it for the label
    height, width = psf.size
    room = round(max(height, width) * 1.35) + 2
    square = np.zeros((room, room), dtype=np.float32)
    row, column = (room - height) * 2 // 5, (room - width) // 2
    square[row : row + height, column : column + width] = kernel
    shown = Image.fromarray(np.round(255 * (square / square.max()) ** 0.5).astype(np.uint8))
    place = (corner[0] + 10, corner[1] + 10)
    sheet.paste(shown.resize((side, side), Image.Resampling.NEAREST).convert("RGB"), place)
    draw.rectangle((place[0] - 1, place[1] - 1, place[0] + side, place[1] + side), outline=_QUIET)
    label = f"PSF {height} x {width}"
    draw.text((place[0] + 6, place[1] + side - 6), label, fill=_INK, font=ImageFont.load_default(13), anchor="ls")
