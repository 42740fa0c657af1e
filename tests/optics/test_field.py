"""Blur that differs over the picture obeys the laws of blur."""

from typing import get_args

import numpy as np
import pytest
import torch

from nightsharp.errors import PsfError
from nightsharp.optics import Blur, Boundary, Psf, disk, line
from nightsharp.optics.field import PsfField, centres

ROLL = PsfField.of([[line(9, 15 * (row + column)) for column in range(3)] for row in range(2)])


def image(seed: int = 0, height: int = 40, width: int = 51) -> torch.Tensor:
    return torch.rand(2, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("boundary", get_args(Boundary))
class TestFieldLaws:
    def test_adjoint(self, boundary: Boundary) -> None:
        x = image()
        blurred = ROLL.blur(x, boundary)
        y = torch.rand(blurred.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        torch.testing.assert_close((blurred * y).sum(), (x * ROLL.adjoint(y, boundary)).sum(), rtol=1e-5, atol=0)

    def test_a_field_of_equal_psfs_is_the_plain_blur(self, boundary: Boundary) -> None:
        field = PsfField.of([[line(9, 30)] * 4] * 3)
        plain = Blur(field.kernels[0, 0][None, None], boundary)
        torch.testing.assert_close(field.blur(image(), boundary), plain(image()), atol=1e-5, rtol=0)
        y = plain(image())
        torch.testing.assert_close(field.adjoint(y, boundary), plain.adjoint(y), atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(40, 51), (7, 5), (100, 100)])
def test_the_weights_of_the_windows_sum_to_one_everywhere(size: tuple[int, int]) -> None:
    for weight, length in zip(ROLL.weights(size), size, strict=True):
        assert weight.shape[1] == length
        torch.testing.assert_close(weight.sum(0), torch.ones(length))
        assert float(weight.min()) >= 0


def test_at_its_centre_a_window_counts_alone() -> None:
    size = (80, 99)
    middle = [[float(c) for c in centres(n, length)] for n, length in zip(ROLL.grid, size, strict=True)]
    here = ROLL.at(middle[0][1], middle[1][2], size)
    assert float((here.kernel - ROLL.kernels[1, 2]).abs().max()) < 0.03


def test_a_lamp_draws_the_psf_of_its_place() -> None:
    x = torch.zeros(1, 1, 80, 99)
    x[..., 60, 82] = 1
    side = ROLL.kernels.shape[-1]
    seen = ROLL.blur(x, "circular")[0, 0, 60 - side // 2 :, 82 - side // 2 :][:side, :side]
    torch.testing.assert_close(seen, ROLL.at(60, 82, (80, 99)).kernel, atol=1e-5, rtol=0)


def test_light_is_neither_made_nor_lost() -> None:
    torch.testing.assert_close(ROLL.blur(image(), "circular").sum(), image().sum(), rtol=1e-5, atol=0)


def test_psfs_of_several_sizes_make_one_field() -> None:
    assert PsfField.of([[disk(1), line(4)]]).kernels.shape[-1] == 5
    assert PsfField.of([[disk(1), disk(1)]]).mean().kernel.sum() == pytest.approx(1)


@pytest.mark.parametrize("rows", [[], [[]], [[disk(1)], [disk(1), disk(2)]]])
def test_rows_of_unequal_length_are_refused(rows: list[list[Psf]]) -> None:
    with pytest.raises(PsfError, match="equal length"):
        PsfField.of(rows)


@pytest.mark.parametrize("kernels", [torch.ones(1, 1, 3, 3), torch.tensor([[[[2.0, -1.0], [0.0, 0.0]]]])])
def test_what_are_no_psfs_is_refused(kernels: torch.Tensor) -> None:
    with pytest.raises(PsfError):
        PsfField(kernels)


class TestAFile:
    def test_holds_a_field_exactly(self, tmp_path) -> None:
        file = ROLL.save(tmp_path / "roll.npy")
        assert torch.equal(PsfField.load(file).kernels, ROLL.kernels)
        assert np.load(file, allow_pickle=False).shape == tuple(ROLL.kernels.shape)

    def test_written_elsewhere_may_hold_doubles(self, tmp_path) -> None:
        np.save(tmp_path / "roll.npy", ROLL.kernels.double().numpy())
        assert torch.equal(PsfField.load(str(tmp_path / "roll.npy")).kernels, ROLL.kernels)

    def test_is_replaced_whole(self, tmp_path) -> None:
        ROLL.save(tmp_path / "roll.npy")
        PsfField.of([[disk(1)]]).save(tmp_path / "roll.npy")
        assert PsfField.load(tmp_path / "roll.npy").grid == (1, 1)
        assert [file.name for file in tmp_path.iterdir()] == ["roll.npy"]

    @pytest.mark.parametrize("name", ["roll.png", "roll.npz", "roll"])
    def test_has_one_ending(self, tmp_path, name) -> None:
        with pytest.raises(PsfError, match=r"is written as \.npy"):
            ROLL.save(tmp_path / name)
        (tmp_path / name).write_bytes(b"something")
        with pytest.raises(PsfError, match=r"is read from \.npy"):
            PsfField.load(tmp_path / name)

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            (np.ones((5, 5)), r"is 5 x 5; a field is rows x columns x k x k"),
            (np.ones((2, 2, 5, 3)), r"is 2 x 2 x 5 x 3; a field is rows x columns x k x k"),
            (np.ones((0, 2, 5, 5)), "sum to 1"),
            (np.ones((1, 2, 3, 3)), "sum to 1"),
            (np.full((1, 2, 3, 3), np.nan), "sum to 1"),
            (np.array([1.5, -0.5, 0.0, 0.0]).reshape(1, 1, 2, 2), "negative"),
            (np.array([[[["a"]]]]), "not real numbers"),
            (np.array([[[[{}]]]], dtype=object), "cannot be read as a PSF"),
        ],
    )
    def test_that_holds_no_field_is_refused(self, tmp_path, values, words) -> None:
        np.save(tmp_path / "roll.npy", values)
        with pytest.raises(PsfError, match=words):
            PsfField.load(tmp_path / "roll.npy")

    def test_that_is_not_there_or_cannot_be_written_is_named(self, tmp_path) -> None:
        with pytest.raises(PsfError, match="not there"):
            PsfField.load(tmp_path / "roll.npy")
        with pytest.raises(PsfError, match="cannot be written"):
            ROLL.save(tmp_path / "nowhere" / "roll.npy")
