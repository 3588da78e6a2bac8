"""The store keeps finished trials whole, and nothing damaged is ever taken for one."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.adapters.store import FileStore, open_store
from verifier.errors import VerifierError

A, B = "a" * 64, "b" * 64
RECORD = {"ending": "exited", "wall_s": 2.5, "stages": ["assign", "train"], "note": "naïve – ök"}
BLOBS = {"ranking": b"ranking" * 100, "log": b"log"}


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def store(root: Path) -> FileStore:
    return open_store(root)


def test_what_was_put_is_got_by_another_process_of_the_same_store(store: FileStore, root: Path):
    put = store.put(A, RECORD, BLOBS)
    again = open_store(root)
    assert again.get(A) == put
    assert put.record == RECORD
    assert {name: again.blob(put, name) for name in BLOBS} == BLOBS
    assert not store.warnings + again.warnings


def test_a_trial_never_put_is_none(store: FileStore):
    assert store.get(A) is None


def test_equal_blobs_are_kept_once_and_nothing_temporary_stays(store: FileStore, root: Path):
    store.put(A, RECORD, {"x": b"same"})
    store.put(B, RECORD, {"x": b"same", "y": b"same"})
    assert len(files(root / "objects")) == 1
    assert not files(root / "incoming")


def test_the_first_result_of_a_trial_stays(store: FileStore):
    first = store.put(A, {"n": 1}, BLOBS)
    assert store.put(A, {"n": 1}, BLOBS) == first
    assert not store.warnings
    assert store.put(A, {"n": 2}, BLOBS) == first
    assert "kept as it was" in store.warnings[0]


@pytest.mark.parametrize("name", ["", "..", "../../x", "a/b", ".hidden", "a\0b", "ab", "x" * 200])
def test_ids_cannot_leave_the_store(store: FileStore, name: str):
    with pytest.raises(ValueError, match="no trial id"):
        store.put(name, {}, {})
    with pytest.raises(ValueError, match="no trial id"):
        store.get(name)


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_any_damage_to_any_file_of_a_trial_is_found_and_harms_no_other(data: st.DataObject):
    """Change, cut or remove any file: the trial is not there, or as it was; the other is."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        root = Path(folder) / "store"
        store = open_store(root)
        kept = store.put(A, RECORD, BLOBS)
        before = set(files(root))
        other = store.put(B, {"n": 1}, {"x": b"other"})
        mine = files(root / "objects") + files(root / "trials")
        target = data.draw(st.sampled_from([path for path in mine if path in before]))
        raw = bytearray(target.read_bytes())
        at = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.sampled_from(["change", "cut", "remove", "empty", "append"])):
            case "change":
                raw[at] ^= data.draw(st.integers(1, 255))
            case "cut":
                del raw[at:]
            case "empty":
                raw.clear()
            case "append":
                raw += b"\n"
            case _:
                target.unlink()
        if target.exists():
            target.write_bytes(raw)
        gone = not target.exists() and target.suffix == ".json"
        assert store.get(A) is None
        assert len([text for text in store.warnings if A in text]) == (0 if gone else 1)
        assert all("\n" not in text for text in store.warnings)
        assert store.get(B) == other
        assert store.blob(other, "x") == b"other"
        assert store.put(A, RECORD, BLOBS) == kept == open_store(root).get(A)


def test_what_is_damaged_is_moved_aside_not_removed(store: FileStore, root: Path):
    store.put(A, RECORD, BLOBS)
    record = files(root / "trials")[0]
    record.write_bytes(b"{}")
    assert store.get(A) is None
    [aside] = files(root / "damaged")
    assert aside.read_bytes() == b"{}"
    assert str(aside) in store.warnings[0]


def test_a_blob_damaged_after_get_is_an_error_and_the_trial_is_gone(store: FileStore, root: Path):
    trial = store.put(A, RECORD, {"x": b"blob"})
    files(root / "objects")[0].write_bytes(b"blub")
    with pytest.raises(VerifierError, match="start again"):
        store.blob(trial, "x")
    assert store.get(A) is None


def test_cached_values_come_back_and_damaged_ones_do_not(store: FileStore, root: Path):
    assert store.cached("setting: cldr/x") is None
    store.cache("setting: cldr/x", b"")
    assert store.cached("setting: cldr/x") == b""
    store.cache("setting: cldr/x", b"new")
    assert store.cached("setting: cldr/x") == b"new"
    path = files(root / "cache")[0]
    path.write_bytes(path.read_bytes() + b"!")
    assert store.cached("setting: cldr/x") is None
    assert len(store.warnings) == 1


def test_the_secret_is_made_once_and_for_its_owner(store: FileStore, root: Path):
    secret = store.secret()
    path = root / "secret"
    assert len(secret) == 32
    assert secret == open_store(root).secret() == path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_secret_that_others_could_read_is_mended_and_told(store: FileStore, root: Path):
    store.secret()
    (root / "secret").chmod(0o644)
    store.secret()
    assert stat.S_IMODE((root / "secret").stat().st_mode) == 0o600
    assert "others could read" in store.warnings[0]


def test_a_secret_cut_short_is_an_error_and_stays(store: FileStore, root: Path):
    (root / "secret").write_bytes(b"short")
    with pytest.raises(VerifierError, match="has 5 bytes, want 32"):
        store.secret()
    assert (root / "secret").read_bytes() == b"short"


def test_a_store_of_a_newer_layout_is_refused(store: FileStore, root: Path):
    (root / "version").write_text("2\n")
    with pytest.raises(VerifierError, match="layout 2; this program knows up to 1"):
        open_store(root)


@pytest.mark.parametrize("text", ["", "one\n", "1", "-1\n", "0\n", "1\n\n"])
def test_a_version_that_is_none_is_refused(store: FileStore, root: Path, text: str):
    (root / "version").write_text(text)
    with pytest.raises(VerifierError, match="is not a version number"):
        open_store(root)


def test_a_folder_of_other_things_is_not_made_a_store(tmp_path: Path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(VerifierError, match=r'holds "thesis\.tex"'):
        open_store(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path: Path):
    (tmp_path / "x").write_text("")
    with pytest.raises(VerifierError, match="a file stands where"):
        open_store(tmp_path / "x")


def test_without_permission_reading_works_and_writing_is_an_error(child):
    """As another user (root may write anywhere): finished trials can be read, none be put."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "store"
        open_store(root).put(A, RECORD, BLOBS)
        Path(folder).chmod(0o755)
        for path in root.rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)
        root.chmod(0o555)

        def work(say):
            if not os.getuid():
                os.setgid(65534)
                os.setuid(65534)
            store = open_store(root)
            trial = store.get(A)
            say("got" if trial and store.blob(trial, "log") == b"log" else "lost")
            try:
                store.put(B, RECORD, {"new": b"new"})
            except VerifierError as error:
                say(f"{error.problem}; {error.hint}")
            store.cache("key", b"value")
            say(store.warnings[-1])

        got, put, cache = child(work).heard()
        for path in [root, *root.rglob("*")]:
            path.chmod(0o755)
        assert got == "got"
        assert put.startswith("cannot keep a finished trial: Permission denied; give this user")
        assert "costs time only" in cache


def test_locks_do_not_pile_up_and_dead_holders_let_go(store: FileStore, root: Path, child):
    for number in range(20):
        with store.trial_lock(f"{number:064x}"):
            assert len(files(root / "locks")) == 1
    assert not files(root / "locks")

    def work(say):
        with store.trial_lock(A):
            say("held")
            os.kill(os.getpid(), 9)

    assert child(work).heard() == ["held"]
    assert len(files(root / "locks")) == 1
    open_store(root)
    assert not files(root / "locks")
    with store.trial_lock(A):
        open_store(root)  # a lock that is held is not swept
        assert len(files(root / "locks")) == 1
