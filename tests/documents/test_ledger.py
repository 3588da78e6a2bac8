"""A chain of entries: whatever is changed, removed or moved in it shows."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.documents.canonical import canonical_bytes, document_digest
from verifier.documents.ledger import (
    Entry,
    nonce_commitment,
    seal_entry,
    verify_chain,
    verify_extract,
)
from verifier.errors import EvidenceError


def chain(length: int) -> list[Entry]:
    entries: list[Entry] = []
    for seq in range(length):
        entries.append(
            seal_entry(
                seq=seq,
                kind="try" if seq else "nonce",
                at=f"2026-01-01T00:00:{seq:02}.000Z",
                body={"lineage": "köln", "alpha": 0.01, "k": seq}
                if seq
                else nonce_commitment(b"n"),
                previous=str(entries[-1]["digest"]) if entries else None,
            )
        )
    return entries


ENTRIES = chain(6)
LINES = [canonical_bytes(entry) for entry in ENTRIES]


def resealed(entry: Entry, **changes: object) -> Entry:
    """Forge an entry whose own digest is right."""
    body = {**entry, **changes}
    del body["digest"]
    return {**body, "digest": document_digest(body)}


def test_a_sound_chain_reads_back():
    assert verify_chain(LINES) == ENTRIES
    assert verify_chain([]) == []


@given(line=st.integers(0, 5), at=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_any_changed_byte_is_found(line: int, at: int, flip: int):
    raw = bytearray(LINES[line])
    raw[at % len(raw)] ^= flip
    with pytest.raises(EvidenceError, match=f"line {line + 1}:"):
        verify_chain([*LINES[:line], bytes(raw), *LINES[line + 1 :]])


@given(order=st.lists(st.integers(0, 5), max_size=8))
def test_only_a_start_of_the_chain_passes(order: list[int]):
    """Lines left out, repeated or moved: found, unless just the end is missing."""
    lines = [LINES[number] for number in order]
    if order == list(range(len(order))):
        assert verify_chain(lines) == ENTRIES[: len(order)]
    else:
        with pytest.raises(EvidenceError):
            verify_chain(lines)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"body": {"alpha": 1}}, "does not follow"),  # found at the next line
        ({"seq": 7}, "entries are missing"),
        ({"seq": True}, "entries are missing"),
        ({"previous": None}, "does not follow"),
        ({"kind": "nonce"}, "opens a ledger"),
    ],
)
def test_a_resealed_entry_breaks_the_chain(changes, problem):
    forged = canonical_bytes(resealed(ENTRIES[1], **changes))
    with pytest.raises(EvidenceError, match=problem):
        verify_chain([LINES[0], forged, *LINES[2:]])


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"seq":0}',
        b"\xff",
        b"[" * 100_000,
        b'{"a":NaN}',
        b'{"a":"\\ud800"}',
    ],
)
def test_what_is_no_entry_is_told_by_line(line: bytes):
    with pytest.raises(EvidenceError, match="line 2:"):
        verify_chain([LINES[0], line])


def test_the_same_entry_spelt_otherwise_is_refused():
    with pytest.raises(EvidenceError, match="canonical"):
        verify_chain([json.dumps(ENTRIES[0]).encode()])


@given(chosen=st.sets(st.integers(0, 5)))
def test_extracts_of_a_sound_chain_pass(chosen: set[int]):
    verify_extract([ENTRIES[number] for number in sorted(chosen)])


def test_extracts_are_checked_entry_by_entry_and_link_by_link():
    with pytest.raises(EvidenceError, match="entry 2: was changed"):
        verify_extract([ENTRIES[1], {**ENTRIES[3], "at": "yesterday"}])
    with pytest.raises(EvidenceError, match="number 2 after number 3"):
        verify_extract([ENTRIES[3], ENTRIES[2]])
    with pytest.raises(EvidenceError, match="does not follow"):
        verify_extract([ENTRIES[2], resealed(ENTRIES[3], previous=ENTRIES[1]["digest"])])
    with pytest.raises(EvidenceError, match="opens a ledger"):
        verify_extract([resealed(ENTRIES[0], kind="try")])
    with pytest.raises(EvidenceError, match="has the fields"):
        verify_extract([{"seq": 1}])
    with pytest.raises(EvidenceError, match="has number -1"):
        verify_extract([resealed(ENTRIES[3], seq=-1)])
