"""Photographs and a recipe small enough to train on in a moment."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nightsharp.training import Job, Trained, load_recipe, train

SMALL = (
    "crop=40",
    "batch=2",
    "steps=6",
    "validate_every=3",
    "validation_crops=3",
    "lr=1e-3",
    "warmup=0",
    "config.features=2",
    "config.width=2",
    "config.blocks=1",
)


@pytest.fixture(scope="session")
def photographs(tmp_path_factory) -> Path:
    """Eight photographs of coloured blocks."""
    folder = tmp_path_factory.mktemp("photographs")
    for number in range(8):
        blocks = np.random.default_rng(number).random((8, 9, 3))
        values = np.kron(blocks, np.ones((8, 8, 1)))
        Image.fromarray(np.round(values * 255).astype(np.uint8)).save(folder / f"{number}.png")
    return folder


def build_small_job(photographs: Path, folder: Path):
    """A function from settings to a job in a folder."""

    def build(*settings: str, out: str = "run", resume: bool = False, minutes: float | None = None) -> Job:
        return Job(load_recipe("dwdn-lite", (*SMALL, *settings)), photographs, folder / out, resume, minutes)

    return build


@pytest.fixture
def small_job(photographs, tmp_path):
    """A function from settings to a job in a folder of the test's own."""
    return build_small_job(photographs, tmp_path)


@pytest.fixture(scope="session")
def whole(photographs, tmp_path_factory) -> Trained:
    """A run that nothing disturbed."""
    return train(build_small_job(photographs, tmp_path_factory.mktemp("whole"))(), accelerator="cpu")
