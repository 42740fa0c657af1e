"""What every test shares: one thread, so that two workers do not fight over two cores, and a cache of its own."""

import os
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")
# costs measured while tests load the machine must not stay in the user's cache
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="nightsharp-tests-")

import torch

torch.set_num_threads(1)
