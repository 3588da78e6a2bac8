"""Units, paths, plain text and the pseudo-random function: what they take and what they refuse."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.documents.faults import BadValueError
from verifier.documents.paths import check_relative
from verifier.documents.plain import last_words, plain_lines, plain_text
from verifier.documents.prf import draw, prf
from verifier.documents.units import seconds, size_bytes

PARTS = st.lists(st.one_of(st.text(max_size=6), st.integers(0, 10**6)), max_size=4)


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (seconds, "90 s", 90),
        (seconds, "10 min", 600),
        (seconds, "2 h", 7200),
        (seconds, "999999 s", 999_999),
        (size_bytes, "512 MiB", 512 * 1024**2),
        (size_bytes, "4 GiB", 4 * 1024**3),
    ],
)
def test_units_mean_what_they_say(read, text, value):
    assert read(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "10", "10min", "10  min", " 10 min", "10 min\n", "0 s", "-1 s", "1.5 h", "01 s", "٣ s",
     "1000000 s", "10 MIN", "10 m", "10 GiB"],
)  # fmt: skip
def test_other_durations_are_refused(text):
    with pytest.raises(BadValueError) as caught:
        seconds(text)
    assert caught.value.hint == "write it like 10 s or 10 min"


@pytest.mark.parametrize("text", ["10 min", "4 GB", "4 gib", "0 MiB", "4GiB"])
def test_other_sizes_are_refused(text):
    with pytest.raises(BadValueError):
        size_bytes(text)


@pytest.mark.parametrize("text", ["a", "a/b.py", "a b/c", ".hidden", "..a", "a..b/c.."])
def test_paths_inside_are_taken(text):
    assert check_relative(text) == text


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "/", "/a", "../a", "a/..", "a/../b", "./a", "a/", "a//b", "a/.", "a\\b", "C:a",
     "a\nb", "a\0b", "a\x1b[31m", "caf\u00e9", "\u0430.py", "a\u202eb", "a\u200bb", "a\x7f"],
)  # fmt: skip
def test_other_paths_are_refused(text):
    with pytest.raises(BadValueError):
        check_relative(text)


@settings(deadline=None)
@given(text=st.text(st.characters(codec="ascii") | st.sampled_from("/.é\\:"), max_size=12))
def test_a_path_that_is_taken_stays_inside_whatever_it_says(text):
    """No taken path leaves its folder, and two taken paths that differ name two files."""
    try:
        check_relative(text)
    except BadValueError:
        return
    path = PurePosixPath("/in") / text
    assert ".." not in path.parts
    assert path.is_relative_to("/in")
    assert path != PurePosixPath("/in")
    assert str(path) == f"/in/{text}"
    assert all(" " <= c <= "~" for c in text)


@settings(deadline=None)
@given(data=st.binary(max_size=300), limit=st.integers(2, 50))
def test_nothing_that_moves_a_terminal_is_left(data, limit):
    """No control, no escape, no invisible direction mark reaches the screen; length is bounded."""
    shown = [plain_text(data, limit=limit), last_words(data), *plain_lines(data)]
    assert len(shown[0]) <= limit
    assert all(unicodedata.category(c)[0] != "C" for text in shown for c in text)


def test_terminal_escapes_are_stripped_and_the_end_is_kept():
    assert plain_text(b"\x1b[31mred\x1b[0m\r\n\x9b2Jx") == "[31mred [0m \ufffd2Jx"
    assert plain_text("a\u202eb\u2028c\x85d".encode()) == "a b c d"
    assert plain_text(b"abcdef", limit=4) == "\u2026def"
    assert plain_text(b"abcd", limit=4) == "abcd"
    assert plain_lines(b"a\x1b[2Jb\nc") == ["a\ufffd[2Jb", "c"]
    assert plain_lines(b"1\n2\n3", limit=2) == ["2", "3"]
    assert last_words(b"one\ntwo\n\x1b\n \n") == "two"
    assert last_words(b"") == last_words(b"\n \x07\n") == "(silent)"


@settings(deadline=None)
@given(one=PARTS, other=PARTS, labels=st.tuples(st.text(max_size=3), st.text(max_size=3)))
def test_labels_and_parts_never_collide(one, other, labels):
    """Two calls give equal bytes only for equal labels and equal parts, wherever they are cut."""
    same = (labels[0], [str(p) for p in one]) == (labels[1], [str(p) for p in other])
    assert (prf(b"k", labels[0], *one) == prf(b"k", labels[1], *other)) == same


def test_the_cut_between_parts_counts_and_so_does_the_key():
    values = [prf(b"k", "a", "b"), prf(b"k", "ab"), prf(b"k", "a", "b", ""), prf(b"k", "", "ab"),
              prf(b"k", "b", "a"), prf(b"j", "a", "b")]  # fmt: skip
    assert len(set(values)) == len(values)
    assert all(len(v) == 32 for v in values)
    assert prf(b"k", "a", 1) == prf(b"k", "a", "1")


@settings(deadline=None)
@given(below=st.integers(1, 1 << 40), number=st.integers(0, 1 << 20))
def test_a_draw_is_below_its_bound_and_the_same_again(below, number):
    """Draws are in [0, below), and the same for the same key and parts."""
    value = draw(b"k", "label", number, below=below)
    assert 0 <= value < below
    assert value == draw(b"k", "label", number, below=below)


def test_draws_cover_their_range_evenly_and_nothing_is_not_drawn_from():
    counts = [0] * 5
    for number in range(2000):
        counts[draw(b"k", "label", number, below=5)] += 1
    assert all(320 < count < 480 for count in counts)
    for below in (0, -1):
        with pytest.raises(ValueError, match="something to draw from"):
            draw(b"k", "label", below=below)
