"""The account of tries as a chain: each entry carries the digest of the one before."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from verifier.documents.canonical import canonical_bytes, digest, document_digest
from verifier.errors import EvidenceError

FIRST_KIND = "nonce"
_FIELDS = frozenset({"seq", "kind", "at", "body", "previous", "digest"})

Entry = Mapping[str, object]


def nonce_commitment(nonce: bytes) -> dict[str, object]:
    """Return the body of the first entry: it binds the nonce without giving it away."""
    return {"sha256": digest(nonce)}


def seal_entry(
    *, seq: int, kind: str, at: str, body: Mapping[str, object], previous: str | None
) -> Entry:
    """Return the next entry of a chain, its digest taken over all its other fields."""
    entry = {"seq": seq, "kind": kind, "at": at, "body": dict(body), "previous": previous}
    return {**entry, "digest": document_digest(entry)}


def verify_chain(lines: Iterable[bytes], *, where: str = "ledger.jsonl") -> list[Entry]:
    """Return the entries of a whole chain, from its first; EvidenceError at the first break.

    lines: one entry each, without the newline, in canonical JSON byte for byte, so that any
    changed byte shows.
    """
    entries: list[Entry] = []
    for line in lines:
        extend_chain(entries, line, where=where)
    return entries


def extend_chain(entries: list[Entry], line: bytes, *, where: str) -> None:
    """Read one more line of a chain and append it to `entries`; EvidenceError if it breaks."""
    place = f"{where}, line {len(entries) + 1}"
    entry = _read(line, place)
    _check_link(entry, entries[-1] if entries else None, place)
    entries.append(entry)


def verify_extract(entries: Sequence[Entry], *, where: str = "ledger extract") -> None:
    """Check some entries of a chain in rising order; neighbours must be linked.

    Says nothing about entries that were left out.  Raises EvidenceError.
    """
    before: Entry | None = None
    for number, entry in enumerate(entries, start=1):
        place = f"{where}, entry {number}"
        _check_digest(entry, place)
        seq = _seq(entry, place)
        if before is not None:
            last = _seq(before, place)
            if seq <= last:
                raise _broken(f"number {seq} after number {last}", place)
            if seq == last + 1:
                _check_link(entry, before, place)
        elif seq == 0:
            _check_link(entry, None, place)
        before = entry


def _read(line: bytes, place: str) -> Entry:
    try:
        entry = json.loads(line)
        same = canonical_bytes(entry) == line
    except (ValueError, RecursionError) as error:
        raise _broken("not an entry in canonical JSON", place) from error
    if not same or not isinstance(entry, dict):
        raise _broken("not an entry in canonical JSON", place)
    _check_digest(entry, place)
    return entry


def _check_digest(entry: Entry, place: str) -> None:
    if entry.keys() != _FIELDS:
        raise _broken(f"has the fields {sorted(entry)}, want {sorted(_FIELDS)}", place)
    rest = {key: value for key, value in entry.items() if key != "digest"}
    try:
        found = document_digest(rest)
    except ValueError as error:
        raise _broken("holds what JSON cannot say", place) from error
    if found != entry["digest"]:
        raise _broken("was changed after it was written (its digest differs)", place)


def _check_link(entry: Entry, before: Entry | None, place: str) -> None:
    seq = 0 if before is None else _seq(before, place) + 1
    if entry["seq"] != seq or isinstance(entry["seq"], bool):
        raise _broken(f"has number {entry['seq']}, want {seq}: entries are missing", place)
    if entry["previous"] != (None if before is None else before["digest"]):
        raise _broken("does not follow the entry before it", place)
    if (entry["kind"] == FIRST_KIND) != (before is None):
        raise _broken(f'is of kind "{entry["kind"]}"; "{FIRST_KIND}" opens a ledger', place)


def _seq(entry: Entry, place: str) -> int:
    seq = entry["seq"]
    if not isinstance(seq, int) or isinstance(seq, bool) or seq < 0:
        raise _broken(f"has number {seq!r}, want 0, 1, 2, ...", place)
    return seq


def _broken(problem: str, place: str) -> EvidenceError:
    return EvidenceError(
        problem,
        where=place,
        hint="the account of tries must stay whole: restore the file from a copy; "
        "without one, begin a new store (its tries start again at a first nonce)",
    )
