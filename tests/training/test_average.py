"""The running mean of the weights."""

import pytest
import torch
from torch import nn

from nightsharp.training.average import Average


def test_the_mean_follows_its_recursion():
    network, decay = nn.Linear(3, 2), 0.7
    average = Average(network, decay)
    expected = network.weight.detach().clone()
    for number in range(30):
        with torch.no_grad():
            network.weight.add_(torch.randn(2, 3, generator=torch.Generator().manual_seed(number)))
        average.update(network)
        weight = min(decay, (1 + number) / (10 + number))
        expected = weight * expected + (1 - weight) * network.weight.detach()
    torch.testing.assert_close(average.network.state_dict()["weight"], expected)


def test_buffers_are_those_of_the_network():
    network = nn.BatchNorm2d(2)
    average = Average(network, 0.9)
    network(torch.rand(4, 2, 3, 3))
    average.update(network)
    mean, last = average.network.state_dict(), network.state_dict()
    assert torch.equal(mean["running_mean"], last["running_mean"])
    assert mean["num_batches_tracked"] == 1


def test_the_network_keeps_its_gradients_and_the_mean_has_none():
    network = nn.Linear(1, 1)
    average = Average(network, 0.9)
    assert network.weight.requires_grad
    assert not any(weight.requires_grad for weight in average.network.parameters())


@pytest.mark.parametrize("constant", [0.0, 2.5])
def test_a_constant_stays_what_it_is(constant):
    network = nn.Linear(1, 1)
    nn.init.constant_(network.weight, constant)
    average = Average(network, 0.99)
    for _ in range(5):
        average.update(network)
    assert average.network.state_dict()["weight"].item() == pytest.approx(constant)
