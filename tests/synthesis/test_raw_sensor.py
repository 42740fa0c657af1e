"""The low-light sensor: its noise in electrons, its codes, its colours."""

import pytest
import torch

from nightsharp.errors import UsageError
from nightsharp.optics.raw_sensor import RawSensor, demosaic, mosaic, photograph, record_raw
from nightsharp.synthesis import generator_for


@pytest.mark.parametrize(("iso", "level"), [(100.0, 0.0), (100.0, 0.5), (1600.0, 0.0), (1600.0, 0.1), (12800.0, 0.5)])
def test_mean_and_variance_are_those_of_photons_and_read_noise(iso, level):
    sensor = RawSensor.at_iso(torch.tensor([iso]))
    # wide rows many times, so that the rows' noise is averaged
    values = record_raw(torch.full((1, 1, 4000, 60), level), sensor, generator=generator_for(int(iso)))
    white, read, row = float(sensor.white), float(sensor.read), float(sensor.row)
    expected = level * white + read**2 + row**2 + (white / 959) ** 2 / 12
    assert float(values.mean()) == pytest.approx(level, abs=4 * (expected / 4000) ** 0.5 / white)
    assert float(values.var()) * white**2 == pytest.approx(expected, rel=0.04)


def test_noise_goes_below_black_and_the_well_is_full_at_one():
    sensor = RawSensor.at_iso(torch.tensor([3200.0]))
    values = record_raw(torch.tensor([0.0, 4.0]).reshape(1, 2, 1, 1).expand(1, 2, 99, 99), sensor)
    assert float(values[:, 0].min()) < 0
    assert abs(float(values[:, 0].mean())) < 1e-3
    assert float(values[:, 1].min()) == 1


def test_the_tail_is_heavier_than_normal():
    quiet = RawSensor(torch.tensor([500.0]), torch.tensor([4.0]), torch.tensor([0.0]))
    values = record_raw(torch.zeros(1, 1, 800, 800), quiet, generator=generator_for(0))
    values = values - values.mean()
    assert float(values.std()) * 500 == pytest.approx(4, rel=0.02)
    assert float(values.pow(4).mean() / values.var() ** 2) > 4


def test_rows_share_what_is_added():
    sensor = RawSensor(torch.tensor([500.0]), torch.tensor([2.0]), torch.tensor([2.0]))
    values = record_raw(torch.zeros(1, 1, 500, 400), sensor, generator=generator_for(0)) * 500
    assert float(values.mean(-1).std()) == pytest.approx(2, rel=0.15)
    assert float(values.mean(-2).std()) < 0.3


def test_values_are_codes_of_the_converter():
    sensor = RawSensor.at_iso(torch.tensor([400.0]))
    codes = record_raw(torch.rand(1, 3, 40, 40), sensor) * 959
    torch.testing.assert_close(codes, codes.round(), atol=1e-3, rtol=0)


def test_demosaicing_restores_what_changes_evenly():
    ramp = torch.linspace(0, 1, 20)
    image = torch.stack([ramp[:, None] + 0 * ramp, 0 * ramp[:, None] + ramp, (ramp[:, None] + ramp) / 2])[None]
    found = demosaic(mosaic(image))
    torch.testing.assert_close(found[..., 1:-1, 1:-1], image[..., 1:-1, 1:-1])


def test_a_colour_that_is_amplified_is_noisier():
    sensor = RawSensor.at_iso(torch.tensor([1600.0]))
    balance = torch.tensor([[2.4, 1.0, 1.3]])
    taken = photograph(torch.full((1, 3, 300, 300), 0.2), sensor, balance=balance, generator=generator_for(0))
    assert [float(channel.mean()) for channel in taken[0]] == pytest.approx([0.2] * 3, abs=2e-3)
    red, green, blue = (float(channel.std()) for channel in taken[0])
    assert red > blue > green


def test_white_stays_white_behind_every_balance():
    balance = torch.tensor([[2.4, 1.0, 1.9]])
    sensor = RawSensor.at_iso(torch.tensor([100.0]))
    taken = photograph(torch.full((1, 3, 40, 40), 8.0), sensor, balance=balance, generator=generator_for(0))
    assert float(taken.min()) == 1


def test_an_iso_speed_has_its_range():
    with pytest.raises(UsageError, match="give 50 to 51,200"):
        RawSensor.at_iso(torch.tensor([0.0]))
