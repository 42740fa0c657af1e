"""What every test shares: one thread, so that two workers do not fight over two cores."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

torch.set_num_threads(1)
