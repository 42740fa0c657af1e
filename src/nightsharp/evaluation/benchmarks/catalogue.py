"""The sets by name: where each lies, how it is read, under which protocol its figures stand."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nightsharp._endings import photographs_below
from nightsharp.errors import UsageError
from nightsharp.evaluation.benchmarks import camera, event_sets, folders, lai, levin, pan
from nightsharp.evaluation.benchmarks.missing import MissingBenchmark, find_folder
from nightsharp.evaluation.benchmarks.pair import Sample
from nightsharp.evaluation.protocol import Protocol

Reader = Callable[[Path, int], list[Sample]]


@dataclass(frozen=True)
class Benchmark:
    """A set.

    Attributes:
        name: as users type it.
        title: one line on what it holds.
        places: where its folder may lie in the data folder, or in ``bench/`` there; the first that exists is read.
        layout: what the folder holds.
        source: the paper, and where to get the files.
        protocol: how results are compared.
        read: the reader, called with the folder and a seed; exactly one of the two readers is given.
        read_with_psfs: the reader of a set of sharp images, called also with the folder of Levin's PSFs.
    """

    name: str
    title: str
    places: tuple[str, ...]
    layout: str
    source: str
    protocol: Protocol
    read: Reader | None = None
    read_with_psfs: Callable[[Path, Path, int], list[Sample]] | None = None

    def samples(self, data: Path, *, seed: int = 0) -> list[Sample]:
        """The images of the set, none of them read yet.

        Args:
            data: the folder that holds the sets, or holds them in ``bench/``.
            seed: of what is drawn where the set is made from sharp images.

        Raises:
            MissingBenchmark: the folder is not there or holds no image of this set.
        """
        folder = find_folder(data, self.places)
        if folder is None:
            raise MissingBenchmark(
                f"the set {self.name} is not in {data}. Expected: {' or '.join(f'{p}/' for p in self.places)} "
                f"with {self.layout}. From: {self.source}."
            )
        try:
            found = self._read(folder, data, seed)
        except FileNotFoundError as problem:
            raise MissingBenchmark(
                f"the set {self.name} in {folder} is laid out otherwise: {problem.filename} is missing. "
                f"Expected: {self.layout}."
            ) from problem
        if not found:
            raise MissingBenchmark(f"the set {self.name} in {folder} holds no image. Expected: {self.layout}.")
        return found

    def _read(self, folder: Path, data: Path, seed: int) -> list[Sample]:
        if self.read is not None:
            return self.read(folder, seed)
        assert self.read_with_psfs is not None
        psfs = find_folder(data, ("levin2009",))
        if psfs is None or not (psfs / "kernel").is_dir():
            raise MissingBenchmark(
                f"the set {self.name} takes the eight PSFs of levin2009, which are not in {data}. "
                f"Expected: levin2009/kernel/ker01.npy ... From: {_LEVIN}."
            )
        return self.read_with_psfs(folder, psfs, seed)


def _sun(folder: Path, psfs: Path, seed: int) -> list[Sample]:
    images = photographs_below(folder / "gt")
    return levin.on_folder(images, levin.psfs(psfs), seed, 0.01, circular=False, grey=True)


def _classic(folder: Path, psfs: Path, seed: int, noise: float) -> list[Sample]:
    return levin.on_folder(photographs_below(folder), levin.psfs(psfs), seed, noise, circular=True, grey=False)


def _at_gain(folder: Path, psfs: Path, seed: int, gain: int) -> list[Sample]:
    return camera.at_gain(photographs_below(folder), levin.psfs(psfs), seed, gain)


_LEVIN = "Levin, Weiss, Durand and Freeman, CVPR 2009 (webee.technion.ac.il/people/anat.levin)"
_EVENTS = "Zhou, Teng, Han, Li and Wang, 'Deblurring low-light images with events', IJCV 2023 (its repository)"
_LEVIN_PROTOCOL = Protocol(quantise=True, border=15, reach=5, ssim="wang")
_WHOLE = Protocol(quantise=True)


def _levin_sets() -> list[Benchmark]:
    return [
        Benchmark(
            "levin2009",
            "32 captured images: 4 scenes x 8 PSFs, a truth for each pair",
            ("levin2009", "Levin09blurdata"),
            "blurred/im01_ker01.png ..., gt/im01_ker01.png ..., kernel/ker01.npy ... (convolution orientation), "
            "or im05_flit01.mat ... as published",
            _LEVIN,
            _LEVIN_PROTOCOL,
            levin.captured,
        ),
        Benchmark(
            "levin2009_selfdeblur",
            "The same 32 images with one truth for each scene",
            ("levin2009/selfdeblur_png", "selfdeblur/datasets/levin"),
            "im1_kernel1_img.png ..., gt/im1.png ..., gt/kernel1.png ...",
            "Ren et al., CVPR 2020 (github.com/csdwren/SelfDeblur, datasets/levin)",
            Protocol(clip=False, border=15, reach=5, ssim="wang"),
            levin.selfdeblur,
        ),
        *(
            Benchmark(
                f"levin2009_noise{percent}",
                f"The 4 sharp scenes x 8 PSFs, synthetic blur, {percent} % Gaussian noise",
                ("levin2009",),
                "gt/im01_ker01.png ..., kernel/ker01.npy ...",
                _LEVIN,
                Protocol(quantise=True, border=15),
                partial(levin.synthetic, noise=percent / 100),
            )
            for percent in (1, 3, 5)
        ),
    ]


def _estimated_sets() -> list[Benchmark]:
    return [
        Benchmark(
            "levin2009_estimated",
            "The 4 sharp scenes x 8 PSFs, 1 % Gaussian noise, given what five blind methods estimated: 159 wrong PSFs",
            ("levin2009_kernel_uncertainty",),
            "ker_levin/sigma_2.55_ker_levin_valid/im_1_ker_1.png ..., sharp/im_1.png ..., "
            "BD_cho_and_lee_tog_2009/kernel_estimates/k_1_im_1_cho_and_lee.png ...",
            "Vasu, Maligireddy and Rajagopalan, CVPR 2018; the files: github.com/xl-tang3/UAUDeblur",
            Protocol(quantise=True, border=15, reach=5),
            levin.estimated,
        )
    ]


def _classic_sets() -> list[Benchmark]:
    layout = "the sharp pictures; the PSFs come from levin2009/kernel"
    source = "the usual collections (github.com/cszn/IRCNN, testsets)"
    titles = {
        "set12": "12 grey pictures",
        "cbsd68": "68 Berkeley photographs",
        "kodak24": "24 Kodak photographs",
        "set3c": "3 colour pictures",
        "set3g": "3 grey pictures",
    }
    places = {name: (f"classic/{name}", name, name.upper()) for name in titles}
    noisy = [
        Benchmark(
            f"{name}_noise{percent}",
            f"{title} x Levin's 8 PSFs, circular blur, {percent} % Gaussian noise",
            places[name],
            layout,
            source,
            _WHOLE,
            read_with_psfs=partial(_classic, noise=percent / 100),
        )
        for name, title in titles.items()
        for percent in (1, 3, 5)
    ]
    at_night = [
        Benchmark(
            f"{name}_kc{gain}",
            f"{titles[name]} x Levin's 8 PSFs, circular blur, INFWIDE's camera at gain {gain}, white at 1/1.2",
            places[name],
            layout,
            source,
            _WHOLE,
            read_with_psfs=partial(_at_gain, gain=gain),
        )
        for name in ("cbsd68", "kodak24")
        for gain in (4, 8, 16)
    ]
    return noisy + at_night


def _scene_sets() -> list[Benchmark]:
    return [
        Benchmark(
            "sun2013",
            "80 grey scenes x Levin's 8 PSFs, 1 % Gaussian noise (regenerated: another draw)",
            ("sun2013_scenes", "sun2013"),
            "gt/img_001.png ...; the PSFs come from levin2009/kernel",
            "Sun, Cho, Wang and Hays, ICCP 2013; the scenes: Sun and Hays 2012 (github.com/jbhuang0604/SelfExSR)",
            Protocol(quantise=True, border=13),
            read_with_psfs=_sun,
        ),
        Benchmark(
            "lai2016_uniform",
            "25 images x 4 PSFs of 31 to 75 px, circular, 1 % noise (regenerated; 'saturated' is indicative only)",
            ("lai2016_uniform",),
            "gt/manmade_01.png ..., kernel/kernel_01.png ...",
            "Lai, Huang, Hu, Ahuja and Yang, CVPR 2016 (vllab.ucmerced.edu/wlai24/cvpr16_deblur_study)",
            Protocol(colour="studio luma", quantise=True, border=15, reach=10, ssim="wang"),
            lai.uniform,
        ),
        Benchmark(
            "lai2016_real",
            "100 real photographs without truth",
            ("lai2016_real",),
            "blurry/*.jpg",
            "Lai, Huang, Hu, Ahuja and Yang, CVPR 2016 (vllab.ucmerced.edu/wlai24/cvpr16_deblur_study)",
            _WHOLE,
            lai.real,
        ),
        Benchmark(
            "koehler2012",
            "4 images x 12 recorded shakes, about 199 truths each",
            ("koehler2012", "kohler2012", "kohler"),
            "BlurryImages/Blurry1_1.png ... and GroundTruth1_1_1.png ... anywhere below",
            "Köhler, Hirsch, Mohler, Schölkopf, Harmeling, ECCV 2012 (webdav.tue.mpg.de/pixel/benchmark4camerashake)",
            Protocol(quantise=True, border=24, reach=16, step=1.0),
            folders.koehler,
        ),
        Benchmark(
            "pan_lowillumination",
            "Night scenes with light streaks x 8 PSFs",
            ("pan_lowillumination",),
            "blurred/saturated_img1_1_blur.png ..., gt/saturated_img1.png ..., kernel/ker01.npy ...",
            "Pan, Hu, Su and Yang, TPAMI 2017",
            Protocol(quantise=True, border=30, reach=5, step=1.0),
            pan.low_illumination,
        ),
        Benchmark(
            "pan_text",
            "Text images x 8 PSFs, no noise",
            ("pan_text",),
            "blurred/im01_ker01_blur.png ..., gt/im01.png ..., kernel/ker01.npy ...",
            "Pan, Hu, Su and Yang, CVPR 2014",
            Protocol(quantise=True, border=30, reach=5, step=1.0),
            pan.text,
        ),
    ]


def _night_sets() -> list[Benchmark]:
    return [
        Benchmark(
            "nightshot",
            "Pre-rendered night pairs with PSF and strong sensor noise, circular blur",
            ("infwide_nightshot_exp", "nightshot"),
            "blur_kc8/*.png, gt/*.png, kernel/*.png",
            "Zhang, Cheng, Suo, Bian and Dai, 'INFWIDE', TIP 2023 (github.com/zhihongz/INFWIDE)",
            Protocol(clip=False, ssim="uniform7"),
            folders.nightshot,
        ),
        Benchmark(
            "exdark",
            "Low-light photographs under random camera trajectories",
            ("exdark", "ExDark"),
            "<class>/*.jpg ..., and test.txt for a split",
            "Loh and Chan, CVIU 2019 (github.com/cs-chan/Exclusively-Dark-Image-Dataset)",
            _WHOLE,
            folders.exdark,
        ),
        Benchmark(
            "darkshake",
            "100 real night pairs of two phones",
            ("darkshake", "DarkShake"),
            "blur/*.png, sharp/*.png with the same names",
            "Sharif, Naqvi, Ali and Biswas, 'DarkDeblur' (github.com/sharif-apu/DarkDeblur)",
            _WHOLE,
            folders.darkshake,
        ),
        Benchmark(
            "lol_blur",
            "Dark and blurred video frames; the truth is brighter as well",
            ("lol_blur", "LOLBlur"),
            "test/low_blur/<sequence>/*.png, test/high_sharp_scaled/<sequence>/*.png",
            "Zhou, Li and Loy, 'LEDNet', ECCV 2022 (github.com/sczhou/LEDNet)",
            _WHOLE,
            folders.lol_blur,
        ),
    ]


def _video_sets() -> list[Benchmark]:
    return [
        Benchmark(
            "gopro",
            "Frames averaged from 240 fps video",
            ("gopro", "GoPro", "GOPRO_Large"),
            "test/<sequence>/blur/*.png, test/<sequence>/sharp/*.png",
            "Nah, Kim and Lee, CVPR 2017 (seungjunnah.github.io/Datasets/gopro)",
            _WHOLE,
            folders.gopro,
        ),
        *(
            Benchmark(
                f"realblur_{kind.lower()}",
                f"Pairs of a beam splitter, {words}",
                (f"realblur_{kind.lower()}", f"RealBlur-{kind}_ECC_IMCORR_centroid_itensity_ref", f"RealBlur-{kind}"),
                f"scene001/blur/blur_1.png ..., scene001/gt/gt_1.png ..., RealBlur_{kind}_test_list.txt for the split",
                "Rim, Lee, Won and Cho, ECCV 2020 (cg.postech.ac.kr/research/realblur)",
                _WHOLE,
                folders.realblur,
            )
            for kind, words in (("J", "camera JPEG"), ("R", "raw"))
        ),
        Benchmark(
            "reds",
            "Frames averaged from interpolated 120 fps video",
            ("reds", "REDS"),
            "val/val_blur/<sequence>/*.png, val/val_sharp/<sequence>/*.png",
            "Nah et al., CVPRW 2019 (seungjunnah.github.io/Datasets/reds)",
            _WHOLE,
            folders.reds,
        ),
        Benchmark(
            "pairs",
            "Your own pairs",
            ("pairs", "."),
            "blurred/*, sharp/* with the same names, and psf/* if there are PSFs",
            "any two folders of pictures",
            _WHOLE,
            folders.plain,
        ),
    ]


def _event_sets() -> list[Benchmark]:
    linear = "linear light"
    return [
        Benchmark(
            "events_grey",
            f"Synthetic grey frames with events, {linear}",
            ("events/test", "low_light_events/test"),
            "share/APS_blur/*.png, subnetwork2/APS/*.png, others/events/*.npy",
            _EVENTS,
            _WHOLE,
            event_sets.synthetic(colour=False),
        ),
        Benchmark(
            "events_rgb",
            f"Synthetic colour frames with events of a third of their size, {linear}",
            ("events/test", "low_light_events/test"),
            "subnetwork2/RGB_blur/*.png, subnetwork2/RGB/*.png, others/events/*.npy",
            _EVENTS,
            _WHOLE,
            event_sets.synthetic(colour=True),
        ),
        Benchmark(
            "events_davis",
            f"Real DAVIS346 frames with voxel grids, {linear}, no truth",
            ("events/real", "low_light_events/real"),
            "APS_blur/*.png, events_voxel_grid/*.npy",
            _EVENTS,
            _WHOLE,
            event_sets.real(colour=False),
        ),
        Benchmark(
            "events_hybrid",
            f"Real colour frames with voxel grids of a DAVIS346, {linear}, no truth",
            ("events/hybrid", "low_light_events/hybrid"),
            "RGB_blur/*.png, events_voxel_grid/*.npy",
            _EVENTS,
            _WHOLE,
            event_sets.real(colour=True),
        ),
        Benchmark(
            "events_cups",
            "Real dim DAVIS346 frames with raw events, no truth",
            ("events/eslnet_cups", "eslnet_cups"),
            "000010.png ... and 000010.npz ... (t_us, x, y, p)",
            "Yu et al., 'eSL-Net' (github.com/ShinyWang33/eSL-Net, data_example/cups, converted to npz)",
            _WHOLE,
            event_sets.beside,
        ),
    ]


BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (
        *_levin_sets(),
        *_estimated_sets(),
        *_classic_sets(),
        *_scene_sets(),
        *_night_sets(),
        *_video_sets(),
        *_event_sets(),
    )
}


def get_benchmark(name: str) -> Benchmark:
    """The set of that name.

    Raises:
        UsageError: there is none; the message offers the nearest.

    Example:
        >>> print(get_benchmark("levin2009").protocol)
        colours as they are, clipped, 8 bits, 15 px border left out, best shift within 5 px in steps of 0.25 px,
        peak 1, SSIM Wang, down-sampled, mean over images
    """
    if name not in BENCHMARKS:
        near = difflib.get_close_matches(name, BENCHMARKS, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(f"the set {name!r} is unknown. {hint}There are {', '.join(BENCHMARKS)}.")
    return BENCHMARKS[name]
