"""Documents into models: the version first, then all faults together, placed, in plain words."""

from enum import StrEnum
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, field_validator, model_validator

from verifier.documents.base import Model
from verifier.documents.faults import BadValueError
from verifier.documents.measures import Measure
from verifier.documents.reading import read_document
from verifier.documents.translate import MOST_PROBLEMS
from verifier.errors import DocumentError


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Above(Model):
    kind: Literal["above"]
    above: float
    baseline: str


class Between(Model):
    kind: Literal["between"]
    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> "Between":
        if not self.low < self.high:
            raise BadValueError("low is not below high", hint="swap them", at=("low",))
        return self


class Node(Model):
    label: str
    inner: tuple["Node", ...] = ()


class Paper(Model):
    schema_: Annotated[Literal["paper-v2"], Field(alias="schema")]
    title: Annotated[str, Field(min_length=2, max_length=9)] = "none"
    count: Annotated[int, Field(ge=1, lt=9)] = 1
    share: float = 0.5
    open: bool = True
    colour: Colour = Colour.RED
    colours: dict[Colour, int] = Field(default_factory=dict)
    named: dict[Annotated[str, Field(pattern=r"^[a-z]+$")], int] = Field(default_factory=dict)
    measure: Measure | None = None
    items: Annotated[tuple[int, ...], Field(min_length=1)] = (1,)
    pair: tuple[int, str] | None = None
    test: Annotated[Above | Between, Field(discriminator="kind")] | None = None
    either: int | Above | list[int] | None = None
    tree: Node | None = None

    @field_validator("title")
    @classmethod
    def _title(cls, title: str) -> str:
        if title == "bad":
            raise ValueError("a title must not be bad")
        return title


def faults(text: str, name: str = "p.yaml") -> list[tuple[str, str, str]]:
    """Place, message and hint of all faults of a paper."""
    with pytest.raises(DocumentError) as caught:
        read_document(Paper, text.encode(), name=name)
    return [(p.where.removeprefix(f"{name}:"), p.message, p.hint) for p in caught.value.problems]


def fault(line: str) -> tuple[str, str, str]:
    """The one fault of a paper with one more line."""
    (only,) = faults(f"schema: paper-v2\n{line}\n")
    return only


def test_a_sound_document_becomes_its_model():
    text = """\
schema: paper-v2
colour: green
colours: {red: 1}
measure: RR@10
items: [1, 2]
pair: [1, x]
test: {kind: between, low: 0, high: 1.5}
either: {kind: above, above: 1, baseline: b}
tree: {label: a, inner: [{label: b}]}
"""
    paper = read_document(Paper, text.encode(), name="p.YML")
    assert paper.colour is Colour.GREEN
    assert paper.colours == {Colour.RED: 1}
    assert paper.measure == Measure.parse("RR@10")
    assert (paper.items, paper.pair) == ((1, 2), (1, "x"))
    assert paper.test == Between(kind="between", low=0, high=1.5)
    assert paper.either == Above(kind="above", above=1, baseline="b")
    assert paper.tree == Node(label="a", inner=(Node(label="b"),))
    same = paper.model_dump_json(by_alias=True)
    assert read_document(Paper, same.encode(), name="p.json") == paper


def test_an_error_reads_as_promised():
    with pytest.raises(DocumentError) as caught:
        read_document(
            Paper,
            b"schema: paper-v2\ntest:\n  kind: above\n  above: 1\n  baselin: b\n",
            name="claims/x.yaml",
        )
    assert str(caught.value) == (
        'claims/x.yaml:5:3: unknown key "baselin"\n  hint: did you mean "baseline"?'
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "title: x\n",
            ("1:1", 'missing key "schema"', "say which document this is: schema: paper-v2"),
        ),
        (
            "nonsense: 1\nschema: paper-v3\n",
            (
                "2:9",
                'this document has version "paper-v3", what can be read is "paper-v2"',
                "use the release of verifier that knows this version, or rewrite the document",
            ),
        ),
        (
            "schema: paper-v1\n",
            (
                "1:9",
                'this document has version "paper-v1", what can be read is "paper-v2"',
                "use the release of verifier that knows this version, or rewrite the document",
            ),
        ),
        (
            "schema: card-v1\n",
            (
                "1:9",
                'want a document of schema "paper-v2", found "card-v1"',
                "check that this is the right file",
            ),
        ),
        (
            "schema: papr-v2\n",
            (
                "1:9",
                'want a document of schema "paper-v2", found "papr-v2"',
                'did you mean "paper-v2"?',
            ),
        ),
        (
            "schema: 2\n",
            (
                "1:9",
                'want a document of schema "paper-v2", found 2',
                "check that this is the right file",
            ),
        ),
        (
            "- schema: paper-v2\n",
            (
                "1:1",
                "want a document of keys and values, found a list of 1",
                "begin it with its schema",
            ),
        ),
    ],
)
def test_the_version_is_read_first(text, expected):
    assert faults(text) == [expected]


@pytest.mark.parametrize(
    ("line", "place", "message", "hint"),
    [
        ("titel: xx", "2:1", 'unknown key "titel"', 'did you mean "title"?'),
        ("Title: xx", "2:1", 'unknown key "Title"', 'did you mean "title"?'),
        ("title: 3", "2:8", "want text, found 3", 'put it in double quotes: "3"'),
        ("title: true", "2:8", "want text, found true", 'put it in double quotes: "true"'),
        ("title: x", "2:8", 'want text of at least 2 characters, found "x"', "correct the value"),
        (
            "title: abcdefghij",
            "2:8",
            'want text of at most 9 characters, found "abcdefghij"',
            "correct the value",
        ),
        ("title: bad", "2:8", "a title must not be bad", "correct the value"),
        ("count: 1.0", "2:8", "want a whole number, found 1.0", "write it without a fraction"),
        ('count: "1"', "2:8", 'want a whole number, found "1"', "remove the quotes"),
        ("count: true", "2:8", "want a whole number, found true", "correct the value"),
        ("count: 0", "2:8", "want a number of at least 1, found 0", "correct the value"),
        ("count: 9", "2:8", "want a number below 9, found 9", "correct the value"),
        (
            "count: null",
            "2:8",
            "want a whole number, found null",
            "write a value, or remove the key if it may be left out",
        ),
        ("share: x", "2:8", 'want a number, found "x"', "correct the value"),
        ("share: true", "2:8", "want a number, found true", "correct the value"),
        ("open: 1", "2:7", "want true or false, found 1", "correct the value"),
        ('open: "yes"', "2:7", 'want true or false, found "yes"', "correct the value"),
        ("colour: gren", "2:9", 'want "red" or "green", found "gren"', 'did you mean "green"?'),
        ("colour: 3", "2:9", 'want "red" or "green", found 3', "correct the value"),
        ("colours: {rad: 1}", "2:11", 'want "red" or "green", found "rad"', 'did you mean "red"?'),
        (
            "named: {Ab: 1}",
            "2:9",
            'want a key of the form ^[a-z]+$, found "Ab"',
            "correct the value",
        ),
        ("named: {ab: x}", "2:13", 'want a whole number, found "x"', "correct the value"),
        ("measure: rr@10", "2:10", '"rr@10" is not a measure', "did you mean RR@10?"),
        ("items: 3", "2:8", "want a list, found 3", "put it in brackets: [3]"),
        ("items: []", "2:8", "want at least 1 entry, found an empty list", "correct the value"),
        ("items: [1, x]", "2:12", 'want a whole number, found "x"', "correct the value"),
        ("items: [x]", "2:9", 'want a whole number, found "x"', "correct the value"),
        ("items: {a: 1}", "2:8", "want a list, found a mapping", "correct the value"),
        (
            "pair: [1]",
            "2:7",
            "want at least 2 entries, found a list of 1",
            "add the missing entries",
        ),
        (
            "pair: [1, x, y]",
            "2:7",
            "want at most 2 entries, found a list of 3",
            "correct the value",
        ),
        ("test: {above: 1}", "2:1", 'missing key "kind"', 'it is "above" or "between"'),
        (
            "test: {kind: abov}",
            "2:14",
            'want "above" or "between", found "abov"',
            'did you mean "above"?',
        ),
        ("test: {kind: above, baseline: b}", "2:1", 'missing key "above"', 'add "above"'),
        (
            "test: {kind: between, low: 1, hihg: 2}",
            "2:31",
            'unknown key "hihg"',
            'did you mean "high"?',
        ),
        ("test: {kind: between, low: 2, high: 1}", "2:28", "low is not below high", "swap them"),
        ("test: []", "2:7", "want a mapping, found an empty list", "correct the value"),
        (
            "either: x",
            "2:9",
            'want a whole number or a mapping or a list, found "x"',
            "correct the value",
        ),
        ("either: [1, x]", "2:13", 'want a whole number, found "x"', "correct the value"),
        (
            "either: {kind: above, above: x, baseline: b}",
            "2:30",
            'want a number, found "x"',
            "correct the value",
        ),
        (
            "either: {kind: above, above: 1, baselin: b}",
            "2:33",
            'unknown key "baselin"',
            'did you mean "baseline"?',
        ),
        (
            "tree: {label: a, inner: [{label: b, iner: []}]}",
            "2:37",
            'unknown key "iner"',
            'did you mean "inner"?',
        ),
        ("tree: {label: a, inner: [{}]}", "2:26", 'missing key "label"', 'add "label"'),
    ],
)
def test_each_fault_is_placed_and_told_in_plain_words(line, place, message, hint):
    assert fault(line) == (place, message, hint)


def test_an_unknown_key_like_no_other_shows_what_is_known():
    assert fault("tree: {label: a, zzz: 1}") == (
        "2:18",
        'unknown key "zzz"',
        "known here: label, inner",
    )


def test_all_faults_come_at_once_in_order_of_place():
    text = '{\n "share": "x",\n "schema": "paper-v2",\n "open": 1,\n "zzz": 2,\n "count": 0}'
    assert [place for place, _, _ in faults(text, name="p.json")] == ["2:11", "4:10", "5:2", "6:11"]


def test_countless_faults_are_counted_not_shown():
    items = ", ".join("x" for _ in range(250))
    told = faults(f"schema: paper-v2\nitems: [{items}]\n")
    assert len(told) == MOST_PROBLEMS + 1
    assert told[-1][1] == "150 more faults are not shown"


def test_no_message_speaks_of_the_validator():
    text = (
        "schema: paper-v2\ntitle: 3\nopen: 3\nmeasure: 3\nitems: 3\ntree: 3\ntest: 3\neither: x\n"
    )
    told = " ".join(f"{message} {hint}" for _, message, hint in faults(text))
    assert not any(word in told for word in ("pydantic", "Input", "http", "valid ", "instance"))


@pytest.mark.parametrize("name", ["p.toml", "p", "yaml", "p.json.gz"])
def test_a_file_of_unknown_kind_is_not_guessed_at(name):
    ((_, message, hint),) = faults("{}", name=name)
    assert message == "it is not known how to read this file"
    assert hint == "name it .yaml, .yml, .json"


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [("p.yaml", "schema: paper-v2\ncount: 1\ncount: 2\n", "3:1"), ("p.json", '{"a": NaN}', "1:7")],
)
def test_strictness_comes_before_models(name, text, place):
    assert faults(text, name=name)[0][0] == place


@given(share=st.floats(allow_nan=False, allow_infinity=False), count=st.integers(1, 8))
def test_numbers_arrive_bit_for_bit(share, count):
    """What was read strictly is what the model holds."""
    text = f'{{"schema": "paper-v2", "share": {share!r}, "count": {count}}}'
    paper = read_document(Paper, text.encode(), name="p.json")
    assert (repr(paper.share), paper.count) == (repr(share), count)
