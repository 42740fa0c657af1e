"""DarkDeblurNet beside its published equations, with the same weights."""

import pytest
import torch
from benchmarks.literal.darkdeblur import darkdeblur as literal
from benchmarks.literal.darkdeblur import discriminator as literal_discriminator
from seeded import network, off, random
from torch.nn.functional import conv2d, leaky_relu
from torch.utils.flop_counter import FlopCounterMode

from nightsharp.errors import UsageError
from nightsharp.methods.darkdeblur import DarkDeblurNet, Discriminator, strips
from nightsharp.methods.darkdeblur.network import DenseAttention
from nightsharp.methods.darkdeblur.official import discriminator_to_official, to_official
from nightsharp.methods.darkdeblur.variants import VARIANTS


def port(made: DarkDeblurNet, image: torch.Tensor, *, training: bool = False) -> torch.Tensor:
    with torch.no_grad():
        return (literal(to_official(made.config, made.state_dict()), 2 * image - 1, training=training) + 1) / 2


def test_the_paper_size_gives_what_the_equations_give():
    made, image = network(widths=(64, 128, 192, 256)), random(1, 3, 48, 64)
    with torch.no_grad():
        assert off(made(image), port(made, image)) < 1e-5
    assert float((port(made, image) - image).abs().mean()) > 0.05


@pytest.mark.parametrize("size", [(16, 16), (40, 24), (64, 72)], ids=str)
def test_any_size_gives_what_the_equations_give_with_a_gradient_and_without(size, monkeypatch):
    made, image = network(), random(2, 3, *size)
    expected = port(made, image)
    assert off(made.forward_all(image).detach(), expected) < 1e-5
    monkeypatch.setattr(strips, "_VALUES", 1)
    monkeypatch.setattr(strips, "_LEAST", 7)
    with torch.no_grad():
        assert off(made(image), expected) < 1e-5


@torch.no_grad()
def test_batch_normalisation_follows_the_mode():
    made, image = network(), random(1, 3, 40, 48)
    by_running, by_image = port(made, image), port(made, image, training=True)
    assert off(by_running, by_image) > 0.01
    assert off(made(image), by_running) < 1e-5
    faithful = network(faithful=True)
    assert off(faithful(image), by_image) < 1e-5
    before = {name: value.clone() for name, value in made.state_dict().items()}
    assert off(made.train()(image), by_image) < 1e-5
    moved = {name for name, value in made.state_dict().items() if not torch.equal(value, before[name])}
    assert {name.rpartition(".")[2] for name in moved} == {"running_mean", "running_var", "num_batches_tracked"}


@torch.no_grad()
def test_the_official_inference_normalises_each_image_by_itself():
    faithful, image = network(faithful=True), random(2, 3, 32, 40)
    alone = torch.cat([faithful(image[n : n + 1]) for n in range(2)])
    torch.testing.assert_close(faithful(image), alone, rtol=1e-5, atol=1e-6)


def test_the_sizes_are_the_published_ones():
    def count(module: torch.nn.Module) -> int:
        return sum(p.numel() for p in module.parameters())

    made = DarkDeblurNet()
    assert count(made) == 8_731_971
    assert [count(part) for part in made.dense] == [240_320, 499_968, 834_368, 1_243_520, 834_368, 499_968]
    assert [count(part) for part in made.gates] == [73_856, 295_168, 663_936]
    assert [count(part) for part in made.rises] == [1_329_408, 591_360, 148_224]
    assert count(Discriminator()) == 4_689_601
    assert count(DarkDeblurNet.lite()) <= 1_000_000
    # 3,072 factors and shifts of batch normalisation against three slopes
    assert count(made) - count(DarkDeblurNet(variant="paper")) == 3_069


@torch.no_grad()
def test_a_crop_of_128_costs_16_billion_multiplications():
    with FlopCounterMode(display=False) as counter:
        DarkDeblurNet().eval()(random(1, 3, 128, 128))
    assert counter.get_total_flops() / 2 == pytest.approx(15.98e9, rel=1e-3)


def test_the_paper_s_dense_block_is_equation_5():
    block = DenseAttention(24, 8, VARIANTS["paper"], attention=True)
    x = torch.randn(2, 24, 9, 11, generator=torch.Generator().manual_seed(2))
    mean = x.mean(dim=(2, 3), keepdim=True)
    weights, seen = block.state_dict(), x
    for n in range(4):
        new = conv2d(seen, weights[f"convs.{n}.weight"], weights[f"convs.{n}.bias"], padding=1)
        seen = torch.cat([seen, leaky_relu(new, 0.2)], 1)
    squeezed = torch.relu(mean.flatten(1) @ weights["attention.squeeze.weight"].T)
    factors = torch.sigmoid(squeezed @ weights["attention.excite.weight"].T)[:, :, None, None]
    torch.testing.assert_close(block(x, mean), block.last(seen) + factors * x)


@torch.no_grad()
def test_only_the_project_s_own_variant_reaches_black_and_white():
    image = random(1, 3, 32, 32).round()
    for variant, expected in (("code", 0.5 + 0.5 * torch.tanh(2 * image - 1)), ("nightsharp", image)):
        made = network(variant=variant)
        for value in made.leave.parameters():
            value.zero_()
        torch.testing.assert_close(made(image), expected)


@torch.no_grad()
def test_the_ablation_takes_parts_away():
    image = random(1, 3, 32, 32)
    base, attended, full = (
        network(attention=attention, gates=gates) for attention, gates in ((False, False), (True, False), (True, True))
    )
    sizes = [sum(p.numel() for p in made.parameters()) for made in (base, attended, full)]
    assert sizes == sorted(set(sizes))
    assert all(made(image).shape == image.shape for made in (base, attended, full))
    assert not any("attention" in name or "gates" in name for name in base.state_dict())


@pytest.mark.parametrize("size", [(60, 64), (64, 4), (8, 64)], ids=str)
def test_sizes_that_do_not_halve_three_times_are_refused(size):
    with pytest.raises(UsageError, match=f"the image is {size[0]} x {size[1]}; both sides must be multiples of 8"):
        network()(random(1, 3, *size))


def test_faithful_without_batch_normalisation_is_refused():
    with pytest.raises(UsageError, match="'paper' has not"):
        DarkDeblurNet(variant="paper", faithful=True)


@pytest.mark.parametrize("variant", ["code", "paper", "nightsharp"])
def test_every_weight_learns(variant):
    # wide enough that some squeezed channel is above 0
    made = network(variant=variant, widths=(96, 96, 96, 96), growth=2).train()
    made.forward_all(random(2, 3, 32, 32)).square().mean().backward()
    assert [name for name, p in made.named_parameters() if p.grad is None or not bool(p.grad.any())] == []


@pytest.mark.parametrize("made", [DarkDeblurNet.lite(), DarkDeblurNet(widths=(8, 8, 8, 8), growth=2, gates=False)])
def test_a_network_is_rebuilt_from_its_configuration(made):
    again = DarkDeblurNet(**made.config)
    again.load_state_dict(made.state_dict())
    assert again.config == made.config


@torch.no_grad()
def test_the_discriminator_judges_as_the_equations_do():
    judge, image = Discriminator(width=16), random(2, 3, 48, 40)
    weights = discriminator_to_official(judge.state_dict())
    assert off(judge(image), literal_discriminator(weights, 2 * image - 1)) < 1e-5


def test_a_conditional_discriminator_looks_at_the_blurred_image():
    image, blurred = random(2, 3, 32, 32), random(2, 3, 32, 32, seed=1)
    for variant in ("paper", "nightsharp"):
        judge = Discriminator(variant=variant, width=8).eval()
        assert not torch.equal(judge(image, blurred), judge(image, image))
        with pytest.raises(UsageError, match="give the blurred image beside"):
            judge(image)
    judge = Discriminator(variant="code", width=8)
    assert torch.equal(judge(image, blurred), judge(image))
