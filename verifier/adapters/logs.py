"""What scripts wrote to stdout and stderr, kept by trial for `verify logs`."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from verifier.errors import UsageError

_LEAST_PREFIX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFolder:
    """One file a trial and stage; losing one costs nothing but a look."""

    root: Path

    def keep(self, trial: str, stage: str, data: bytes) -> None:
        """Keep a log, replacing an earlier one; a full disk loses the log, not the trial."""
        fresh = self.root / f".{trial}-{stage}.{os.getpid()}"
        with contextlib.suppress(OSError):
            self.root.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(data)
            fresh.rename(self.root / f"{trial}-{stage}.log")

    def find(self, prefix: str) -> dict[str, bytes]:
        """Return the logs of the one trial whose id begins with `prefix`: stage -> bytes."""
        found = sorted(self.root.glob(f"{prefix}*.log")) if prefix.isalnum() else []
        trials = {path.name.split("-")[0] for path in found}
        if len(prefix) < _LEAST_PREFIX or len(trials) != 1:
            raise UsageError(
                f"{len(trials)} trials have a log and begin so",
                where=f"logs {prefix}",
                hint="give at least four digits of a trial's id, as verdicts and errors show it",
            )
        return {path.stem.split("-")[1]: path.read_bytes() for path in found}
