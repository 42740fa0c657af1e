"""DarkDeblurNet in training: with an opponent and without, resumed, and as its recipes say."""

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from nightsharp import weights
from nightsharp.errors import PhotoError, RecipeError, WeightsError
from nightsharp.training import Job, load_recipe, shipped_recipes, train
from nightsharp.training.batches import Batches
from nightsharp.training.network import build_network
from nightsharp.training.objectives.darkdeblur import Settings
from nightsharp.training.split import split_photographs

SMALL = (
    "pipeline=infwide",
    "crop=40",
    "batch=2",
    "steps=4",
    "validate_every=2",
    "validation_crops=2",
    "lr=1e-3",
    "config.widths=[4, 4, 4, 4]",
    "config.growth=2",
    "objective.opponent_width=4",
    "objective.vgg=none",
)
RECIPES = [name for name in shipped_recipes() if name.startswith("darkdeblur")]


class PowerCut(Exception):  # noqa: N818
    """Nothing is written any more."""


@pytest.fixture
def small_job(photographs, tmp_path):
    """A function from settings to a job in a folder of its own."""

    def build(*settings: str, name: str = "darkdeblur", out: str = "run", resume: bool = False) -> Job:
        return Job(load_recipe(name, (*SMALL, *settings)), photographs, tmp_path / out, resume)

    return build


def same_tensors(one, other) -> bool:
    first, second = load_file(one), load_file(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("name", ["darkdeblur", "darkdeblur-code", "darkdeblur-night"])
def test_network_and_opponent_take_turns(small_job, name):
    trained = train(small_job("displayed=false", name=name), accelerator="cpu")
    assert list(trained.rows[-1].terms) == ["reconstruction", "structure", "adversarial"]
    state = load_file(trained.state)
    assert int(state["opponent/steps"]) == 4
    fresh = train(small_job("displayed=false", "steps=1", name=name, out="short"), accelerator="cpu")
    moved = [key for key, value in load_file(fresh.state).items() if not torch.equal(value, state[key])]
    assert any(key.startswith("opponent/network/convs.0") for key in moved)
    assert any(key.startswith("network/enter") for key in moved)
    assert vars(weights.load(str(trained.weights)))["config"]["widths"] == (4, 4, 4, 4)


@pytest.mark.parametrize("name", ["darkdeblur", "darkdeblur-code"])
def test_a_run_with_an_opponent_goes_on_as_if_it_had_not_been_stopped(small_job, name):
    def cut(event) -> None:
        if event.row is None and event.step == 3:
            raise PowerCut

    whole = train(small_job(name=name, out="whole"), accelerator="cpu")
    with pytest.raises(PowerCut):
        train(small_job(name=name), accelerator="cpu", notify=cut)
    resumed = train(small_job(name=name, resume=True), accelerator="cpu")
    assert same_tensors(resumed.state, whole.state)
    assert same_tensors(resumed.weights, whole.weights)


def test_there_is_no_opponent_where_its_weight_is_0(small_job):
    alone = train(small_job("objective.adversarial=0"), accelerator="cpu")
    assert not any(key.startswith("opponent/") for key in load_file(alone.state))
    assert "adversarial" not in alone.rows[-1].terms


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_can_be_built(name):
    recipe = load_recipe(name)
    settings = Settings.of(recipe.objective, name)
    network = build_network(recipe)
    assert vars(network)["config"]["variant"] == recipe.config["variant"]
    if settings.weights().adversarial:
        assert settings.opponent == recipe.config["variant"]
    if settings.weights().perceptual:
        assert settings.vgg == "hub"


def test_the_recipes_are_those_of_the_paper():
    paper = load_recipe("darkdeblur")
    assert round(7363 * paper.held_out) == 563
    assert Settings.of(paper.objective, "").weights() == Settings().weights()
    code = Settings.of(load_recipe("darkdeblur-code").objective, "")
    assert code.weights() == Settings(terms="code").weights()
    table = [(r.config["attention"], r.config["gates"]) for r in map(load_recipe, RECIPES) if "gates" in r.config]
    assert sorted(table) == [(False, False), (True, False), (True, True)]


def test_pairs_of_linear_light_are_shown_as_a_screen_wants_them(photographs):
    settings = ("crop=32", "batch=2", "synthesis.largest_psf=5")
    shown, linear = (
        Batches(photographs, load_recipe("darkdeblur-lite", (*settings, f"displayed={kind}")), "training")
        for kind in ("true", "false")
    )
    one, other = (batches.batch(0, batches.sharp(0)).pairs for batches in (shown, linear))
    assert float(one.sharp.mean()) > float(other.sharp.mean())
    torch.testing.assert_close(one.psf, other.psf)


def test_what_an_objective_does_not_have_is_refused(small_job, photographs, tmp_path):
    with pytest.raises(RecipeError, match=r"objective\.perceptul = 1 cannot be: .* The objective has terms, recon"):
        train(small_job("objective.perceptul=1"), accelerator="cpu")
    with pytest.raises(WeightsError, match=r"there is no such file.*--set objective\.vgg=none"):
        train(small_job(f"objective.vgg={tmp_path / 'none.pth'}", out="other"), accelerator="cpu")
    recipe = load_recipe("dwdn-lite", ("crop=40", "objective.structure=1"))
    with pytest.raises(RecipeError, match="the objective of dwdn has nothing to set"):
        train(Job(recipe, photographs, tmp_path / "dwdn"), accelerator="cpu")


@pytest.fixture(params=["{sequence}/{kind}", "train_{kind}/{sequence}"], ids=["GoPro", "REDS"])
def frames(request, tmp_path):
    """Two sequences of five frames; the blurred ones are half as bright."""
    for sequence in ("one", "two"):
        for number in range(5):
            values = np.random.default_rng(number).integers(100, 256, (48, 56, 3))
            for kind, part in (("sharp", 1), ("blur", 2)):
                folder = tmp_path / "frames" / request.param.format(sequence=sequence, kind=kind)
                folder.mkdir(parents=True, exist_ok=True)
                Image.fromarray((values // part).astype(np.uint8)).save(folder / f"{number:06}.png")
    return tmp_path / "frames"


def test_recorded_frames_are_learned_from_in_pairs(frames, tmp_path):
    recipe = load_recipe("darkdeblur-gopro", (*SMALL, "pipeline=recorded"))
    batches = Batches(frames, recipe, "training")
    assert len(batches.crops.files) == 6  # every second frame of each sequence
    pairs = batches.batch(0, batches.sharp(0)).pairs
    torch.testing.assert_close(pairs.blurred, pairs.sharp / 2, rtol=0, atol=1 / 255)
    split = split_photographs(batches.crops.files, frames, 0, tmp_path / "split.json")
    assert [len(side) for side in (split.train, split.held_out)] == [3, 3]
    assert len({file.parent for file in split.held_out}) == 1
    trained = train(Job(recipe, frames, tmp_path / "run"), accelerator="cpu")
    assert trained.rows[-1].step == 4


def test_recorded_frames_that_cannot_be_learned_from_are_refused(photographs):
    with pytest.raises(PhotoError, match="holds no frames with their blurred ones"):
        Batches(photographs, load_recipe("darkdeblur-reds"), "training")
    with pytest.raises(RecipeError, match="dwdn needs a PSF, which nobody knows of recorded frames"):
        Batches(photographs, load_recipe("dwdn-lite", ("pipeline=recorded",)), "training")
