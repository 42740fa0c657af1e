"""Learned methods in the job users run: their weights, their statistics over the whole, the report."""

from threading import Event

import pytest
import skimage.data
import torch
from PIL import Image

import nightsharp as ns
from nightsharp.errors import UsageError, WeightsError
from nightsharp.methods import get_method
from nightsharp.methods.darkdeblur import DarkDeblurNet
from nightsharp.methods.dwdn import DWDN
from nightsharp.methods.infwide import INFWIDE
from nightsharp.optics import Blur, line
from nightsharp.restore import replay
from nightsharp.restore.function import function_of, network_of, statistics_of
from nightsharp.restore.given import Given
from nightsharp.restore.plan import Work, halo_of
from nightsharp.restore.tiles import Place, in_tiles
from nightsharp.weights import Card, locate, save, sha256

PSF = line(7, 30)


def scene(height: int, width: int) -> torch.Tensor:
    image = torch.from_numpy(skimage.data.astronaut()).float().permute(2, 0, 1) / 255
    return Blur(PSF, "replicate")(image[None, :, :height, :width])[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Weights of both networks as training might have left them, and a photograph."""
    place = tmp_path_factory.mktemp("weights")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        save(place / "dwdn.safetensors", DWDN.lite(), Card(system="dwdn"))
        save(place / "infwide.safetensors", INFWIDE.lite(), Card(system="infwide"))
        save(place / "darkdeblur.safetensors", DarkDeblurNet.lite(), Card(system="darkdeblur"))
    values = (scene(72, 100) * 255).byte().permute(1, 2, 0).numpy()
    Image.fromarray(values).save(place / "photo.png")
    return place


@pytest.mark.parametrize("name", ["dwdn", "infwide"])
def test_a_photo_is_restored_with_weights_from_a_file_and_the_report_names_them(name, folder):
    file = folder / f"{name}.safetensors"
    out = ns.deblur(folder / "photo.png", method=name, weights=file, psf=PSF, guard=False)
    assert out.photo is not None
    assert (out.photo.height, out.photo.width) == (72, 100)
    assert out.report["weights"] == {"name": str(file), "sha256": sha256(file)}
    again = replay(out.report)
    assert torch.equal(again.sharp, out.sharp)


def test_the_report_names_both_networks_of_a_method_with_a_prior(folder):
    out = ns.deblur(folder / "photo.png", method="nightwiener", psf=PSF, guard=False)
    told = out.report["weights"]
    assert told["name"] == "nightwiener"
    assert told["prior"] == {"name": "nightprior", "sha256": sha256(locate("nightprior"))}
    assert "other weights" not in " ".join(replay(out.report).report["warnings"])
    # a report of the days before the prior
    older = {**out.report, "weights": {key: told[key] for key in ("name", "sha256")}}
    assert "other weights" in " ".join(replay(older).report["warnings"])


@pytest.mark.parametrize("name", ["dwdn", "infwide"])
def test_a_grey_image_goes_through_a_colour_network(name, folder):
    out = ns.deblur(scene(40, 56)[:1], method=name, weights=folder / f"{name}.safetensors", psf=PSF, guard=False)
    assert out.sharp.shape == (1, 40, 56)


@pytest.mark.parametrize("name", ["dwdn", "infwide"])
def test_tiles_share_what_was_measured_on_the_whole(name, folder):
    spec = get_method(name)
    blurred = scene(264, 512)
    given = Given(None, blurred, None)
    network = network_of(spec, folder / f"{name}.safetensors")
    told = statistics_of(spec, network, given, PSF)
    assert len(told) == 1
    method = function_of(spec, network, **told)
    kernel = PSF.kernel[None, None]

    def restore(place: Place) -> torch.Tensor:
        # untrained features have hardly any noise, and their deconvolution would ring over the whole photograph
        return method(blurred[None, :, place.rows, place.columns].contiguous(), kernel, strength=0.02)

    halo = halo_of(Work((264, 512), 3, spec, PSF.size, 0, 4, 0, threads=1))
    tiled = torch.cat([band for _, band in in_tiles((264, 512), restore, halo=halo, core=128)], dim=-2)
    whole = restore(Place(0, 1, (264, 512), slice(0, 264), slice(0, 512), Event()))
    inner = (..., slice(64, -64), slice(64, -64))
    assert float((tiled - whole)[inner].abs().max()) < 1e-5
    assert float((tiled - whole).abs().max()) < 2 / 255


def test_missing_weights_are_missed_before_the_search_for_the_psf(folder):
    def never(*_: object) -> None:
        pytest.fail("the work had begun")

    with pytest.raises(WeightsError, match="no weights 'darkdeblur' are shipped"):
        ns.deblur(folder / "photo.png", method="darkdeblur", progress=never)


def test_weights_of_another_network_are_refused(folder):
    with pytest.raises(WeightsError, match="weights of dwdn, not of infwide"):
        ns.deblur(folder / "photo.png", method="infwide", weights=folder / "dwdn.safetensors", psf=PSF)


def test_a_method_without_a_network_takes_no_weights(folder):
    with pytest.raises(UsageError, match="wiener has no network"):
        ns.deblur(folder / "photo.png", method="wiener", weights=folder / "dwdn.safetensors", psf=PSF)


def test_a_method_of_one_pass_asks_for_no_psf_and_takes_none(folder):
    weights = folder / "darkdeblur.safetensors"
    out = ns.deblur(folder / "photo.png", method="darkdeblur", weights=weights)
    assert out.report["route"] == {
        "estimator": None,
        "method": "darkdeblur",
        "reason": "no PSF given -> darkdeblur (asked for)",
    }
    assert out.report["psf"]["source"] == "none needed"
    assert out.report["guard"]["kept"] == "result"
    with pytest.raises(UsageError, match="looks at the photo alone"):
        ns.deblur(folder / "photo.png", method="darkdeblur", weights=weights, psf=PSF)


def test_the_guard_keeps_the_colours_of_a_method_without_a_psf():
    from nightsharp.restore.guard import check_tile

    seen = scene(200, 200)[None] * 0.5 + 0.2
    wrong = seen.clone()
    wrong[:, 0, :, 100:] *= 2
    checked = check_tile(seen, wrong, None, sigma=torch.zeros(1, 3, 1, 1), clip=None)
    assert checked.reasons == ("colour drift",)
    assert torch.equal(checked.sharp[..., 150:], seen[..., 150:])
    assert torch.equal(checked.sharp[..., :40], wrong[..., :40])


def test_weights_of_ones_own_have_a_plan_without_a_time(folder):
    plans = []
    weights = folder / "darkdeblur.safetensors"
    ns.deblur(torch.zeros(3, 700, 720), method="darkdeblur", weights=weights, tell_plan=plans.append)
    assert [plan.seconds for plan in plans] == [None]
