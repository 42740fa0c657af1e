"""Redraw every picture of the documentation: ``make docs``."""

import tempfile
from pathlib import Path

import numpy as np
import skimage.data
import tifffile
import torch
from PIL import Image, ImageDraw
from pipelines import pipelines

import nightsharp
from nightsharp.cli import main as command
from nightsharp.evaluation.downstream.rendered import sign
from nightsharp.optics import Blur, Psf, defocus, disk, expose, gaussian, line, shake
from nightsharp.optics.field import PsfField
from nightsharp.optics.raw_sensor import RawSensor, photograph
from nightsharp.photo import linear_to_srgb, srgb_to_linear
from nightsharp.restore.function import usable_methods

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
    for spec in usable_methods():
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


def streak() -> None:
    """A night scene with lamps, the trail that was shown by a box, and the PSF read off it."""
    scene = torch.from_numpy(skimage.data.coffee()).permute(2, 0, 1)[None].float() / 255
    light = 0.06 * scene[..., 20:320, 120:560] ** 2.2
    for row, column in ((40, 60), (60, 330), (210, 60), (150, 390), (250, 200)):
        light[..., row, column] = 9.0
    generator = torch.Generator().manual_seed(5)
    psf = shake(31, generator=generator)
    seen = expose(Blur(psf, "replicate")(light), photons=8000, read_noise=0.001, generator=generator)[0]
    box = (30, 10, 60, 60)
    found = nightsharp.deblur(seen, streak=box, guard=False)
    display = (seen.clamp(0, 1) ** (1 / 2.2) * 255).byte().permute(1, 2, 0).contiguous().numpy()
    picture = Image.fromarray(display)
    ImageDraw.Draw(picture).rectangle([box[0], box[1], box[0] + box[2], box[1] + box[3]], outline="lime")
    sheet = Image.new("RGB", (picture.width + 210, picture.height), "black")
    sheet.paste(picture, (0, 0))
    for top, name, kernel in ((0, "read off the trail", found.psf.kernel), (150, "true", psf.kernel)):
        sheet.paste(_enlarged(kernel, 128), (picture.width + 40, top + 16))
        ImageDraw.Draw(sheet).text((picture.width + 40, top + 2), name, fill="white")
    sheet.save(IMAGES / "streak.jpg", quality=90)


def page() -> None:
    """A page that a shaking hand photographed, what is made of it with nothing given, and the PSF that was found."""
    said = [
        "The night was long, the lamp",
        "burned low, and the hand that",
        "held the camera shook. What it",
        "wrote on the film was grey.",
        "Two tones were enough to read",
        "it: the ink, and the paper.",
    ]
    generator = torch.Generator().manual_seed(9)
    psf = shake(19, generator=generator)
    blurred = Blur(psf, "valid")(0.1 + 0.8 * sign(said, 22, bright_on_dark=False)[None])
    blurred = (blurred + 0.005 * torch.randn(blurred.shape, generator=generator)).clamp(0, 1)[0]
    done = nightsharp.deblur(blurred)
    height, width = blurred.shape[-2:]
    sheet = Image.new("RGB", (width * 2 + 110, height), "black")
    for column, values in enumerate((blurred, done.sharp)):
        pixels = (values[0].clamp(0, 1) * 255).byte().contiguous().numpy()
        sheet.paste(Image.fromarray(pixels), (width * column, 0))
    for top, name, kernel in ((10, "found", done.psf.kernel), (height // 2 + 10, "true", psf.kernel)):
        sheet.paste(_enlarged(kernel, 80), (width * 2 + 15, top + 16))
        ImageDraw.Draw(sheet).text((width * 2 + 15, top), name, fill="white")
    sheet.save(IMAGES / "page.jpg", quality=88)


def varying() -> None:
    """A roll of the camera: the PSFs, the blurred picture, restored with one PSF and with the field."""
    scene = torch.from_numpy(skimage.data.coffee()).permute(2, 0, 1)[None].float() / 255
    roll = PsfField.of([[line(15, 25 * column + 8 * row) for column in range(4)] for row in range(2)])
    generator = torch.Generator().manual_seed(5)
    blurred = roll.blur(scene[..., 40:300, 140:480])
    blurred = (blurred + 0.004 * torch.randn(blurred.shape, generator=generator)).clamp(0, 1)[0]
    one = nightsharp.deblur(blurred, psf=roll.mean(), guard=False).sharp
    field = nightsharp.deblur(blurred, psf=roll, guard=False).sharp
    height, width = blurred.shape[-2:]
    sheet = Image.new("RGB", (width * 2, (height + 22) * 2), "black")
    psfs = torch.cat([torch.cat([k / k.max() for k in row], dim=1) for row in roll.kernels])
    sheet.paste(_enlarged(psfs, width - 20), (10, 60))
    parts = {"the PSFs of four by two windows": None, "blurred": blurred, "one PSF": one, "the field": field}
    for index, (name, values) in enumerate(parts.items()):
        left, top = width * (index % 2), (height + 22) * (index // 2)
        if values is not None:
            pixels = (values.clamp(0, 1) * 255).byte().permute(1, 2, 0).contiguous().numpy()
            sheet.paste(Image.fromarray(pixels), (left, top))
        ImageDraw.Draw(sheet).text((left + 6, top + height + 4), name, fill="white")
    sheet.save(IMAGES / "varying.jpg", quality=90)


def synthesis() -> None:
    """Random PSFs, noise at four ISO speeds, and training pairs: files of the command on one sheet each."""
    with tempfile.TemporaryDirectory() as place:
        rows = []
        for kind in ("rotating", "markovian", "every"):
            folder = Path(place, kind)
            _run("synthesize", "psfs", folder, "--kind", kind, "-n", "10", "--format", "tif", "--seed", "2")
            rows.append([tifffile.imread(file) for file in sorted(folder.glob("*.tif"))])
        _psf_rows(rows).save(IMAGES / "synthesis-psfs.png")

        Path(place, "photos").mkdir()
        for name in ("astronaut", "coffee", "rocket"):
            Image.fromarray(getattr(skimage.data, name)()).save(Path(place, "photos", f"{name}.png"))
        pairs = Path(place, "pairs")
        _run(
            "synthesize",
            "pairs",
            Path(place, "photos"),
            pairs,
            "-n",
            "8",
            "--size",
            "176",
            "--format",
            "tif",
            "--seed",
            "4",
        )
        _pair_rows(pairs).save(IMAGES / "synthesis-pairs.jpg", quality=90)

    light = srgb_to_linear(torch.from_numpy(skimage.data.coffee()[80:240, 180:360].copy()).permute(2, 0, 1)[None] / 255)
    speeds = (100, 800, 3200, 12800)
    sheet = Image.new("RGB", (180 * len(speeds), 182), "black")
    for column, iso in enumerate(speeds):
        # a dim scene: a tenth of the light, brightened again
        taken = photograph(
            light / 10,
            RawSensor.at_iso(torch.tensor([float(iso)])),
            balance=torch.tensor([[2.0, 1.0, 1.6]]),
            generator=torch.Generator().manual_seed(0),
        )
        sheet.paste(_picture(linear_to_srgb((taken * 10).clamp(0, 1))[0]), (180 * column, 0))
        ImageDraw.Draw(sheet).text((180 * column + 6, 164), f"ISO {iso}", fill="white")
    sheet.save(IMAGES / "synthesis-noise.jpg", quality=90)


def _run(*words: object) -> None:
    if command([str(word) for word in words]):
        raise SystemExit(1)


def _psf_rows(rows: list[list[np.ndarray]], cell: int = 96) -> Image.Image:
    sheet = Image.new("L", (cell * len(rows[0]), cell * len(rows)))
    for row, kernels in enumerate(rows):
        for column, kernel in enumerate(kernels):
            # thin paths are faint beside their bright ends
            shown = Image.fromarray(np.uint8(255 * np.sqrt(kernel / kernel.max())))
            sheet.paste(
                shown.resize((cell - 4, cell - 4), Image.Resampling.NEAREST), (cell * column + 2, cell * row + 2)
            )
    return sheet


def _pair_rows(folder: Path) -> Image.Image:
    names = sorted(file.stem for file in (folder / "sharp").iterdir())
    side = tifffile.imread(folder / "sharp" / f"{names[0]}.tif").shape[0]
    sheet = Image.new("RGB", (side * len(names) // 2, (2 * side + 64) * 2), "black")
    for index, name in enumerate(names):
        left, top = side * (index % 4), (2 * side + 64) * (index // 4)
        for down, part in ((0, "sharp"), (side, "blurred")):
            values = torch.from_numpy(tifffile.imread(folder / part / f"{name}.tif")).permute(2, 0, 1)
            # dark scenes are in linear light; a square root makes all of them visible
            sheet.paste(_picture(values.sqrt()), (left, top + down))
        for across, part in ((0, "psf"), (64, "assumed_psf")):
            kernel = np.load(folder / part / f"{name}.npy")
            sheet.paste(
                Image.fromarray(np.uint8(255 * np.sqrt(kernel / kernel.max()))), (left + across, top + 2 * side + 1)
            )
    return sheet


def _picture(values: torch.Tensor) -> Image.Image:
    return Image.fromarray((values * 255).byte().permute(1, 2, 0).contiguous().numpy())


def _enlarged(kernel: torch.Tensor, width: int) -> Image.Image:
    tile = Image.fromarray((kernel / kernel.max() * 255).byte().numpy())
    return tile.resize((width, round(width * tile.height / tile.width)), Image.Resampling.NEAREST)


def main() -> None:
    """Draw all."""
    IMAGES.mkdir(exist_ok=True)
    for draw in (psfs, methods, streak, page, varying, synthesis, demo):
        draw()
        print(f"{draw.__name__}: done")
    pipelines(IMAGES)
    print("pipelines: done")


if __name__ == "__main__":
    main()
