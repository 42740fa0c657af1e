"""DWDN's loss."""

import torch

from nightsharp.methods.dwdn import DWDNOutput
from nightsharp.methods.dwdn.losses import multi_scale_l1


def test_both_scales_count_once():
    sharp = torch.rand(2, 3, 16, 24, generator=torch.Generator().manual_seed(0))
    halved = torch.nn.functional.avg_pool2d(sharp, 2)  # bilinear halving of even sides
    assert float(multi_scale_l1(DWDNOutput(halved, sharp), sharp)) < 1e-6
    torch.testing.assert_close(multi_scale_l1(DWDNOutput(halved + 0.25, sharp - 0.5), sharp), torch.tensor(0.75))
