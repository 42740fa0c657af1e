"""Redraw every picture of the documentation: ``make docs``."""

from pathlib import Path

import skimage.data
import torch
from PIL import Image, ImageDraw

import nightsharp
from nightsharp.cli import main as command
from nightsharp.methods import list_methods
from nightsharp.optics import Blur, Psf, defocus, disk, expose, gaussian, line, shake

IMAGES = Path(__file__).parent / "images"
EXAMPLE = Path(__file__).parent.parent / "examples" / "night.jpg"


def demo() -> None:
    """Before, after and PSF of the shipped night photo, by the command itself."""
    sides = IMAGES / "demo.png"
    result = IMAGES / "night-sharp.jpg"
    code = command(["deblur", str(EXAMPLE), "-o", str(result), "--compare", str(sides), "--overwrite", "--quiet"])
    if code:
        raise SystemExit(code)
    result.unlink()
    # a page wants a light picture; the command's own is a large PNG
    Image.open(sides).convert("RGB").save(IMAGES / "demo.jpg", quality=88)
    sides.unlink()


def psfs() -> None:
    """The PSFs that can be written as a formula."""
    shapes: dict[str, Psf] = {
        "line(15, 30)": line(15, 30),
        "disk(6)": disk(6),
        "defocus(7, blades=7)": defocus(7),
        "gaussian(2)": gaussian(2),
        "shake(19)": shake(19, generator=torch.Generator().manual_seed(2)),
    }
    cell = 150
    sheet = Image.new("RGB", (cell * len(shapes), cell + 22), "black")
    draw = ImageDraw.Draw(sheet)
    for column, (name, psf) in enumerate(shapes.items()):
        kernel = psf.pad(31, 31).kernel
        tile = Image.fromarray((kernel / kernel.max() * 255).byte().numpy()).resize(
            (cell, cell), Image.Resampling.NEAREST
        )
        sheet.paste(tile, (cell * column, 0))
        draw.text((cell * column + 6, cell + 4), name, fill="white")
    sheet.save(IMAGES / "psfs.png", optimize=True)


def methods() -> None:
    """One noisy, saturated crop restored by every method with its true PSF."""
    generator = torch.Generator().manual_seed(4)
    scene = torch.from_numpy(skimage.data.coffee()).permute(2, 0, 1)[None].float() / 255
    light = 0.6 * scene[..., 60:330, 130:430] ** 2.2
    for row, column in ((40, 60), (52, 200), (150, 240)):
        light[..., row : row + 4, column : column + 4] = 8.0
    psf = shake(17, generator=generator)
    blurred = expose(Blur(psf, "valid")(light), photons=2000, read_noise=0.002, generator=generator)
    pictures = {"blurred": blurred[0]}
    for spec in list_methods():
        if spec.needs_psf:
            pictures[spec.name] = nightsharp.deblur(blurred[0], method=spec.name, psf=psf).sharp
    height, width = blurred.shape[-2:]
    sheet = Image.new("RGB", (width * 3, (height + 22) * 2), "black")
    draw = ImageDraw.Draw(sheet)
    for index, (name, picture) in enumerate(pictures.items()):
        left, top = width * (index % 3), (height + 22) * (index // 3)
        values = (picture.clamp(0, 1) ** (1 / 2.2) * 255).byte().permute(1, 2, 0).contiguous().numpy()
        sheet.paste(Image.fromarray(values), (left, top))
        draw.text((left + 6, top + height + 4), name, fill="white")
    sheet.save(IMAGES / "methods.jpg", quality=90)


def main() -> None:
    """Draw all."""
    IMAGES.mkdir(exist_ok=True)
    for draw in (psfs, methods, demo):
        draw()
        print(f"{draw.__name__}: done")


if __name__ == "__main__":
    main()
