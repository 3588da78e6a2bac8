"""Use up one thing after another; which one, the claim says."""

import os
import sys
from pathlib import Path

from kit import read_trial


def time():
    """Never end."""
    while True:
        pass


def memory():
    """Keep everything."""
    kept = []
    while True:
        kept.append(bytearray(os.urandom(1 << 16) * 256))


def processes():
    """Multiply until refused, and say so."""
    while True:
        if os.fork():
            os.fork()


def output():
    """Fill the output folder."""
    with Path(os.environ["OUTPUT"], "vectors.f32").open("wb") as file:
        while True:
            file.write(bytes(1 << 24))


def log():
    """Fill the log."""
    while True:
        sys.stdout.write("y" * (1 << 16))


{f.__name__: f for f in (time, memory, processes, output, log)}[read_trial().parameters["what"]]()
