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
from nightsharp.evaluation.scores import METRICS, score
from nightsharp.evaluation.tables import COLUMNS
from nightsharp.optics import Blur, line

DATA = os.environ.get("NIGHTSHARP_DATA")


def names(set_name: str, data: Path) -> list[str]:
    return [sample.name for sample in get_benchmark(set_name).samples(data)]


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_layout_is_read(name, tmp_path):
    making.lay(name, tmp_path)
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


@pytest.mark.parametrize("name", BENCHMARKS)
def test_an_image_names_every_file_that_it_is_made_of(name, tmp_path):
    making.lay(name, tmp_path)
    sample = get_benchmark(name).samples(tmp_path)[-1]
    for file in tmp_path.rglob("*"):
        if file.is_file() and file not in sample.files:
            file.unlink()
    pair = sample.load()
    assert {*pair.more_truths, *([] if pair.events is None else [pair.events])} < set(sample.files)
    assert all(file.is_file() for file in sample.files)


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


def test_estimates_of_others_belong_to_their_picture(tmp_path):
    making.lay("levin2009_estimated", tmp_path)
    samples = get_benchmark("levin2009_estimated").samples(tmp_path)
    assert [sample.name for sample in samples] == ["im1_ker2_cho_and_lee", "im1_ker2_sun_2013"]
    for sample in samples:
        pair = sample.load()
        assert pair.psf is not None
        assert pair.sharp is not None
        kh, kw = pair.psf.size
        again = Blur(pair.psf, "valid")(pair.sharp[None])[0]
        inner = pair.blurred[:, kh // 2 : -(kh // 2), kw // 2 : -(kw // 2)]
        assert float((again - inner).abs().max()) < 0.02


@pytest.mark.parametrize("name", ["levin2009", "levin2009_selfdeblur", "pan_text", "nightshot", "exdark"])
def test_the_psf_of_a_set_explains_its_blur(name, tmp_path):
    making.lay(name, tmp_path)
    for sample in get_benchmark(name).samples(tmp_path):
        pair = sample.load()
        assert pair.psf is not None
        assert pair.sharp is not None
        again = Blur(pair.psf, "replicate")(pair.sharp[None])[0]
        assert float((again - pair.blurred).abs().max()) < 0.02


def test_the_same_seed_makes_the_same_images_and_another_does_not(tmp_path):
    making.lay("set12_noise3", tmp_path)
    made = [
        get_benchmark("set12_noise3").samples(tmp_path, seed=seed)[number].load().blurred
        for seed, number in ((0, 0), (0, 0), (1, 0), (0, 1))
    ]
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])
    assert not torch.equal(made[0], made[3])


@pytest.mark.parametrize("percent", [1, 3, 5])
def test_synthetic_noise_has_the_level_its_name_says(percent, tmp_path):
    making.lay("levin2009_noise1", tmp_path)
    pair = get_benchmark(f"levin2009_noise{percent}").samples(tmp_path)[0].load()
    assert pair.psf is not None
    clean = get_benchmark("levin2009").samples(tmp_path)[0].load()
    assert clean.sharp is not None
    expected = Blur(pair.psf, "valid")(clean.sharp[None])[0]
    assert float((pair.blurred - expected).std()) == pytest.approx(percent / 100, rel=0.1)


@pytest.mark.parametrize("gain", [4, 16])
def test_a_night_camera_adds_the_noise_of_its_gain_and_burns_out_at_its_white(gain, tmp_path):
    making.lay("cbsd68_kc4", tmp_path)
    pair = get_benchmark(f"cbsd68_kc{gain}").samples(tmp_path)[0].load()
    assert pair.psf is not None
    assert pair.sharp is not None
    clean = Blur(pair.psf, "circular")(pair.sharp[None])[0]
    middling = (clean > 0.4) & (clean < 0.7)
    # photons alone, in steps of 8 bits: variance = gain x value in red and blue, stretched by 1.2 on both axes
    variance = float((pair.blurred - clean)[0][middling[0]].var()) * 255**2
    photons = 1.2 * gain * float(clean[0][middling[0]].mean()) * 255
    assert 1 < variance / photons < 3
    assert float(pair.blurred.max()) == 1.0


def test_a_sun_scene_is_grey_and_smaller_by_its_psf(tmp_path):
    making.lay("sun2013", tmp_path)
    pair = get_benchmark("sun2013").samples(tmp_path)[0].load()
    assert pair.psf is not None
    kh, kw = pair.psf.size
    assert pair.blurred.shape == (1, 64 - kh + 1, 72 - kw + 1)


def test_koehler_keeps_all_truths_of_an_image(tmp_path):
    making.lay("koehler2012", tmp_path)
    pair = get_benchmark("koehler2012").samples(tmp_path)[0].load()
    assert [file.name for file in pair.more_truths] == ["GroundTruth1_2_1.png", "GroundTruth1_2_3.png"]


def test_the_official_list_chooses_the_scenes(tmp_path):
    making.lay("realblur_j", tmp_path)
    assert names("realblur_j", tmp_path) == ["scene002_blur_1"]


def test_a_frame_without_events_is_left_out(tmp_path):
    making.lay("events_cups", tmp_path)
    assert names("events_cups", tmp_path) == ["000010"]


def test_sets_may_lie_in_a_folder_called_bench(tmp_path):
    making.levin(tmp_path / "bench")
    assert len(names("levin2009", tmp_path)) == 4


@pytest.mark.parametrize("seed", range(5))
def test_a_low_light_photograph_is_blurred_by_a_shake_of_at_most_60_pixels_that_moves_nothing(tmp_path, seed):
    making.lay("exdark", tmp_path)
    psf = get_benchmark("exdark").samples(tmp_path, seed=seed)[0].load().psf
    assert psf is not None
    assert max(psf.size) <= 65
    assert max(map(abs, psf.quality().offset)) < 0.01


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
