"""The Wiener step that the deep Wiener networks share, beside the published equations written out."""

import jaxtyping
import pytest
import torch
from benchmarks.literal import wiener as literal

from nightsharp.methods._blocks.frame import Frame, bands
from nightsharp.methods._blocks.median import median3x3
from nightsharp.methods._blocks.wiener_step import Roughness, Transfer, noise_to_signal, wiener_step


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def step(features: torch.Tensor, psf: torch.Tensor, *, faithful: bool) -> torch.Tensor:
    transfer = Transfer.of(psf, (features.shape[-2], features.shape[-1]), faithful=faithful)
    return wiener_step(features, transfer, noise_to_signal(features, transfer.margin, faithful=faithful))


class TestMedian:
    def test_it_is_the_middle_of_nine_exactly(self):
        image = random(2, 3, 17, 22)
        sorted_middle = torch.nn.functional.unfold(image.reshape(6, 1, 17, 22), 3).median(dim=1).values
        assert torch.equal(median3x3(image), sorted_middle.reshape(2, 3, 15, 20))

    def test_training_sees_the_same_values(self):
        image = random(1, 2, 9, 11).round(decimals=1)
        assert torch.equal(median3x3(image.clone().requires_grad_()), median3x3(image))

    def test_its_gradient_is_the_derivative(self):
        image = random(1, 2, 6, 7, dtype=torch.float64).requires_grad_()
        assert torch.autograd.gradcheck(median3x3, image)

    def test_equal_neighbours_share_one_gradient(self):
        flat = torch.zeros(1, 1, 6, 6, requires_grad=True)
        median3x3(flat).sum().backward()
        assert flat.grad is not None
        assert float(flat.grad.sum()) == 16


@pytest.mark.parametrize("faithful", [True, False])
@pytest.mark.parametrize("size", [(24, 24), (20, 33), (33, 20)], ids=str)
@pytest.mark.parametrize("psf_size", [(1, 1), (3, 3), (6, 6), (9, 9), (7, 7)], ids=str)
def test_the_step_is_that_of_the_equations(size, psf_size, faithful):
    features, psf = random(2, 4, *size) - 0.3, random(2, 1, *psf_size, seed=1)
    expected = literal.wiener(features, psf, faithful=faithful)
    torch.testing.assert_close(
        step(features, psf, faithful=faithful), expected, rtol=0, atol=1e-5 * float(expected.abs().max())
    )


class TestWienerStep:
    def test_the_wrong_number_of_pixels_shows_unless_the_image_is_square(self):
        psf = random(1, 1, 7, 7, seed=1)
        for size, same in (((24, 24), True), ((20, 33), False)):
            features = random(1, 4, *size)
            faithful, right = (step(features, psf, faithful=faithful) for faithful in (True, False))
            assert torch.allclose(faithful, right, atol=1e-5) == same

    def test_each_image_of_a_batch_has_its_own_psf_and_noise(self):
        features, psf = random(3, 4, 20, 26), random(3, 1, 5, 5, seed=1)
        alone = torch.cat([step(features[n : n + 1], psf[n : n + 1], faithful=True) for n in range(3)])
        torch.testing.assert_close(step(features, psf, faithful=True), alone)

    def test_one_psf_serves_a_whole_batch(self):
        features, psf = random(3, 4, 20, 26), random(1, 1, 5, 5, seed=1)
        torch.testing.assert_close(
            step(features, psf, faithful=False), step(features, psf.expand(3, 1, 5, 5), faithful=False)
        )

    def test_the_scale_of_the_psf_does_not_matter_and_it_is_left_alone(self):
        features, psf = random(1, 2, 20, 26), random(1, 1, 5, 5, seed=1)
        kept = psf.clone()
        torch.testing.assert_close(step(features, 255 * psf, faithful=True), step(features, psf, faithful=True))
        assert torch.equal(psf, kept)

    def test_gradients_flow_through_filter_ratio_and_psf(self):
        features = random(1, 2, 8, 9, dtype=torch.float64).requires_grad_()
        psf = random(1, 1, 3, 3, seed=1, dtype=torch.float64).requires_grad_()

        def run(features: torch.Tensor, psf: torch.Tensor) -> torch.Tensor:
            return step(features, psf, faithful=True)

        assert torch.autograd.gradcheck(run, (features, psf))

    def test_a_channel_without_detail_stays_what_it_is(self):
        flat = torch.full((1, 2, 16, 20), 0.4, requires_grad=True)
        restored = step(flat, random(1, 1, 5, 5), faithful=True)
        torch.testing.assert_close(restored, flat, atol=1e-3, rtol=0)
        restored.sum().backward()
        assert flat.grad is not None
        assert bool(flat.grad.isfinite().all())

    def test_autocast_does_not_reach_it(self):
        features, psf = random(1, 2, 16, 20), random(1, 1, 5, 5, seed=1)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            inside = step(features, psf, faithful=False)
        assert inside.dtype == torch.float32
        torch.testing.assert_close(inside, step(features, psf, faithful=False))

    def test_what_is_measured_on_bands_of_rows_is_what_the_whole_has(self):
        features = random(1, 3, 300, 40) ** 3
        for margin in (1, 9):
            total = None
            for band in bands(300, halo=8, height=64):
                part = features[..., band.start : band.stop, :][..., band.inner, :]
                found = Roughness.of(part, margin, top=band.top, bottom=band.bottom)
                total = found if total is None else total.join(found)
            assert total is not None
            torch.testing.assert_close(total.ratio(), noise_to_signal(features, margin), rtol=1e-5, atol=0)

    def test_it_can_be_exported_for_images_and_psfs_of_any_size(self, monkeypatch):
        # while torch exports, sizes are symbols, which the checks of the tests take for no numbers
        monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)

        class Step(torch.nn.Module):
            def forward(self, features: torch.Tensor, psf: torch.Tensor) -> torch.Tensor:
                return step(features, psf, faithful=True)

        dim = torch.export.Dim.DYNAMIC
        exported = torch.export.export(
            Step(),
            (random(1, 2, 24, 32), random(1, 1, 5, 5)),
            dynamic_shapes={"features": {2: dim, 3: dim}, "psf": {2: dim, 3: dim}},
        )
        other = random(1, 2, 40, 16), random(1, 1, 9, 9, seed=1)
        torch.testing.assert_close(exported.module()(*other), step(*other, faithful=True))


class TestFrame:
    @pytest.mark.parametrize("size", [(1, 1), (3, 17), (16, 24)], ids=str)
    def test_a_photograph_comes_back_as_it_was_laid(self, size):
        image = random(1, 3, *size)
        frame = Frame.around(size, multiple=8, margin=5)
        laid = frame.lay(image)
        assert laid.shape[-2] % 8 == laid.shape[-1] % 8 == 0
        assert torch.equal(frame.cut(laid), image)

    def test_the_edge_is_a_mirror(self):
        laid = Frame.around((4, 4), multiple=8, margin=2).lay(torch.arange(16.0).reshape(1, 1, 4, 4))
        assert laid[0, 0, 0].tolist() == [5, 4, 4, 5, 6, 7, 7, 6]
