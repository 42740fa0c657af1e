"""Recipes: what a run learns, in one flat table."""

import pytest

from nightsharp.errors import RecipeError
from nightsharp.training.recipe import load_recipe, shipped_recipes


@pytest.mark.parametrize("name", shipped_recipes())
def test_every_shipped_recipe_reads(name):
    assert load_recipe(name).name == name


def test_dwdn_is_trained_as_its_authors_did():
    recipe = load_recipe("dwdn")
    assert (recipe.optimizer, recipe.lr, recipe.betas, recipe.weight_decay) == ("adam", 1e-4, (0.9, 0.999), 0)
    assert (recipe.crop, recipe.batch, recipe.clip_value, recipe.seed) == (256, 8, 0.5, 1)
    assert (recipe.decay, recipe.decay_factor, recipe.decay_every) == ("step", 0.5, recipe.steps // 2)


def test_infwide_is_trained_as_its_authors_did():
    recipe = load_recipe("infwide")
    assert (recipe.optimizer, recipe.amsgrad, recipe.lr, recipe.clip_value) == ("adam", True, 2e-4, 0.5)
    assert (recipe.decay, recipe.decay_factor, recipe.decay_every) == ("step", 0.5, recipe.steps // 8)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("stps=50", "no key 'stps'. Did you mean 'steps'"),
        ("learning=1", "no key 'learning'"),
        ("lr", "not key=value"),
        ("lr=fast", "lr = 'fast' cannot be"),
        ("steps=0", "steps = 0 cannot be"),
        ("lr=nan", "lr = nan cannot be"),
        ("decay=cosin", "decay = 'cosin' cannot be"),
    ],
)
def test_what_a_recipe_does_not_know_is_refused_by_name(setting, words):
    with pytest.raises(RecipeError, match=words):
        load_recipe("dwdn", (setting,))


def test_an_unknown_recipe_is_refused_with_the_nearest_name():
    with pytest.raises(RecipeError, match="Did you mean 'dwdn-lite'"):
        load_recipe("dwdn-light")


def test_single_values_go_over_the_recipe():
    recipe = load_recipe(
        "dwdn", ("steps=7", "betas=[0.5, 0.9]", "clip_value=none", "decay=cosine", "config.features=4")
    )
    assert (recipe.steps, recipe.betas, recipe.clip_value, recipe.decay) == (7, (0.5, 0.9), None, "cosine")
    assert recipe.config["features"] == 4


def test_a_file_is_a_recipe_too_and_its_unknown_keys_are_named(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text('network = "dwdn"\npipeline = "dwdn"\ncrop = 64\nbatch = 2\nlr = 1e-3\nsteps = 9\ndecay = "none"\n')
    assert load_recipe(own).name == "own"
    own.write_text(own.read_text() + "optimiser = 'adam'\n")
    with pytest.raises(RecipeError, match=r"no key 'optimiser'\. Did you mean 'optimizer'"):
        load_recipe(own)
    own.write_text("network = 'dwdn'\nsteps = = 3")
    with pytest.raises(RecipeError, match=r"own.toml is not TOML: .*line 2"):
        load_recipe(own)
    own.write_text("network = 'dwdn'")
    with pytest.raises(RecipeError, match="lacks 'pipeline'"):
        load_recipe(own)
