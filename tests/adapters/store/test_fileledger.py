"""The account of tries: whole or refused; only what a crash tore off is mended, and told."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verifier.adapters.store import FileLedger, open_ledger, open_store
from verifier.documents.canonical import digest
from verifier.documents.ledger import verify_chain
from verifier.errors import EvidenceError, VerifierError


@pytest.fixture
def ledger(root: Path, clock) -> FileLedger:
    ledger = open_ledger(root, clock)
    for number in range(3):
        ledger.append("try", {"n": number, "name": "Größe"})
    return ledger


def test_entries_come_back_chained_and_timed(ledger: FileLedger, root: Path, clock):
    entries = ledger.entries()
    assert [entry["kind"] for entry in entries] == ["nonce", "try", "try", "try"]
    assert entries[1]["at"] == "2026-01-01T00:00:02.000Z"
    assert open_ledger(root, clock).entries() == entries
    assert list(entries) == verify_chain((root / "ledger.jsonl").read_bytes().splitlines())


def test_the_first_entry_commits_to_the_nonce(ledger: FileLedger, root: Path):
    nonce = ledger.nonce()
    assert len(nonce) == 32
    assert nonce != open_store(root).secret()
    assert ledger.entries()[0]["body"] == {"sha256": digest(nonce)}
    assert stat.S_IMODE((root / "nonce").stat().st_mode) == 0o600


def test_another_nonce_is_refused(ledger: FileLedger, root: Path):
    (root / "nonce").write_bytes(bytes(32))
    with pytest.raises(VerifierError, match="commits to"):
        ledger.nonce()


def test_a_lost_nonce_is_an_error_and_not_made_anew(ledger: FileLedger, root: Path, clock):
    (root / "nonce").unlink()
    with pytest.raises(VerifierError, match="nonce is missing"):
        open_ledger(root, clock).nonce()


def test_a_lost_ledger_is_an_error_and_not_begun_anew(ledger: FileLedger, root: Path, clock):
    """Removing the file does not give a lineage its alpha back without a word."""
    (root / "ledger.jsonl").unlink()
    with pytest.raises(VerifierError, match="the account of tries is missing"):
        open_ledger(root, clock)


def test_locked_can_be_nested_with_itself_and_append(ledger: FileLedger, root: Path):
    with ledger.locked(), ledger.locked():
        ledger.append("try", {"n": 3})
        assert (root / "locks" / "ledger").exists()
    assert not (root / "locks" / "ledger").exists()
    assert len(ledger.entries()) == 5


def test_only_the_first_entry_is_of_kind_nonce(ledger: FileLedger):
    with pytest.raises(EvidenceError, match="opens a ledger"):
        ledger.append("nonce", {})
    assert len(ledger.entries()) == 4


def test_what_json_cannot_say_is_not_appended(ledger: FileLedger):
    with pytest.raises(ValueError, match=r".+"):
        ledger.append("try", {"p": float("nan")})
    assert len(ledger.entries()) == 4


def test_a_line_torn_at_any_place_is_mended_and_told(ledger: FileLedger, root: Path, clock):
    path = root / "ledger.jsonl"
    whole = path.read_bytes()
    entries = ledger.entries()
    last = whole.rindex(b"\n", 0, len(whole) - 1) + 1
    for end in range(last + 1, len(whole)):
        for zeros in (b"", b"\0" * 9):
            path.write_bytes(whole[:end] + zeros)
            torn = open_ledger(root, clock)
            complete = end == len(whole) - 1
            assert torn.entries() == (entries if complete else entries[:-1])
            assert len(torn.warnings) == 1
            assert path.read_bytes() == (whole if complete else whole[:last])


def test_a_torn_line_is_mended_before_the_next_append(ledger: FileLedger, root: Path, clock):
    path = root / "ledger.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    assert ledger.append("try", {"n": 9})["seq"] == 3
    assert len(open_ledger(root, clock).entries()) == 4
    assert "torn by a crash was cut off" in ledger.warnings[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.integers(min_value=0), flip=st.integers(1, 255))
def test_no_changed_byte_passes(ledger: FileLedger, root: Path, clock, at: int, flip: int):
    """Also the newlines': the entries are as they were, or it is an error."""
    path = root / "ledger.jsonl"
    whole = path.read_bytes()
    raw = bytearray(whole)
    raw[at % len(raw)] ^= flip
    try:
        path.write_bytes(raw)
        for reader in (ledger, FileLedger(ledger._at, clock)):
            try:
                assert reader.entries() == tuple(verify_chain(whole.splitlines()))
            except EvidenceError as error:
                assert ", line " in error.where  # noqa: PT017
                assert "restore the file" in error.hint  # noqa: PT017
            else:
                assert path.read_bytes() == whole
    finally:
        path.write_bytes(whole)
    assert len(ledger.entries()) == 4


def test_a_removed_entry_is_found_and_nothing_can_be_appended(ledger: FileLedger, root: Path):
    path = root / "ledger.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2] + lines[3:]))
    with pytest.raises(EvidenceError, match=r"line 3: has number 3, want 2: entries are missing"):
        ledger.entries()
    with pytest.raises(EvidenceError):
        ledger.append("try", {})
