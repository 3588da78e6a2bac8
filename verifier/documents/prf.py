"""One pseudo-random function for seeds, keys and draws: HMAC-SHA-256 over labelled parts."""

from __future__ import annotations

import hashlib
import hmac


def prf(key: bytes, label: str, *parts: str | int) -> bytes:
    """Return 32 bytes that only a holder of `key` can predict, for a label and its parts.

    Every part is prefixed by its length, so that no two lists of parts collide.
    """
    message = b""
    for part in (label, *parts):
        raw = str(part).encode()
        message += len(raw).to_bytes(8, "big") + raw
    return hmac.new(key, message, hashlib.sha256).digest()


def draw(key: bytes, label: str, *parts: str | int, below: int) -> int:
    """Return an integer in [0, below), uniform up to 2**-190."""
    if below < 1:
        raise ValueError("want something to draw from")
    return int.from_bytes(prf(key, label, *parts), "big") % below
