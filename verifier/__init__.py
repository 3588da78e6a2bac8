"""The judge: runs sealed reproductions, scores them itself and decides."""

__version__ = "0.1.0"
