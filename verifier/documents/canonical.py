"""The one text of a value, and the digest over it (RFC 8785, JSON Canonicalization Scheme)."""

from __future__ import annotations

import hashlib

import rfc8785


def canonical_bytes(value: object) -> bytes:
    """The canonical JSON of a plain value: dict with text keys, list or tuple, text, numbers.

    ValueError for NaN and infinities, whole numbers beyond 2^53 - 1, half surrogate pairs, and
    anything JSON has no word for (bytes, sets, enumerations' members that are not text).
    """
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # it checks at run time
    except RecursionError:
        raise ValueError("the value is nested too deep, or holds itself") from None


def digest(data: bytes) -> str:
    """`sha256:` and 64 lower-case hexadecimal digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def document_digest(value: object) -> str:
    """The digest of a value's canonical bytes: the same for every spelling of a document."""
    return digest(canonical_bytes(value))
