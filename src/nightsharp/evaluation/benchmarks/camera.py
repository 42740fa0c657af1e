"""Sharp pictures through INFWIDE's camera: the noise of a CMOS sensor at a high gain, and lights that burn out."""

from pathlib import Path

from nightsharp.evaluation.benchmarks.pair import Pair, Sample, read_image
from nightsharp.optics import Blur, Psf
from nightsharp.optics.cmos import STRETCH, CmosSettings, cmos_codes, saturate
from nightsharp.synthesis.seeds import generator_for


def at_gain(images: list[Path], kernels: list[tuple[Path, Psf]], seed: int, gain: int) -> list[Sample]:
    r"""Every picture under every PSF, circular blur, recorded at one gain.

    .. math:: y = \min\big(1,\; 1.2\,\mathrm{cmos}_{k_c}(k * x)\big), \qquad \text{truth } \min(1,\, 1.2\,x)

    The camera's white lies at 1 / 1.2 of the picture's; both are shown as white, so that every method meets saturation
    where it expects it. The other settings of the camera are drawn for each picture.

    Source: Zhang et al., "INFWIDE", IEEE TIP 2023: gains 4, 8 and 16 in its tests.
    """

    def sample(file: Path, psf_file: Path, psf: Psf) -> Sample:
        kernel = psf_file.stem

        def load() -> Pair:
            sharp = read_image(file).expand(3, -1, -1)
            source = generator_for(seed, file.stem, kernel, f"kc{gain}")
            settings = CmosSettings.drawn(1, gain=gain, generator=source)
            blurred = Blur(psf, "circular")(sharp[None]).clamp(0, 1)
            recorded = saturate(cmos_codes(blurred, settings, generator=source))[0] * STRETCH
            return Pair(recorded.clamp(0, 1), (sharp * STRETCH).clamp(0, 1), psf)

        return Sample(f"{file.stem}_{kernel}", load, kernel, (file, psf_file))

    return [sample(file, psf_file, psf) for file in images for psf_file, psf in kernels]
