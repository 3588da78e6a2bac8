"""Which labels are for test, and which may be seen in training: by hash, nothing to choose."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Two independent divisions of labels by SHA-256 of a domain, the salt and the label's id."""

    salt: str
    dev_percent: int
    seen_percent: int

    def is_dev(self, label: str) -> bool:
        """Whether queries of this label are for development."""
        return self._percentile("dev", label) < self.dev_percent

    def is_seen(self, label: str) -> bool:
        """Whether this label's names in the training languages are for training."""
        return self._percentile("seen", label) < self.seen_percent

    def _percentile(self, domain: str, label: str) -> float:
        message = f"{domain}\n{self.salt}\n{label}".encode()
        return 100 * int.from_bytes(hashlib.sha256(message).digest()[:6], "big") / 2**48
