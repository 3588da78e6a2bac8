"""Rankings and streams as bytes: they come back as they were, or not at all."""

from __future__ import annotations

import json
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.documents.ranking import Qrels, Ranking, decode_ranking, encode_ranking
from verifier.documents.stream import Stream, decode_stream, encode_stream
from verifier.errors import EvidenceError


def ranking_from(rows: list[list[tuple[int, bool]]]) -> Ranking:
    flat = [(d, tied and k > 0) for row in rows for k, (d, tied) in enumerate(row)]
    return Ranking(
        starts=np.cumsum([0, *map(len, rows)]).astype(np.int64),
        documents=np.asarray([d for d, _ in flat], dtype=np.int32),
        tied=np.asarray([t for _, t in flat], dtype=np.bool_),
    )


def stream_from(rows: list[tuple[int, int]], width: int) -> Stream:
    count = len(rows)
    return Stream(
        steps=np.arange(count, dtype=np.int32) // 2,
        queries=np.asarray([q for q, _ in rows], dtype=np.int32),
        positives=np.asarray([d for _, d in rows], dtype=np.int32),
        negatives=(np.arange(count * width, dtype=np.int32) * 7 % 1000).reshape(count, width),
    )


ENTRIES = st.tuples(st.integers(0, 2**31 - 1), st.booleans())
RANKINGS = st.lists(st.lists(ENTRIES, max_size=5), max_size=5).map(ranking_from)
STREAMS = st.builds(
    stream_from,
    st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)), max_size=6),
    st.integers(0, 4),
)
RANKING = ranking_from([[(3, False), (1, True)], [], [(2, False)]])
STREAM = stream_from([(1, 2), (3, 4), (5, 6)], 2)


def fields(stream: Stream) -> list[list[object]]:
    return [x.tolist() for x in (stream.steps, stream.queries, stream.positives, stream.negatives)]


@settings(deadline=None)
@given(ranking=RANKINGS)
def test_a_ranking_comes_back(ranking):
    """Encoding and decoding is the identity, and equal rankings have equal bytes."""
    data = encode_ranking(ranking)
    again = decode_ranking(data, where="r")
    assert again == ranking
    assert encode_ranking(again) == data
    assert (again.documents.dtype, again.tied.dtype) == (np.int32, np.bool_)


@settings(deadline=None)
@given(one=RANKINGS, other=RANKINGS)
def test_different_rankings_have_different_bytes(one, other):
    """Equal bytes mean equal rankings."""
    assert (encode_ranking(one) == encode_ranking(other)) == (one == other)


@settings(deadline=None)
@given(stream=STREAMS)
def test_a_stream_comes_back(stream):
    """Encoding and decoding is the identity."""
    again = decode_stream(encode_stream(stream), where="s")
    assert fields(again) == fields(stream)
    assert again.negatives.shape == stream.negatives.shape
    assert again.effort_digest() == stream.effort_digest()


def test_no_flipped_byte_gives_another_ranking():
    """A changed byte is refused, or is one of zlib's few that carry nothing: never another one."""
    data = encode_ranking(RANKING)
    refused = 0
    for at in range(len(data)):
        for flip in range(1, 256):
            raw = bytearray(data)
            raw[at] ^= flip
            try:
                assert decode_ranking(bytes(raw), where="r") == RANKING
            except EvidenceError:
                refused += 1
    assert refused > 0.97 * 255 * len(data)


def test_no_flipped_byte_gives_another_stream():
    data = encode_stream(STREAM)
    refused = 0
    for at in range(len(data)):
        for flip in range(1, 256):
            raw = bytearray(data)
            raw[at] ^= flip
            try:
                assert fields(decode_stream(bytes(raw), where="s")) == fields(STREAM)
            except EvidenceError:
                refused += 1
    assert refused > 0.97 * 255 * len(data)


def packed(mark: bytes, header: object, body: bytes) -> bytes:
    return mark + json.dumps(header).encode() + b"\n" + zlib.compress(body)


def words(*values: int) -> bytes:
    return np.asarray(values, dtype="<u4").tobytes()


RANK, HEAD = b"ranking-v1\n", {"queries": 1, "entries": 1}
BAD_RANKINGS = {
    "nothing": b"",
    "mark": packed(b"ranking-v2\n", HEAD, words(1, 5)),
    "no header": RANK,
    "header is no mapping": packed(RANK, [1, 1], words(1, 5)),
    "no entries": packed(RANK, {"queries": 1}, words(1, 5)),
    "negative": packed(RANK, {"queries": -1, "entries": 3}, words(1, 5)),
    "huge": packed(RANK, {"queries": 10**12, "entries": 1}, words(1, 5)),
    "short": packed(RANK, HEAD, words(1)),
    "long": packed(RANK, HEAD, words(1, 5, 6)),
    "lengths do not add up": packed(RANK, HEAD, words(2, 5)),
    "tied first": packed(RANK, HEAD, words(1, 5 | 1 << 31)),
    "more after the end": packed(RANK, HEAD, words(1, 5)) + b"x",
    "cut": packed(RANK, HEAD, words(1, 5))[:-1],
    "not compressed": RANK + json.dumps(HEAD).encode() + b"\n" + words(1, 5),
}
FLOW, TALL = b"stream-v1\n", {"rows": 1, "negatives": 1}
BAD_STREAMS = {
    "nothing": b"",
    "mark": packed(b"stream-v2\n", TALL, words(0, 1, 2, 3)),
    "negative rows": packed(FLOW, {"rows": -1, "negatives": -7}, words(0, 1, 2, 3)),
    "huge": packed(FLOW, {"rows": 10**12, "negatives": 1}, words(0, 1, 2, 3)),
    "huge but empty": packed(FLOW, {"rows": 0, "negatives": 10**12}, b""),
    "short": packed(FLOW, TALL, words(0, 1, 2)),
    "long": packed(FLOW, TALL, words(0, 1, 2, 3, 4)),
    "more after the end": packed(FLOW, TALL, words(0, 1, 2, 3)) + b"x",
    "cut": packed(FLOW, TALL, words(0, 1, 2, 3))[:-1],
}


@pytest.mark.parametrize("name", BAD_RANKINGS)
def test_what_is_no_ranking_is_refused(name):
    with pytest.raises(EvidenceError, match="not a ranking") as caught:
        decode_ranking(BAD_RANKINGS[name], where="here")
    assert caught.value.where == "here"


@pytest.mark.parametrize("name", BAD_STREAMS)
def test_what_is_no_stream_is_refused(name):
    with pytest.raises(EvidenceError, match="not a stream"):
        decode_stream(BAD_STREAMS[name], where="here")


def test_the_sound_ones_beside_them_are_taken():
    ranking = decode_ranking(packed(RANK, HEAD, words(1, 5)), where="r")
    assert ranking == ranking_from([[(5, False)]])
    stream = decode_stream(packed(FLOW, TALL, words(0, 1, 2, 3)), where="s")
    assert fields(stream) == [[0], [1], [2], [[3]]]


@pytest.mark.parametrize(
    ("decode", "data"),
    [
        (decode_ranking, packed(RANK, HEAD, bytes(50 << 20))),
        (decode_stream, packed(FLOW, TALL, bytes(50 << 20))),
    ],
    ids=["ranking", "stream"],
)
def test_a_bomb_is_refused_before_it_unfolds(decode, data):
    """Fifty megabytes behind a header that promises a few bytes are never unpacked."""
    tracemalloc.start()
    try:
        with pytest.raises(EvidenceError):
            decode(data, where="bomb")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_effort_is_what_no_factor_of_negatives_touches():
    plain = stream_from([(1, 2), (3, 4), (1, 5)], 2)
    same = Stream(
        steps=plain.steps,
        queries=plain.queries[[1, 0, 2]],
        positives=plain.positives + np.int32(1),
        negatives=plain.negatives[::-1] + np.int32(5),
    )
    assert same.effort_digest() == plain.effort_digest()
    fewer = stream_from([(1, 2), (3, 4)], 2)
    other = stream_from([(1, 2), (3, 4), (3, 5)], 2)
    wider = stream_from([(1, 2), (3, 4), (1, 5)], 3)
    steps = Stream(
        steps=np.arange(3, dtype=np.int32),
        queries=plain.queries,
        positives=plain.positives,
        negatives=plain.negatives,
    )
    digests = {s.effort_digest() for s in (plain, fewer, other, wider, steps)}
    assert len(digests) == 5


@pytest.mark.parametrize(
    ("starts", "documents", "tied"),
    [
        ([], [], []),
        ([1, 1], [1], [False]),
        ([0, 2], [1], [False]),
        ([0, 2, 1], [1], [False]),
        ([0, 1], [1], []),
        ([0, 1], [-1], [False]),
        ([0, 1], [1], [True]),
        ([0, 1, 2], [1, 2], [False, True]),
    ],
)
def test_a_ranking_is_checked_at_birth(starts, documents, tied):
    with pytest.raises(ValueError, match="want "):
        Ranking(
            starts=np.asarray(starts, dtype=np.int64),
            documents=np.asarray(documents, dtype=np.int32),
            tied=np.asarray(tied, dtype=np.bool_),
        )


def test_judgements_are_sorted_and_refuse_a_document_twice():
    qrels = Qrels.of([(3, 1), (2,)])
    assert (qrels.starts.tolist(), qrels.documents.tolist()) == ([0, 2, 3], [1, 3, 2])
    with pytest.raises(ValueError, match="twice"):
        Qrels.of([(1, 1)])
