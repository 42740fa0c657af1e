"""Tone curves: light as the profiles say, and no code lost on the way."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from making_files import (
    gamma_curve,
    noise,
    parametric_curve,
    png,
    profile,
    profile_chunk,
    put,
    srgb_profile,
    table_curve,
    tiff,
)

from nightsharp.photo import ToneCurve, linear_to_srgb, read_photo, srgb_to_linear
from nightsharp.photo.icc import BadProfileError, tone_curves
from nightsharp.photo.steps import Steps

CODES = np.linspace(0, 1, 65536)
BYTES = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
WORDS = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)


def srgb(v):
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


CURVES = {
    "srgb": ToneCurve.srgb(),
    "linear": ToneCurve.linear(),
    "gamma 1.8": ToneCurve.power(1.8),
    "gamma 2.2": ToneCurve.power(2.2),
    "gamma 4": ToneCurve.power(4.0),
    "gamma 0.45": ToneCurve.power(0.45),
    "flat at both ends": ToneCurve(np.clip(CODES * 1.4 - 0.2, 0, 1)[None]),
    "one step": ToneCurve((CODES > 0.5).astype(float)[None]),
    "three": ToneCurve(np.stack([CODES, CODES**2, CODES**3])),
}


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
class TestCurveLaws:
    @pytest.mark.parametrize("codes", [BYTES, WORDS], ids=["8 bit", "16 bit"])
    def test_every_code_comes_back(self, curve, codes):
        codes = codes.repeat(3, axis=2)
        assert np.array_equal(curve.encode_codes(curve.decode_codes(codes), codes.dtype), codes)

    @pytest.mark.parametrize("codes", [BYTES, WORDS], ids=["8 bit", "16 bit"])
    def test_every_code_comes_back_from_display_values(self, curve, codes):
        codes = codes.repeat(3, axis=2)
        display = curve.encode(curve.decode_codes(codes))
        torch.testing.assert_close(
            display, torch.from_numpy(codes.transpose(2, 0, 1) / np.iinfo(codes.dtype).max).float(), rtol=0, atol=2e-7
        )
        assert np.array_equal(curve.encode_codes(curve.decode(display), codes.dtype), codes)

    def test_light_rises_with_the_code(self, curve):
        light = curve.decode_codes(WORDS.repeat(3, axis=2)).flatten(1)
        assert bool((light.diff(dim=1) > 0).all())
        assert light[:, 0].tolist() == [0, 0, 0]
        assert light[:, -1].tolist() == [1, 1, 1]

    def test_light_between_two_codes_goes_to_the_nearer_in_display_terms(self, curve):
        off = torch.tensor([-0.45, -0.2, 0.1, 0.45])
        display = ((torch.arange(1, 255)[:, None] + off) / 255).expand(3, -1, -1).contiguous()
        codes = curve.encode_codes(curve.decode(display), np.dtype(np.uint8))
        assert np.array_equal(codes, np.arange(1, 255)[:, None, None].repeat(4, 1).repeat(3, 2))

    def test_outside_of_black_and_white_the_curve_goes_on(self, curve):
        light = torch.tensor([-0.5, -1e-3, 0.0, 1.0, 1.5]).expand(3, 1, 5).contiguous()
        assert bool((curve.encode(light).diff(dim=2) > 0).all())
        codes = curve.encode_codes(light, np.dtype(np.uint8))
        assert codes[0, :, 0].tolist() == [0, 0, 0, 255, 255]


@pytest.mark.parametrize("name", sorted(set(CURVES) - {"one step", "flat at both ends"}))
def test_display_values_outside_of_black_and_white_are_undone(name):
    light = torch.tensor([-0.5, -1e-3, 0.0, 1.0, 1.5, 8.0]).expand(3, 1, 6).contiguous()
    torch.testing.assert_close(CURVES[name].decode(CURVES[name].encode(light)), light, rtol=1e-5, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(arrays.arrays(np.uint16, st.integers(2, 300)))
def test_whatever_table_a_profile_brings_no_code_is_lost(values):
    values = np.sort(values)
    icc = profile(*[table_curve(values.tolist())] * 3)
    if int(values[-1]) - int(values[0]) < 32768:
        with pytest.raises(ValueError, match="hardly rises"):
            ToneCurve.from_icc(icc)
        return
    curve = ToneCurve.from_icc(icc)
    for codes in (BYTES, WORDS):
        assert np.array_equal(curve.encode_codes(curve.decode_codes(codes), codes.dtype), codes)


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(np.float32, st.integers(1, 400), elements=st.floats(2**-60, 2, width=32), unique=True),
    arrays.arrays(np.float32, st.integers(1, 50), elements=st.floats(-2, 4, width=32)),
)
def test_counting_steps_is_a_binary_search(thresholds, values):
    thresholds.sort()
    values = np.concatenate([values, thresholds, np.nextafter(thresholds, np.float32(0))])
    assert np.array_equal(Steps(thresholds).count(values), np.searchsorted(thresholds, values, side="right"))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_a_profile_of_random_bytes_is_refused_by_its_own_error(content):
    with pytest.raises(BadProfileError):
        tone_curves(content, CODES)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_profile_gives_a_curve_or_the_one_error(data):
    icc = bytearray(
        profile(gamma_curve(2.2), table_curve(range(0, 65536, 257)), parametric_curve(4, 2.4, 1, 0, 1, 0, 0, 0))
    )
    for _ in range(data.draw(st.integers(1, 6))):
        icc[data.draw(st.integers(0, len(icc) - 1))] = data.draw(st.integers(0, 255))
    try:
        curve = ToneCurve.from_icc(bytes(icc[: data.draw(st.integers(0, len(icc)))]))
    except ValueError:
        return
    assert np.array_equal(
        curve.encode_codes(curve.decode_codes(BYTES.repeat(3, 2)), np.dtype("u1")), BYTES.repeat(3, 2)
    )


FORMULAS = {
    "power": (parametric_curve(0, 2.4), lambda x: x**2.4),
    "CIE 122": (parametric_curve(1, 2.4, 1 / 1.1, 0.1 / 1.1), lambda x: ((x + 0.1) / 1.1) ** 2.4),
    "IEC 61966-3": (parametric_curve(2, 2.0, 0.9, 0.0, 0.1), lambda x: (0.9 * x) ** 2 + 0.1),
    "sRGB": (parametric_curve(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045), srgb),
    "seven": (
        parametric_curve(4, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0.02, 0.02),
        lambda x: srgb(x) + 0.02,
    ),
    "gamma": (gamma_curve(2.2), lambda x: x ** (563 / 256)),
    "identity": (table_curve([]), lambda x: x),
    "table": (table_curve([0, 1000, 65535]), lambda x: np.interp(x, [0, 0.5, 1], [0, 1000 / 65535, 1])),
}


@pytest.mark.parametrize(("tag", "formula"), FORMULAS.values(), ids=FORMULAS)
def test_a_profiles_curve_is_what_the_standard_says(tag, formula):
    # parameters are stored with 16 binary places
    (found,) = tone_curves(profile(tag, space=b"GRAY"), CODES)
    np.testing.assert_allclose(found, formula(CODES), rtol=0, atol=6e-5)


def test_the_usual_srgb_profile_is_the_srgb_curve():
    found = ToneCurve.from_icc(srgb_profile()).decode_codes(WORDS)
    torch.testing.assert_close(found, ToneCurve.srgb().decode_codes(WORDS), rtol=0, atol=2e-5)


def test_the_formula_of_srgb_is_the_standards():
    x = torch.tensor([0.0, 0.02, 0.04045, 0.5, 1.0, 1.2, -0.5], dtype=torch.float64)
    expected = srgb(np.abs(x.numpy())) * np.sign(x.numpy())
    np.testing.assert_allclose(srgb_to_linear(x), expected, rtol=1e-12)
    torch.testing.assert_close(linear_to_srgb(srgb_to_linear(x)), x, rtol=0, atol=1e-7)


def test_srgb_values_are_decoded_by_the_srgb_curve(tmp_path):
    samples = noise(20, 30, 3)
    photo = read_photo(put(tmp_path, "a.png", png(samples)))
    np.testing.assert_allclose(photo.pixels.numpy(), srgb(samples.transpose(2, 0, 1) / 255), rtol=0, atol=1e-6)


def test_the_curve_of_an_embedded_profile_is_used(tmp_path):
    samples = noise(20, 30, 3)
    icc = profile(gamma_curve(1.0), gamma_curve(2.0), gamma_curve(3.0))
    photo = read_photo(put(tmp_path, "a.png", png(samples, profile_chunk(icc))))
    for channel, power in enumerate((1, 2, 3)):
        expected = (samples[..., channel] / 255) ** power
        np.testing.assert_allclose(photo.pixels[channel].numpy(), expected, rtol=0, atol=1e-6)
    assert photo.notes == ()


def test_a_profile_without_curves_is_kept_with_a_word(tmp_path):
    samples = noise(5, 6, 3)
    icc = profile(space=b"CMYK")
    photo = read_photo(put(tmp_path, "a.png", png(samples, profile_chunk(icc))))
    assert photo.meta.icc == icc
    assert "sRGB is taken" in photo.notes[0]
    np.testing.assert_allclose(photo.pixels.numpy(), srgb(samples.transpose(2, 0, 1) / 255), rtol=0, atol=1e-6)


@pytest.mark.parametrize("gamma", [1.0, 1.8])
def test_a_png_that_states_its_gamma_is_believed(gamma, tmp_path):
    samples = noise(5, 6, 3, "u2")
    photo = read_photo(put(tmp_path, "a.png", png(samples, (b"gAMA", round(1e5 / gamma).to_bytes(4, "big")))))
    np.testing.assert_allclose(photo.pixels.numpy(), (samples.transpose(2, 0, 1) / 65535) ** gamma, rtol=0, atol=1e-5)
    photo.save(tmp_path / "b.png")
    assert torch.equal(read_photo(tmp_path / "b.png").pixels, photo.pixels)
    # a format that cannot state it gets sRGB values
    photo.save(tmp_path / "b.tif")
    torch.testing.assert_close(read_photo(tmp_path / "b.tif").pixels, photo.pixels, rtol=0, atol=3e-5)


def test_linear_light_is_shown_through_srgb(tmp_path):
    samples = noise(6, 5, 3, "f4")
    photo = read_photo(put(tmp_path, "a.tif", tiff(samples)))
    expected = linear_to_srgb(photo.pixels.double())
    inside = (photo.pixels >= 0) & (photo.pixels <= 1)
    torch.testing.assert_close(photo.display()[inside].double(), expected[inside], rtol=0, atol=1e-6)
