"""The sensor: photons scatter as Poisson says, the amplifier as Gauss says, and the well is full at 1."""

import math

import pytest
import torch

from nightsharp.errors import UsageError
from nightsharp.optics import expose


def recorded(level: float, photons: float, read_noise: float, generator: torch.Generator) -> torch.Tensor:
    light = torch.full((1, 1, 400, 500), level, dtype=torch.float64)
    return expose(light, photons=photons, read_noise=read_noise, generator=generator)


@pytest.mark.parametrize("level", [0.1, 0.3, 0.6])
@pytest.mark.parametrize("photons", [300, 1000, 20000])
@pytest.mark.parametrize("read_noise", [0.0, 0.01])
def test_mean_and_variance_are_those_of_the_model(level, photons, read_noise, generator):
    values = recorded(level, photons, read_noise, generator)
    variance = level / photons + read_noise**2
    # four standard errors; the variance of a sample variance is about 2 / n
    assert float(values.mean()) == pytest.approx(level, abs=4 * math.sqrt(variance / values.numel()))
    assert float(values.var()) == pytest.approx(variance, rel=4 * math.sqrt(2.2 / values.numel()))


def test_without_read_noise_the_values_are_whole_photons(generator):
    counts = recorded(0.3, 200, 0.0, generator) * 200
    torch.testing.assert_close(counts, counts.round())


def test_the_well_is_full_at_one_and_empty_at_zero(generator):
    light = torch.tensor([-0.5, 0.0, 5.0]).reshape(1, 3, 1, 1).expand(1, 3, 50, 50)
    values = expose(light, photons=500, read_noise=0.05, generator=generator)
    assert float(values.min()) == 0
    assert float(values.max()) == 1
    assert float(values[:, 2].mean()) == 1
    # half of the read noise is cut off below black
    assert float(values[:, :2].mean()) == pytest.approx(0.05 / math.sqrt(2 * math.pi), rel=0.1)


def test_the_same_generator_state_gives_the_same_exposure():
    light = torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    one, same, other = (
        expose(light, photons=300, read_noise=0.01, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_dtype_is_kept(dtype):
    assert expose(torch.rand(1, 1, 8, 8, dtype=dtype), photons=100).dtype == dtype


@pytest.mark.parametrize("photons", [0.0, -5.0, math.nan, math.inf])
def test_a_pixel_needs_photons(photons):
    with pytest.raises(UsageError, match="photons is"):
        expose(torch.rand(1, 1, 8, 8), photons=photons)


@pytest.mark.parametrize("read_noise", [-0.1, math.nan, math.inf])
def test_read_noise_is_a_standard_deviation(read_noise):
    with pytest.raises(UsageError, match="read_noise is"):
        expose(torch.rand(1, 1, 8, 8), photons=100.0, read_noise=read_noise)
