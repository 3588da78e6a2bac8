"""Where things lie in a store's folder, and which version of this order it has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from verifier.adapters.store.files import explained, make_folder, sweep, write_once
from verifier.adapters.store.locks import sweep_locks
from verifier.errors import VerifierError

VERSION = 1
_OURS = frozenset({"incoming", "locks"})  # what may be there before the version is


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of one store."""

    root: Path

    @property
    def incoming(self) -> Path:
        """Files being written; nothing here counts."""
        return self.root / "incoming"

    @property
    def ledger(self) -> Path:
        """The account of tries."""
        return self.root / "ledger.jsonl"

    @property
    def damaged(self) -> Path:
        """What was set aside."""
        return self.root / "damaged"

    @property
    def locks(self) -> Path:
        """One file per lock held now."""
        return self.root / "locks"

    def blob(self, digest: str) -> Path:
        """The place of a blob by its digest ("sha256:...")."""
        name = digest.removeprefix("sha256:")
        return self.root / "objects" / name[:2] / name

    def trial(self, trial_id: str) -> Path:
        """The place of a finished trial's record."""
        return self.root / "trials" / trial_id[:2] / f"{trial_id}.json"

    def cached(self, name: str) -> Path:
        """The place of a derived value by the digest of its key."""
        return self.root / "cache" / name[:2] / name


def prepare(root: Path) -> Layout:
    """Make or open a store's folder; VerifierError for one that is not ours or is newer."""
    layout = Layout(root)
    path = root / "version"
    with explained("open the store", root):
        if not path.exists():
            _refuse_strangers(root)
            make_folder(root)
            write_once(root / ".gitignore", b"*\n", incoming=layout.incoming)
            write_once(path, b"%d\n" % VERSION, incoming=layout.incoming)
        text = path.read_bytes()[:32]
    _check_version(text, path)
    sweep(layout.incoming)
    sweep_locks(layout.locks)
    return layout


def _refuse_strangers(root: Path) -> None:
    if not root.exists():
        return
    strangers = [p.name for p in root.iterdir() if p.name[0] != "." and p.name not in _OURS]
    if strangers and not (root / "version").exists():
        raise VerifierError(
            f'holds "{min(strangers)}" and no version: this is not a store',
            where=str(root),
            hint="choose an empty folder, or one that does not exist yet",
        )


def _check_version(text: bytes, path: Path) -> None:
    match = re.fullmatch(rb"([1-9][0-9]{0,8})\n", text)
    if match is None:
        raise VerifierError(
            "is not a version number",
            where=str(path),
            hint=f'if this is a store of ours, write "{VERSION}" and a newline into that file',
        )
    if int(match[1]) > VERSION:
        raise VerifierError(
            f"the store has layout {int(match[1])}; this program knows up to {VERSION}",
            where=str(path),
            hint="use a newer version of this program, or another folder for the store",
        )
