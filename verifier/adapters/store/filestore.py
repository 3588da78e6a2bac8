"""Finished trials in a folder, by content: written once, digest-checked at every read."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from verifier.adapters.store.files import explained, write_once, write_whole
from verifier.adapters.store.keep import owner_only
from verifier.adapters.store.layout import Layout, prepare
from verifier.adapters.store.locks import hold
from verifier.documents.canonical import canonical_bytes, digest, document_digest
from verifier.errors import VerifierError
from verifier.ports import StoredTrial

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,127}")
_ATTEMPTS = 3


class FileStore:
    """Implements ports.Store; what had to be set aside is told in `warnings`, a line each.

    A trial is finished when its record is there; records are written after their blobs and
    never replaced.  Raises VerifierError where the file system fails us.
    """

    def __init__(self, layout: Layout) -> None:
        self._at = layout
        self.warnings: list[str] = []

    def secret(self) -> bytes:
        """Return the 32 bytes of this installation, made at first use."""
        path = self._at.root / "secret"
        return owner_only(path, incoming=self._at.incoming, warnings=self.warnings)

    def get(self, trial_id: str) -> StoredTrial | None:
        """Return a finished trial whose blobs are all sound, or None."""
        path = self._at.trial(_checked(trial_id))
        raw = _read(path)
        if raw is None:
            return None
        trial = _parse(raw, trial_id)
        if trial is None:
            self._set_aside(path, f"trial {trial_id}: its record is damaged")
            return None
        for name, expected in trial.blobs.items():
            if self._sound(expected) is None:
                self._set_aside(path, f'trial {trial_id}: its "{name}" is damaged or missing')
                return None
        return trial

    def put(
        self, trial_id: str, record: Mapping[str, object], blobs: Mapping[str, bytes]
    ) -> StoredTrial:
        """Keep a trial, blobs first; one already there stays, and is what is returned."""
        digests = {name: digest(data) for name, data in blobs.items()}
        text = _compose(_checked(trial_id), record, digests)
        with explained("keep a finished trial", self._at.root):
            for name, data in blobs.items():
                if self._sound(digests[name]) is None:
                    write_whole(self._at.blob(digests[name]), data, incoming=self._at.incoming)
            return self._publish(trial_id, text)

    def _publish(self, trial_id: str, text: bytes) -> StoredTrial:
        path = self._at.trial(trial_id)
        for _ in range(_ATTEMPTS):
            written = write_once(path, text, incoming=self._at.incoming)
            kept = self.get(trial_id)  # sets a damaged one aside, so that the next attempt can do
            if kept is not None:
                if not written and _read(path) != text:
                    self.warnings.append(f"trial {trial_id} was there already: kept as it was")
                return kept
        raise VerifierError(
            "what was just written cannot be read back whole",
            where=str(path),
            hint="check that disk; another program may be changing the store",
        )

    def blob(self, trial: StoredTrial, name: str) -> bytes:
        """Return one blob; VerifierError if it has been damaged since `get`."""
        data = self._sound(trial.blobs[name])
        if data is None:
            self._set_aside(self._at.trial(trial.id), f'trial {trial.id}: its "{name}" is damaged')
            raise VerifierError(
                f'"{name}" of a finished trial is damaged or missing',
                where=str(self._at.blob(trial.blobs[name])),
                hint="start again: that trial was set aside and will be run again",
            )
        return data

    def trial_lock(self, trial_id: str) -> AbstractContextManager[None]:
        """Hold off other processes (and other threads) from this trial; not re-entrant."""
        return hold(self._at.locks / _checked(trial_id))

    def cached(self, key: str) -> bytes | None:
        """Return a derived value, or None."""
        path = self._at.cached(_name(key))
        raw = _read(path)
        if raw is None:
            return None
        expected, _, data = raw.partition(b"\n")
        if expected != digest(data).encode():
            self._set_aside(path, f'cached "{key}" is damaged')
            return None
        return data

    def cache(self, key: str, data: bytes) -> None:
        """Keep a derived value; where that fails it is told in `warnings` and that is all."""
        path = self._at.cached(_name(key))
        raw = digest(data).encode() + b"\n" + data
        try:
            with explained(f'cache "{key}"', path):
                write_whole(path, raw, incoming=self._at.incoming)
        except VerifierError as error:
            self.warnings.append(f"{error.where}: {error.problem} (costs time only)")

    def _sound(self, expected: str) -> bytes | None:
        """Return a blob whose digest is right; a wrong one is set aside."""
        path = self._at.blob(expected)
        data = _read(path)
        if data is not None and digest(data) != expected:
            self._set_aside(path, f"object {path.name} is damaged")
            return None
        return data

    def _set_aside(self, path: Path, why: str) -> None:
        target = self._at.damaged / f"{path.name}.{secrets.token_hex(4)}"
        try:
            self._at.damaged.mkdir(exist_ok=True)
            path.rename(target)
        except FileNotFoundError:  # another process was first
            return
        except OSError as error:
            self.warnings.append(f"{why}; it could not be moved away ({error.strerror}): {path}")
            return
        self.warnings.append(f"{why}; moved to {target}")


def open_store(root: Path) -> FileStore:
    """Open the store in `root`, made if there is none; VerifierError where that cannot be."""
    return FileStore(prepare(root))


def _read(path: Path) -> bytes | None:
    with explained("read", path):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None


def _checked(trial_id: str) -> str:
    if not _ID.fullmatch(trial_id):
        raise ValueError(f"{trial_id!r} is no trial id: want letters, digits, '_' and '-'")
    return trial_id


def _name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _compose(trial_id: str, record: Mapping[str, object], blobs: Mapping[str, str]) -> bytes:
    body = {"id": trial_id, "record": dict(record), "blobs": dict(blobs)}
    return canonical_bytes({**body, "digest": document_digest(body)}) + b"\n"


def _parse(raw: bytes, trial_id: str) -> StoredTrial | None:
    """Read a record that is, byte for byte, one that `_compose` wrote for this trial."""
    try:
        found = json.loads(raw)
        record, blobs = found["record"], found["blobs"]
        if _compose(trial_id, record, blobs) != raw:
            return None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return StoredTrial(id=trial_id, record=record, blobs=blobs)
