"""A stored task: what goes in comes out, anything else is refused within bounds."""

from __future__ import annotations

import json
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.documents.task import Document, Query, Task
from verifier.documents.task_codec import MAGIC, decode_task, encode_task
from verifier.errors import VerifierError

words = st.text(max_size=5)


@st.composite
def tasks(draw):
    size = draw(st.integers(1, 4))

    def query(text):
        relevant = draw(st.sets(st.integers(0, size - 1), min_size=1))
        return Query(id=text, text=draw(words), language=draw(words), cluster=draw(words),
                     relevant=tuple(sorted(relevant)),
                     strata=draw(st.dictionaries(words, words, max_size=2)))  # fmt: skip

    def queries():
        return tuple(query(text) for text in draw(st.lists(words, max_size=3)))

    floats = draw(st.none() | st.lists(st.floats(0, 1, width=32), min_size=size**2,
                                       max_size=size**2))  # fmt: skip
    return Task(
        name=draw(words),
        documents=tuple(Document(id=str(i), text=draw(words), kind=draw(words))
                        for i in range(size)),
        train=queries(),
        dev=queries(),
        query_sets={"test": queries(), "b": queries()},
        similarities=None if floats is None
        else np.array(floats, dtype=np.float32).reshape(size, size),
    )  # fmt: skip


def _equal(a, b):
    fields = ("name", "documents", "train", "dev", "query_sets")
    same = all(getattr(a, f) == getattr(b, f) for f in fields)
    if a.similarities is None or b.similarities is None:
        return same and a.similarities is b.similarities
    return same and np.array_equal(a.similarities, b.similarities)


@given(tasks())
def test_a_task_comes_back_as_it_was(task):
    data = encode_task(task)
    again = decode_task(data, where="x")
    assert _equal(again, task)
    assert encode_task(again) == data


def _simple():
    return Task(
        name="t",
        documents=(Document(id="d", text="x", kind="k"),),
        train=(),
        dev=(Query(id="q", text="y", language="l", cluster="c", relevant=(0,), strata={}),),
        query_sets={},
        similarities=np.ones((1, 1), dtype=np.float32),
    )


def test_similarities_are_float32_one_owns():
    similarities = decode_task(encode_task(_simple()), where="x").similarities
    assert similarities.dtype == np.float32
    assert similarities.flags.writeable


def _packed(parts, floats=b"", side=None, *, size=None):
    text = json.dumps(parts).encode()
    header = {"text": len(text) if size is None else size, "side": side}
    return MAGIC + json.dumps(header).encode() + b"\n" + zlib.compress(text + floats)


GOOD = {"name": "t", "documents": [["d", "x", "k"]], "train": [], "dev": [], "query_sets": {}}
ROW = ["q", "y", "l", "c", [0], {}]


def test_the_forms_below_are_refused_for_their_fault_alone():
    assert decode_task(_packed({**GOOD, "train": [ROW]}), where="x").train[0].id == "q"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"task-v2\n{}\n",
        MAGIC,
        MAGIC + b"[]\n",
        MAGIC + b'{"text": 10}\n',
        encode_task(_simple())[:-1],
        encode_task(_simple()) + b"x",
        _packed(GOOD, b"1234"),
        _packed(GOOD, b"1234" * 4, side=2),
        _packed(GOOD, side=-1),
        _packed(GOOD, side=1 << 20),
        _packed(GOOD, side=True),
        _packed(GOOD, size=0),
        _packed(GOOD, size=1 << 40),
        _packed({**GOOD, "name": 1}),
        _packed({**GOOD, "documents": [["d", 1, "k"]]}),
        _packed({**GOOD, "train": [[*ROW[:4], [1], {}]]}),
        _packed({**GOOD, "train": [[*ROW[:4], [-1], {}]]}),
        _packed({**GOOD, "train": [[*ROW[:4], [True], {}]]}),
        _packed({**GOOD, "train": [[*ROW[:4], [], {}]]}),
        _packed({**GOOD, "train": [[*ROW[:5], {"a": 1}]]}),
        _packed({**GOOD, "train": [[*ROW[:5], []]]}),
        _packed({**GOOD, "train": [ROW[:4]]}),
        _packed({**GOOD, "query_sets": []}),
        _packed([]),
    ],
)
def test_anything_else_is_refused_with_its_place_and_the_cure(data):
    with pytest.raises(VerifierError) as caught:
        decode_task(data, where="cache/x")
    assert str(caught.value).startswith("cache/x: not a stored task")
    assert "built again" in caught.value.hint


def test_a_bomb_is_not_unpacked():
    """64 MiB of zeros behind a header that promises ten bytes."""
    bomb = MAGIC + b'{"text": 10, "side": null}\n' + zlib.compress(bytes(64 << 20))
    with pytest.raises(VerifierError, match="not 10 bytes"):
        decode_task(bomb, where="x")
