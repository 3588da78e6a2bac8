"""The account of tries in a file of JSON lines: appended under a lock, synced, chained."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

from verifier.adapters.store.files import explained, sync_folder
from verifier.adapters.store.keep import owner_only
from verifier.adapters.store.layout import Layout, prepare
from verifier.adapters.store.locks import hold
from verifier.adapters.store.tail import append_line, mend, replace_tail, split
from verifier.documents.canonical import canonical_bytes
from verifier.documents.ledger import (
    FIRST_KIND,
    Entry,
    extend_chain,
    nonce_commitment,
    seal_entry,
)
from verifier.errors import VerifierError
from verifier.ports import Clock


class FileLedger:
    """Implements ports.Ledger; repairs of a torn last line are told in `warnings`."""

    def __init__(self, layout: Layout, clock: Clock) -> None:
        self._at = layout
        self._clock = clock
        self._raw = b""  # what has been checked, and
        self._entries: list[Entry] = []  # what it says
        self._holder, self._depth = 0, 0
        self.warnings: list[str] = []

    def nonce(self) -> bytes:
        """Return the 32 bytes seeds derive from; VerifierError if they are not those sworn to."""
        path = self._at.root / "nonce"
        if not path.exists():
            raise _lost("the nonce is missing, and with it every seed of this ledger", path)
        nonce = owner_only(path, incoming=self._at.incoming, warnings=self.warnings)
        if self.entries()[0]["body"] != nonce_commitment(nonce):
            raise VerifierError(
                "is not the nonce that the first entry of the ledger commits to",
                where=str(path),
                hint="restore nonce and ledger.jsonl together from one copy of the store",
            )
        return nonce

    def entries(self) -> Sequence[Entry]:
        """Return all entries; EvidenceError names the line where the chain is broken."""
        raw = self._read()
        if not raw.endswith(b"\n") and raw:
            with self.locked():  # nobody is writing now: a line without its end was torn
                raw = self._mended(self._read())
        self._check(raw)
        return tuple(self._entries)

    def append(self, kind: str, body: Mapping[str, object]) -> Entry:
        """Add an entry; it is on the disk when this returns, or not in the ledger at all."""
        with self.locked():
            entries = self.entries()
            at = self._clock.now().astimezone(UTC).isoformat(timespec="milliseconds")
            entry = seal_entry(
                seq=len(entries),
                kind=kind,
                at=at.replace("+00:00", "Z"),
                body=body,
                previous=str(entries[-1]["digest"]) if entries else None,
            )
            line = canonical_bytes(entry)
            extend_chain([*entries], line, where=str(self._at.ledger))  # before it is written
            self._write(line + b"\n")
            return self.entries()[-1]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the account against every other process; may be nested."""
        if self._holder == os.getpid() and self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        with hold(self._at.locks / "ledger"):
            self._holder, self._depth = os.getpid(), 1
            try:
                yield
            finally:
                self._depth = 0

    def begin(self) -> None:
        """Make the nonce and the entry that commits to it, if the store is new.

        The entry comes first: a nonce without a ledger then always means a ledger lost.
        """
        nonce, made = self._at.root / "nonce", self._at.root / "nonce.new"
        if self._at.ledger.exists() and nonce.exists():
            return
        with self.locked():
            entries = self.entries()
            if nonce.exists() and not entries:
                raise _lost("the account of tries is missing", self._at.ledger)
            if nonce.exists() or (entries and not made.exists()):
                return
            value = owner_only(made, incoming=self._at.incoming, warnings=self.warnings)
            if not entries:
                self.append(FIRST_KIND, nonce_commitment(value))
            with explained("make the nonce", nonce):
                made.rename(nonce)
                sync_folder(nonce.parent)

    def _read(self) -> bytes:
        with explained("read the ledger", self._at.ledger):
            try:
                return self._at.ledger.read_bytes()
            except FileNotFoundError:
                return b""

    def _check(self, raw: bytes) -> None:
        """Check what is new since the last time; all of it, if the old part has changed."""
        known = raw.startswith(self._raw)
        entries = list(self._entries) if known else []
        for line in split(raw[len(self._raw) if known else 0 :])[0]:
            extend_chain(entries, line, where=str(self._at.ledger))
        self._raw, self._entries = raw, entries

    def _mended(self, raw: bytes) -> bytes:
        whole, told = mend(raw)
        self._check(whole)
        if told is not None:
            with explained("repair the ledger", self._at.ledger):
                replace_tail(self._at.ledger, raw, whole)
            self.warnings.append(f"{self._at.ledger}: {told}")
        return whole

    def _write(self, line: bytes) -> None:
        with explained("write to the ledger", self._at.ledger):
            append_line(self._at.ledger, line)


def open_ledger(root: Path, clock: Clock) -> FileLedger:
    """Open the ledger in `root`, begun if there is none; VerifierError where that cannot be."""
    ledger = FileLedger(prepare(root), clock)
    ledger.begin()
    return ledger


def _lost(problem: str, path: Path) -> VerifierError:
    hint = "restore it from a copy; without one, begin a new store"
    return VerifierError(problem, where=str(path), hint=hint)
