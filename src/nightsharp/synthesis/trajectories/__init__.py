"""Camera paths, many at once: how published systems and hands move a camera."""

from nightsharp.synthesis.trajectories.arc import arc_paths, patch_paths
from nightsharp.synthesis.trajectories.hand import HeldCamera, hand_paths
from nightsharp.synthesis.trajectories.markovian import markovian_paths, markovian_psfs
from nightsharp.synthesis.trajectories.rotating import rotating_paths, rotating_psfs
from nightsharp.synthesis.trajectories.scaling import densified, scaled_to

__all__ = [
    "HeldCamera",
    "arc_paths",
    "densified",
    "hand_paths",
    "markovian_paths",
    "markovian_psfs",
    "patch_paths",
    "rotating_paths",
    "rotating_psfs",
    "scaled_to",
]
