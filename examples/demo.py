"""Deblur the shipped night shot blind, as a user would, and measure the gain against its truth.

python examples/demo.py
"""

import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from nightsharp.cli import main as nightsharp

HERE = Path(__file__).resolve().parent
OUT = Path("demo-out")
BORDER, SHIFT = 25, 5


def picture(file: Path) -> np.ndarray:
    """Eight-bit sRGB."""
    return np.asarray(Image.open(file).convert("RGB"))


def psnr(image: np.ndarray, truth: np.ndarray) -> float:
    """PSNR of the sRGB values in dB, the border cropped, at the best whole-pixel shift.

    A PSF that was estimated blindly says nothing of where the picture lies, so the shift is searched.
    """
    height, width = truth.shape[:2]
    inner = truth[BORDER : height - BORDER, BORDER : width - BORDER]
    shifts = range(-SHIFT, SHIFT + 1)
    return max(
        peak_signal_noise_ratio(inner, image[BORDER + y : height - BORDER + y, BORDER + x : width - BORDER + x])
        for y in shifts
        for x in shifts
    )


def main() -> int:
    """Run the command on the example and print what came out."""
    photo, truth = HERE / "night.jpg", HERE / "night-sharp-truth.png"
    OUT.mkdir(exist_ok=True)
    before = OUT / photo.name
    shutil.copyfile(photo, before)
    result, sides, report = OUT / "night-sharp.jpg", OUT / "night-compare.png", OUT / "night-report.json"
    command = ["deblur", str(before), "--compare", str(sides), "--report", str(report), "--overwrite"]
    print("$ nightsharp", *command, flush=True)
    code = nightsharp(command)
    if code != 0:
        return code
    was, now = psnr(picture(photo), picture(truth)), psnr(picture(result), picture(truth))
    print()
    print(f"result:       {result}")
    print(f"side by side: {sides}")
    print(f"report:       {report}")
    print(f"gain:         {now - was:+.2f} dB ({was:.2f} -> {now:.2f} dB)")
    print(
        f"protocol:     PSNR of 8-bit sRGB against {truth.name}, {BORDER} px border cropped, "
        f"best whole-pixel shift within {SHIFT} px, the same for both"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
