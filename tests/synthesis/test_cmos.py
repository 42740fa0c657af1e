"""INFWIDE's camera against the figures measured of the released one."""

import pytest
import torch

from nightsharp.errors import UsageError
from nightsharp.optics.cmos import CmosSettings, cmos_codes, saturate
from nightsharp.synthesis import generator_for

# (gain, value): (mean of red, its standard deviation, mean of green, its standard deviation), 8-bit steps, measured
# with row gain 0.02, read noise 2 and dark current 5
MEASURED = {
    (4, 0): (5.4, 7.2, 2.5, 3.5),
    (4, 50): (52.9, 17.3, 51.1, 11.3),
    (4, 128): (130.7, 24.9, 129.1, 16.9),
    (4, 200): (202.4, 28.7, 200.6, 20.8),
    (8, 0): (10.9, 14.2, 5.2, 7.0),
    (8, 50): (56.1, 27.7, 52.8, 17.2),
    (8, 128): (134.0, 37.6, 130.6, 24.7),
    (8, 200): (202.9, 38.8, 202.4, 28.9),
    (15, 0): (20.5, 26.6, 10.0, 13.4),
    (15, 50): (63.0, 43.6, 55.4, 26.6),
    (15, 128): (138.9, 55.6, 133.2, 36.1),
    (15, 200): (200.7, 50.5, 202.2, 37.9),
}


def settings(gain: float, count: int = 1) -> CmosSettings:
    gains, read, dark, row = (torch.full((count,), value) for value in (gain, 2.0, 5.0, 0.02))
    return CmosSettings(gains, read, dark, row)


@pytest.mark.parametrize(("gain", "value"), MEASURED)
def test_mean_and_deviation_are_those_of_the_released_camera(gain, value):
    codes = 255 * cmos_codes(
        torch.full((1, 3, 500, 400), value / 255), settings(float(gain)), generator=generator_for(gain, value)
    )
    found = [float(figure) for channel in (0, 1) for figure in (codes[:, channel].mean(), codes[:, channel].std())]
    for figure, expected in zip(found, MEASURED[gain, value], strict=True):
        # the row gain is common to 400 pixels, so 500 rows leave its mean uncertain by 0.1 % of the value
        assert figure == pytest.approx(expected, abs=0.25 + 0.012 * expected)


def test_red_and_blue_are_alike_and_every_value_is_a_code():
    codes = 255 * cmos_codes(torch.full((2, 3, 300, 300), 0.4), settings(8.0, 2), generator=generator_for(0))
    torch.testing.assert_close(codes, codes.round(), atol=1e-3, rtol=0)
    assert float((codes[:, 0].mean() - codes[:, 2].mean()).abs()) < 0.5


def test_rows_share_their_gain():
    codes = cmos_codes(torch.full((1, 3, 400, 400), 0.4), settings(4.0), generator=generator_for(0))
    rows, columns = codes[0, 1].mean(1).std(), codes[0, 1].mean(0).std()
    assert float(rows) > 2 * float(columns)


def test_salt_and_pepper_are_as_rare_as_they_should_be():
    still = CmosSettings(*(torch.full((1,), value) for value in (4.0, 0.0, 1e-3, 0.0)))
    codes = 255 * cmos_codes(torch.zeros(1, 3, 2000, 1000), still, generator=generator_for(1))
    # 255 times the digital gain of 4/6
    salt = (codes > 169).double().mean((0, 2, 3)).tolist()
    assert salt == pytest.approx([6e-5, 3e-5, 6e-5], abs=1.6e-5)


def test_settings_lie_in_their_ranges():
    drawn = CmosSettings.drawn(4000, generator=generator_for(0))
    assert sorted(set(drawn.gain.tolist())) == [float(gain) for gain in range(4, 16)]
    for values, low, high in ((drawn.read, 0.5, 4), (drawn.dark, 2, 8), (drawn.row, 0.01, 0.03)):
        assert low <= float(values.min()) < low + 0.05 * (high - low)
        assert high - 0.05 * (high - low) < float(values.max()) <= high


def test_a_gain_for_each_image_is_needed():
    with pytest.raises(UsageError, match="came for 3 images"):
        cmos_codes(torch.rand(3, 3, 8, 8), settings(4.0, 2))


def test_white_is_one_over_the_stretch():
    assert saturate(torch.tensor([-1.0, 0.3, 2.0])).tolist() == pytest.approx([0, 0.3, 1 / 1.2])
