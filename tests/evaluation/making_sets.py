"""Tiny benchmark sets in their real layouts."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from nightsharp.optics import Blur, Psf, line


def scene(height: int = 64, width: int = 72, seed: int = 0, channels: int = 1) -> torch.Tensor:
    blocks = torch.rand(1, channels, height // 8, width // 8, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(blocks, (height, width))[0] * 0.8 + 0.1


def save(image: torch.Tensor, file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    values = image.clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(values[..., 0] if values.shape[2] == 1 else np.ascontiguousarray(values)).save(file)
    return file


def blurred(image: torch.Tensor, psf: Psf) -> torch.Tensor:
    return Blur(psf, "replicate")(image[None])[0]


def levin(data: Path, images: int = 2, psfs: int = 2) -> Path:
    """Levin's layout: a truth for each pair, PSFs as arrays."""
    folder = data / "levin2009"
    for image in range(1, images + 1):
        sharp = scene(seed=image)
        for number in range(1, psfs + 1):
            psf = line(3 + 2 * number, 40 * number)
            save(blurred(sharp, psf), folder / "blurred" / f"im{image:02d}_ker{number:02d}.png")
            save(sharp, folder / "gt" / f"im{image:02d}_ker{number:02d}.png")
            (folder / "kernel").mkdir(exist_ok=True)
            psf.save(folder / "kernel" / f"ker{number:02d}.npy")
    return folder


def selfdeblur(data: Path) -> Path:
    """SelfDeblur's layout: kernel 1 rotated, kernel 4 not."""
    folder = data / "levin2009" / "selfdeblur_png"
    sharp = scene(seed=1)
    save(sharp, folder / "gt" / "im1.png")
    ramp = torch.tensor([[0.0, 0.0, 0.0], [0.1, 0.2, 0.7], [0.0, 0.0, 0.0]])
    for number in (1, 4):
        stored = ramp.flip(0, 1) if number == 1 else ramp
        save((stored / stored.max())[None], folder / "gt" / f"kernel{number}.png")
        save(blurred(sharp, Psf.from_tensor(ramp)), folder / f"im1_kernel{number}_img.png")
    return folder


def pairs(blurred_folder: Path, sharp_folder: Path, *names: str) -> None:
    """Colour pairs of equal names."""
    for number, name in enumerate(names):
        sharp = scene(40, 48, seed=number, channels=3)
        save(blurred(sharp, line(5, 20)), blurred_folder / f"{name}.png")
        save(sharp, sharp_folder / f"{name}.png")


def lay(name: str, data: Path) -> None:
    """The layout of each set with an image or two."""
    match name:
        case "levin2009" | "levin2009_noise1" | "levin2009_noise3" | "levin2009_noise5":
            levin(data)
        case "levin2009_estimated":
            folder, sharp, psf = data / "levin2009_kernel_uncertainty", scene(seed=1), line(7, 40)
            save(sharp, folder / "sharp" / "im_1.png")
            noisy = folder / "ker_levin" / "sigma_2.55_ker_levin_valid" / "im_1_ker_2.png"
            save(Blur(psf, "valid")(sharp[None])[0], noisy)
            for place, author in (("BD_sun_iccp_2013", "sun_2013"), ("BD_cho_and_lee_tog_2009", "cho_and_lee")):
                (folder / place / "kernel_estimates").mkdir(parents=True)
                psf.save(folder / place / "kernel_estimates" / f"k_2_im_1_{author}.png")
        case "levin2009_selfdeblur":
            selfdeblur(data)
        case "sun2013":
            levin(data)
            save(scene(seed=3, channels=3), data / "sun2013_scenes" / "gt" / "img_001.png")
        case "lai2016_uniform":
            save(scene(seed=3, channels=3), data / name / "gt" / "text_01.png")
            line(9, 20).save(save(torch.ones(1, 3, 3), data / name / "kernel" / "kernel_01.png"))
        case "lai2016_real":
            save(scene(), data / name / "blurry" / "boat.jpg")
            (data / name / "blurry" / "attribute.txt").write_text("no picture")
        case "koehler2012":
            for place in (1, 2, 3):
                save(scene(seed=place), data / name / "truth" / f"GroundTruth1_2_{place}.png")
            save(scene(seed=3), data / name / "BlurryImages" / "Blurry1_2.png")
        case "pan_lowillumination":
            pairs(data / name / "blurred", data / name / "gt", "saturated_img1_1_blur")
            (data / name / "gt" / "saturated_img1_1_blur.png").rename(data / name / "gt" / "saturated_img1.png")
            (data / name / "kernel").mkdir()
            line(5, 20).save(data / name / "kernel" / "ker01.npy")
        case "pan_text":
            pairs(data / name / "blurred", data / name / "gt", "im01_ker01_blur")
            (data / name / "gt" / "im01_ker01_blur.png").rename(data / name / "gt" / "im01.png")
            (data / name / "kernel").mkdir()
            line(5, 20).save(data / name / "kernel" / "ker01.npy")
        case "nightshot":
            pairs(data / name / "blur_kc8", data / name / "gt", "004")
            (data / name / "kernel").mkdir()
            line(5, 20).save(data / name / "kernel" / "004.png")
        case "exdark":
            save(scene(96, 96, channels=3), data / name / "Bus" / "2015_1.png")
        case "darkshake":
            pairs(data / name / "blur", data / name / "sharp", "1", "2")
        case "lol_blur":
            pairs(data / name / "test/low_blur/0012", data / name / "test/high_sharp_scaled/0012", "1")
        case "gopro":
            pairs(data / name / "test/GOPR1/blur", data / name / "test/GOPR1/sharp", "000001")
        case "realblur_j" | "realblur_r":
            for where in ("scene001", "scene002"):
                pairs(data / name / where / "blur", data / name / where / "gt", "blur_1")
                (data / name / where / "gt/blur_1.png").rename(data / name / where / "gt/gt_1.png")
            listed = f"RealBlur-{name[-1].upper()}/scene002/gt/gt_1.png RealBlur/scene002/blur/blur_1.png\n"
            (data / name / f"RealBlur_{name[-1].upper()}_test_list.txt").write_text(listed)
        case "reds":
            pairs(data / name / "val/val_blur/000", data / name / "val/val_sharp/000", "00000000")
        case "pairs":
            pairs(data / name / "blurred", data / name / "sharp", "a", "b")
            (data / name / "psf").mkdir()
            line(5, 20).save(data / name / "psf" / "b.npy")
        case "events_grey" | "events_rgb":
            root = data / "events/test"
            for folder in ("share/APS_blur", "subnetwork2/APS", "subnetwork2/RGB_blur", "subnetwork2/RGB"):
                save(scene(channels=3 if "RGB" in folder else 1), root / folder / "a_000.png")
            (root / "others/events").mkdir(parents=True)
            np.save(root / "others/events/a_000.npy", np.zeros((0, 4), np.float32))
        case "events_davis" | "events_hybrid":
            root = data / name.replace("_davis", "/real").replace("_hybrid", "/hybrid")
            save(scene(), root / ("RGB_blur" if name == "events_hybrid" else "APS_blur") / "0.png")
            (root / "events_voxel_grid").mkdir()
            np.save(root / "events_voxel_grid/0.npy", np.zeros((64, 72, 13), np.float32))
        case "events_cups":
            save(scene(), data / "eslnet_cups" / "000010.png")
            save(scene(), data / "eslnet_cups" / "000011.png")
            np.savez(data / "eslnet_cups" / "000010.npz", t_us=np.zeros(1))
        case _:
            levin(data)
            save(scene(seed=3, channels=3), data / "classic" / name.split("_")[0] / "01.png")
