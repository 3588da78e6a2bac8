"""Every source of randomness from the one seed of the trial."""

from __future__ import annotations

import os
import random

import numpy as np


def seed_everything(seed: int, *, threads: int) -> None:
    """Seed random, numpy and torch, and fix the number of threads: sums depend on it.

    Imports torch, so a stage without torch (assign) makes its own numpy generator instead.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # repeatable products on a GPU
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    import torch  # noqa: PLC0415  # a second of start-up that assign does not owe

    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # libraries may still draw from the global state
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
