"""A small network of every system, with weights that show in the picture."""

from typing import Any

import torch
from torch import nn

from nightsharp.methods.darkdeblur import DarkDeblurNet
from nightsharp.methods.dwdn import DWDN
from nightsharp.methods.infwide import INFWIDE
from nightsharp.methods.nightwiener import NightPrior, NightWiener

NETWORKS = {
    "dwdn": lambda: DWDN(features=4, width=8, blocks=1),
    "infwide": lambda: INFWIDE(
        features=4, width=8, blocks=1, denoiser_width=4, denoiser_blocks=1, fusion_width=4, faithful=True
    ),
    "darkdeblur": lambda: DarkDeblurNet(widths=(8, 16, 16, 24), growth=4),
    "nightwiener": lambda: NightWiener(widths=(8, 16, 8), depth=1),
    "nightprior": lambda: NightPrior(widths=(8, 16)),
}


def small(system: str) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = NETWORKS[system]()
        if isinstance(network, NightWiener | NightPrior):
            # untrained, it hands its input back
            nn.init.normal_(network.tail.weight)
    return network
