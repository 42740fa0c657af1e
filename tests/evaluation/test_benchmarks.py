"""Every set's layout, in miniature; and the real ones where they are."""

import os
from pathlib import Path

import making_sets as making
import numpy as np
import pytest
import scipy.io
import torch

from nightsharp.errors import UsageError
from nightsharp.evaluation.benchmarks import BENCHMARKS, MissingBenchmark, get_benchmark, published_rows
from nightsharp.evaluation.benchmarks.synthetic import generator_for
from nightsharp.evaluation.benchmarks.trajectory import CANVAS, LENGTH, SAMPLES, shake_psf, trajectory
from nightsharp.evaluation.scores import METRICS, score
from nightsharp.evaluation.tables import COLUMNS
from nightsharp.optics import Blur, line

DATA = os.environ.get("NIGHTSHARP_DATA")


def names(set_name: str, data: Path) -> list[str]:
    return [sample.name for sample in get_benchmark(set_name).samples(data)]


def lay(name: str, data: Path) -> None:
    """The layout of each set with an image or two."""
    pair = making.pairs
    match name:
        case "levin2009" | "levin2009_noise1" | "levin2009_noise3" | "levin2009_noise5":
            making.levin(data)
        case "levin2009_selfdeblur":
            making.selfdeblur(data)
        case "sun2013":
            making.levin(data)
            making.save(making.scene(seed=3, channels=3), data / "sun2013_scenes" / "gt" / "img_001.png")
        case "lai2016_uniform":
            making.save(making.scene(seed=3, channels=3), data / name / "gt" / "text_01.png")
            line(9, 20).save(making.save(torch.ones(1, 3, 3), data / name / "kernel" / "kernel_01.png"))
        case "lai2016_real":
            making.save(making.scene(), data / name / "blurry" / "boat.jpg")
            (data / name / "blurry" / "attribute.txt").write_text("no picture")
        case "koehler2012":
            for place in (1, 2, 3):
                making.save(making.scene(seed=place), data / name / "truth" / f"GroundTruth1_2_{place}.png")
            making.save(making.scene(seed=3), data / name / "BlurryImages" / "Blurry1_2.png")
        case "pan_lowillumination":
            pair(data / name / "blurred", data / name / "gt", "saturated_img1_1_blur")
            (data / name / "gt" / "saturated_img1_1_blur.png").rename(data / name / "gt" / "saturated_img1.png")
            (data / name / "kernel").mkdir()
            line(5, 20).save(data / name / "kernel" / "ker01.npy")
        case "pan_text":
            pair(data / name / "blurred", data / name / "gt", "im01_ker01_blur")
            (data / name / "gt" / "im01_ker01_blur.png").rename(data / name / "gt" / "im01.png")
            (data / name / "kernel").mkdir()
            line(5, 20).save(data / name / "kernel" / "ker01.npy")
        case "nightshot":
            pair(data / name / "blur_kc8", data / name / "gt", "004")
            (data / name / "kernel").mkdir()
            line(5, 20).save(data / name / "kernel" / "004.png")
        case "exdark":
            making.save(making.scene(96, 96, channels=3), data / name / "Bus" / "2015_1.png")
        case "darkshake":
            pair(data / name / "blur", data / name / "sharp", "1", "2")
        case "lol_blur":
            pair(data / name / "test/low_blur/0012", data / name / "test/high_sharp_scaled/0012", "1")
        case "gopro":
            pair(data / name / "test/GOPR1/blur", data / name / "test/GOPR1/sharp", "000001")
        case "realblur_j" | "realblur_r":
            for scene in ("scene001", "scene002"):
                pair(data / name / scene / "blur", data / name / scene / "gt", "blur_1")
                (data / name / scene / "gt/blur_1.png").rename(data / name / scene / "gt/gt_1.png")
            listed = f"RealBlur-{name[-1].upper()}/scene002/gt/gt_1.png RealBlur/scene002/blur/blur_1.png\n"
            (data / name / f"RealBlur_{name[-1].upper()}_test_list.txt").write_text(listed)
        case "reds":
            pair(data / name / "val/val_blur/000", data / name / "val/val_sharp/000", "00000000")
        case "pairs":
            pair(data / name / "blurred", data / name / "sharp", "a", "b")
            (data / name / "psf").mkdir()
            line(5, 20).save(data / name / "psf" / "b.npy")
        case "events_grey" | "events_rgb":
            root = data / "events/test"
            for folder in ("share/APS_blur", "subnetwork2/APS", "subnetwork2/RGB_blur", "subnetwork2/RGB"):
                making.save(making.scene(channels=3 if "RGB" in folder else 1), root / folder / "a_000.png")
            (root / "others/events").mkdir(parents=True)
            np.save(root / "others/events/a_000.npy", np.zeros((0, 4), np.float32))
        case "events_davis" | "events_hybrid":
            root = data / name.replace("_davis", "/real").replace("_hybrid", "/hybrid")
            making.save(making.scene(), root / ("RGB_blur" if name == "events_hybrid" else "APS_blur") / "0.png")
            (root / "events_voxel_grid").mkdir()
            np.save(root / "events_voxel_grid/0.npy", np.zeros((64, 72, 13), np.float32))
        case "events_cups":
            making.save(making.scene(), data / "eslnet_cups" / "000010.png")
            making.save(making.scene(), data / "eslnet_cups" / "000011.png")
            np.savez(data / "eslnet_cups" / "000010.npz", t_us=np.zeros(1))
        case _:
            making.levin(data)
            making.save(making.scene(seed=3, channels=3), data / "classic" / name.split("_")[0] / "01.png")


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_layout_is_read(name, tmp_path):
    lay(name, tmp_path)
    benchmark = get_benchmark(name)
    samples = benchmark.samples(tmp_path)
    assert len({sample.name for sample in samples}) == len(samples) >= 1
    for sample in samples:
        pair = sample.load()
        assert 0 <= float(pair.blurred.min()) <= float(pair.blurred.max()) <= 1
        if pair.sharp is not None:
            assert pair.blurred.shape[-2:] == pair.sharp.shape[-2:]
            assert 8 < score(pair.blurred, pair.sharp, replaced(benchmark), ["psnr"])[0]["psnr"] <= 120
        assert (pair.events is not None) == name.startswith("events")


def replaced(benchmark):
    """The protocol without its border, which is wider than these images."""
    import dataclasses

    return dataclasses.replace(benchmark.protocol, border=0, reach=0)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_missing_set_says_where_to_get_it_and_how_it_lies(name, tmp_path):
    with pytest.raises(MissingBenchmark) as problem:
        get_benchmark(name).samples(tmp_path)
    words = str(problem.value)
    assert name in words
    assert "Expected:" in words
    assert problem.value.exit_code == 3


def test_a_set_that_lies_otherwise_says_so(tmp_path):
    (tmp_path / "levin2009").mkdir()
    with pytest.raises(MissingBenchmark, match="no image"):
        get_benchmark("levin2009").samples(tmp_path)
    (tmp_path / "gopro").mkdir()
    with pytest.raises(MissingBenchmark, match=r"otherwise.*test"):
        get_benchmark("gopro").samples(tmp_path)


def test_sharp_sets_ask_for_the_psfs_they_need(tmp_path):
    making.save(making.scene(), tmp_path / "set12" / "01.png")
    with pytest.raises(MissingBenchmark, match="eight PSFs of levin2009"):
        get_benchmark("set12_noise1").samples(tmp_path)


def test_an_unknown_set_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="mean levin2009"):
        get_benchmark("levin09")


def test_levins_files_are_read_as_published(tmp_path):
    sharp, psf = making.scene(seed=1), line(7, 40)
    folder = tmp_path / "Levin09blurdata"
    folder.mkdir()
    blurred = making.blurred(sharp, psf)[0].double().numpy()
    kernel = np.rot90(psf.kernel.double().numpy(), 2)
    scipy.io.savemat(folder / "im05_flit01.mat", {"x": sharp[0].double().numpy(), "y": blurred, "f": kernel})
    pair = get_benchmark("levin2009").samples(tmp_path)[0].load()
    assert pair.psf is not None
    torch.testing.assert_close(pair.psf.kernel, psf.kernel)
    assert pair.sharp is not None
    torch.testing.assert_close(making.blurred(pair.sharp, pair.psf), pair.blurred)


@pytest.mark.parametrize("name", ["levin2009", "levin2009_selfdeblur", "pan_text", "nightshot", "exdark"])
def test_the_psf_of_a_set_explains_its_blur(name, tmp_path):
    lay(name, tmp_path)
    for sample in get_benchmark(name).samples(tmp_path):
        pair = sample.load()
        assert pair.psf is not None
        assert pair.sharp is not None
        again = Blur(pair.psf, "replicate")(pair.sharp[None])[0]
        assert float((again - pair.blurred).abs().max()) < 0.02


def test_the_same_seed_makes_the_same_images_and_another_does_not(tmp_path):
    lay("set12_noise3", tmp_path)
    made = [
        get_benchmark("set12_noise3").samples(tmp_path, seed=seed)[number].load().blurred
        for seed, number in ((0, 0), (0, 0), (1, 0), (0, 1))
    ]
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])
    assert not torch.equal(made[0], made[3])


@pytest.mark.parametrize("percent", [1, 3, 5])
def test_synthetic_noise_has_the_level_its_name_says(percent, tmp_path):
    lay("levin2009_noise1", tmp_path)
    pair = get_benchmark(f"levin2009_noise{percent}").samples(tmp_path)[0].load()
    assert pair.psf is not None
    clean = get_benchmark("levin2009").samples(tmp_path)[0].load()
    assert clean.sharp is not None
    expected = Blur(pair.psf, "valid")(clean.sharp[None])[0]
    assert float((pair.blurred - expected).std()) == pytest.approx(percent / 100, rel=0.1)


def test_a_sun_scene_is_grey_and_smaller_by_its_psf(tmp_path):
    lay("sun2013", tmp_path)
    pair = get_benchmark("sun2013").samples(tmp_path)[0].load()
    assert pair.psf is not None
    kh, kw = pair.psf.size
    assert pair.blurred.shape == (1, 64 - kh + 1, 72 - kw + 1)


def test_koehler_keeps_all_truths_of_an_image(tmp_path):
    lay("koehler2012", tmp_path)
    pair = get_benchmark("koehler2012").samples(tmp_path)[0].load()
    assert [file.name for file in pair.more_truths] == ["GroundTruth1_2_1.png", "GroundTruth1_2_3.png"]


def test_the_official_list_chooses_the_scenes(tmp_path):
    lay("realblur_j", tmp_path)
    assert names("realblur_j", tmp_path) == ["scene002_blur_1"]


def test_a_frame_without_events_is_left_out(tmp_path):
    lay("events_cups", tmp_path)
    assert names("events_cups", tmp_path) == ["000010"]


def test_sets_may_lie_in_a_folder_called_bench(tmp_path):
    making.levin(tmp_path / "bench")
    assert len(names("levin2009", tmp_path)) == 4


@pytest.mark.parametrize("seed", range(5))
def test_a_random_shake_keeps_its_pace_and_its_centre(seed):
    points = trajectory(generator_for(seed))
    assert points.shape == (SAMPLES, 2)
    pace = (points[1:] - points[:-1]).norm(dim=1)
    torch.testing.assert_close(pace, torch.full_like(pace, LENGTH / (SAMPLES - 1)))
    psf = shake_psf(generator_for(seed))
    height, width = psf.size
    rows, columns = torch.arange(height) - height // 2, torch.arange(width) - width // 2
    assert abs(float(psf.kernel.sum(1) @ rows.float())) < 0.01
    assert abs(float(psf.kernel.sum(0) @ columns.float())) < 0.01
    assert max(psf.size) <= CANVAS + 1


def test_every_quoted_row_names_a_set_a_metric_and_its_source():
    quoted = [row for name in BENCHMARKS for row in published_rows(name)]
    assert len(quoted) > 50
    for row in quoted:
        assert row.source
        assert row.note
        assert row.values
        assert set(row.values) <= set(COLUMNS) >= set(METRICS)


real = pytest.mark.skipif(not DATA, reason="NIGHTSHARP_DATA names no folder with the benchmark sets")


@real
def test_the_published_protocol_gives_the_known_figure_for_the_blurred_levin_images():
    assert DATA is not None
    benchmark = get_benchmark("levin2009_selfdeblur")
    pairs = [sample.load() for sample in benchmark.samples(Path(DATA))]
    values = [score(pair.blurred, pair.sharp, benchmark.protocol, ["psnr"])[0]["psnr"] for pair in pairs]
    assert len(values) == 32
    assert benchmark.protocol.combine(values) == pytest.approx(23.25, abs=0.05)
    means = [np.mean(values[kernel::8]) for kernel in range(8)]
    assert means == pytest.approx([24.11, 22.89, 26.48, 19.96, 27.05, 23.79, 21.23, 20.46], abs=0.05)


@real
@pytest.mark.parametrize("name", ["levin2009", "levin2009_selfdeblur", "pan_text", "nightshot", "lai2016_uniform"])
def test_the_psf_of_a_real_set_has_the_right_orientation(name):
    assert DATA is not None
    samples = get_benchmark(name).samples(Path(DATA))
    for sample in samples[:: max(1, len(samples) // 9)]:
        pair = sample.load()
        assert pair.psf is not None
        assert pair.sharp is not None
        errors = []
        for kernel in (pair.psf.kernel, pair.psf.kernel.flip(0, 1)):
            again = Blur(kernel[None, None], "replicate")(pair.sharp[None])[0]
            protocol = get_benchmark("levin2009").protocol
            errors.append(score(again, pair.blurred, protocol, ["psnr"])[0]["psnr"])
        assert errors[0] > errors[1]
