"""Strict YAML: what stands there is what is meant, or it is refused at its exact place."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.documents.source import Bounds
from verifier.documents.strict_yaml import YAML_BOUNDS, parse_yaml
from verifier.errors import DocumentError

BILLION = b"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"


def refusal(data: bytes, bounds: Bounds = YAML_BOUNDS) -> tuple[str, str, str]:
    """Where and why a document is refused, and the hint."""
    with pytest.raises(DocumentError) as caught:
        parse_yaml(data, name="d.yaml", bounds=bounds)
    (problem,) = caught.value.problems
    return problem.where, problem.message, problem.hint


@pytest.mark.parametrize(
    ("data", "place", "words"),
    [
        (BILLION, "1:4", 'anchor "a"'),
        (b"a: 1\nb: *x\n", "2:4", 'alias "x"'),
        (b"a: 1\nb:\n  <<: {c: 2}\n", "3:3", "merge key"),
        (b'"<<": {c: 2}\n', "1:1", "merge key"),
        (b"a: !!python/object:os.system x\n", "1:4", "tag"),
        (b"a: !!str NO\n", "1:4", "tag"),
        (b"a: ! NO\n", "1:4", "tag"),
        (b"a: !x [1]\n", "1:4", "tag"),
        (b"--- !x\na: 1\n", "1:5", "tag"),
        (b"a: !" + b"x" * 100_000, "1:4", "too long"),
        (b"%YAML 1.1\n---\na: NO\n", "1:1", "directive"),
        (b"# c\n%TAG ! tag:x,2000:\n---\na: 1\n", "2:1", "directive"),
        (b"%UNKNOWN x\n---\na: 1\n", "1:1", "directive"),
        (b"a: 1\n---\nb: 2\n", "2:1", "second document"),
        (b"a: 1\n...\nb: 2\n", "3:1", "second document"),
        (b"a: 1\nb: 2\na: 3\n", "3:1", 'repeated key "a", first at 1:1'),
        (b'x:\n  - {a: 1, "a": 2}\n', "2:12", 'repeated key "a", first at 2:6'),
        (b"1: a\n", "1:1", 'key "1" is not text'),
        (b"x:\n  null: a\n", "2:3", 'key "null" is not text'),
        (b"true: a\n", "1:1", "not text"),
        (b"no: a\n", "1:1", '"no" is read as a truth value'),
        (b"? [a]\n: 1\n", "1:3", "where a key must"),
        (b"{{a: 1}: 2}\n", "1:2", "where a key must"),
        ("b\u0430seline: 1\n".encode(), "1:1", "\\u0430"),
        ('"base\u200bline": 1\n'.encode(), "1:1", "\\u200b"),
        (b'"": 1\n', "1:1", "empty key"),
        (b"a:\n  b: .nan\n", "2:6", "not finite"),
        (b"a: [1, -.INF]\n", "1:8", "not finite"),
        (b"a: NaN\n", "1:4", "not finite"),
        (b"a: Infinity\n", "1:4", "not finite"),
        (b"a: 1e999\n", "1:4", "does not fit a double"),
        (b"a: 9007199254740992\n", "1:4", "beyond 2^53 - 1"),
        (b"a: " + b"9" * 5000, "1:4", "5000 characters"),
        (b"a: -1." + b"9" * 5000, "1:4", "5003 characters"),
        (b"a:\nb: 1\n", "1:1", "value is missing"),
        (b"- \n", "1:2", "value is missing"),
        (b"{a, b: 1}\n", "1:2", "value is missing"),
        (b"[" * 33 + b"]" * 33, "1:33", "more than 32 deep"),
        (b"[" * 100_000, "1:33", "more than 32 deep"),
        (b"- " * 100_000, "1:65", "more than 32 deep"),
        (b"{a: " * 100_000, "1:129", "more than 32 deep"),
        (b"a:\n\tb: 1\n", "2:1", "a tab"),
        (b"a: 1\t# c\n", "1:5", "a tab"),
        (b"\xef\xbb\xbfa: 1\n", "1:1", "byte order mark"),
        ("a: 1".encode("utf-16"), "1:1", "byte order mark"),
        (b"a: \xe9\n", "1:4", "not UTF-8"),
        (b"a: 1\rb: 2\n", "1:5", "U+000D"),
        ("a: x\u2028b: 2\n".encode(), "1:5", "U+2028"),
        ("a: x\x85b: 2\n".encode(), "1:5", "U+0085"),
        ("a: \ufeff\n".encode(), "1:4", "U+FEFF"),
        (b"a: \x1b[31m\n", "1:4", "U+001B"),
        (b'a: "\\x1b[31m"\n', "1:4", "U+001B"),
        (b'a: "\\0"\n', "1:4", "U+0000"),
        (b'a: "\\ud800"\n', "1:4", "surrogate"),
        (b'a: 1\nb: "x\\UFFFFFFFF"\n', "2:6", "no character of Unicode"),
        (b"a: 1\n  b: 2\n", "1:4", "several lines"),
        (b"a: [1\n", "2:1", "not YAML"),
        (b"a: @x\n", "1:4", "not YAML"),
        (b"a: b: c\n", "1:5", "not YAML"),
        (b"a: x\n  y\n", "1:4", "several lines"),
        (b"a:\n - b\n  - c\n", "2:4", "several lines"),
        (b"", "1:1", "empty"),
        (b"# nothing\n", "1:1", "empty"),
    ],
)
def test_a_trap_is_refused_at_its_place(data, place, words):
    where, message, hint = refusal(data)
    assert where == f"d.yaml:{place}"
    assert words in message
    assert hint


@pytest.mark.parametrize(
    "text",
    [
        "NO",
        "no",
        "No",
        "Yes",
        "yes",
        "on",
        "Off",
        "~",
        "Null",
        "NULL",
        "True",
        "FALSE",
        "=",
        "<<",
        "1:30",
        "1:30:00",
        "190:20:30.15",
        "1_000",
        "0x1F",
        "0o17",
        "0b1010",
        "012",
        "-012",
        "+1",
        "+1.5",
        ".5",
        "-.5",
        "5.",
        "1.e3",
        "1e",
        "1_0.5",
        "1__0",
        "0_1",
        "2024-01-31",
        "2024-1-3",
        "2024-01-31T12:00:00Z",
        ".inf",
        ".NaN",
        "nan",
        "-inf",
        "+Infinity",
    ],
)
def test_a_scalar_in_doubt_is_refused_with_the_hint_to_quote_it(text):
    where, _, hint = refusal(f"key: {text}\n".encode())
    assert where == "d.yaml:1:6"
    assert f'"{text}"' in hint
    assert parse_yaml(f'key: "{text}"\n'.encode(), name="d").value == {"key": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("true", True),
        ("false", False),
        ("0", 0),
        ("-7", -7),
        ("9007199254740991", 2**53 - 1),
        ("0.7410", 0.741),
        ("1e3", 1000.0),
        ("-1.5E-3", -0.0015),
        ("10 min", "10 min"),
        ("arxiv:2506.02527", "arxiv:2506.02527"),
        ("section 3.5, Table 1", "section 3.5, Table 1"),
        ("1.2.3", "1.2.3"),
        ('"-"', "-"),
        ("Norway", "Norway"),
        ("nota", "nota"),
        ("1e3x", "1e3x"),
        ("١٢", "١٢"),
        ("y", "y"),
        ("2506.02527v2", "2506.02527v2"),
        ("e-3", "e-3"),
        ("a" * 1000, "a" * 1000),
        ("'NO'", "NO"),
        ('"\\u2028"', "\u2028"),
        ("|\n  NO\n", "NO\n"),
        (">-\n  a\n  b\n", "a b"),
    ],
)
def test_what_a_scalar_means(text, value):
    read = parse_yaml(f"key: {text}\n".encode(), name="d").value["key"]
    assert repr(read) == repr(value)


def test_places_are_those_of_keys_and_values():
    text = b"a: 1\nb:\n  - x: 'y'\n    \"z\": [1, {q: t}]\n"
    parsed = parse_yaml(text, name="d.yaml")
    assert parsed.value == {"a": 1, "b": [{"x": "y", "z": [1, {"q": "t"}]}]}
    assert parsed.where(()) == "d.yaml:1:1"
    assert parsed.where(("a",), key=True) == "d.yaml:1:1"
    assert parsed.where(("a",)) == "d.yaml:1:4"
    assert parsed.where(("b", 0)) == "d.yaml:3:5"
    assert parsed.where(("b", 0), key=True) == "d.yaml:3:5"
    assert parsed.where(("b", 0, "x")) == "d.yaml:3:8"
    assert parsed.where(("b", 0, "z"), key=True) == "d.yaml:4:5"
    assert parsed.where(("b", 0, "z", 1, "q"), key=True) == "d.yaml:4:15"
    assert parsed.where(("b", 0, "z", 1, "q")) == "d.yaml:4:18"


def test_windows_line_ends_are_line_ends():
    parsed = parse_yaml(b"a: 1\r\nb: 2\r\n", name="d.yaml")
    assert parsed.value == {"a": 1, "b": 2}
    assert parsed.where(("b",)) == "d.yaml:2:4"


def test_columns_count_characters():
    parsed = parse_yaml('[é, "😀", x]\n'.encode(), name="d.yaml")
    assert parsed.where((2,)) == "d.yaml:1:10"


KEYS = st.text("abcxyz_-. 019NOyes@/", min_size=1, max_size=5)
TEXTS = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufeff\ufffe\uffff"
    ),
    max_size=8,
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(value=VALUES, indent=st.sampled_from([None, 1, 4]))
def test_a_json_value_reads_the_same_as_yaml(value, indent):
    """JSON is YAML 1.2: the same text means the same in both readers."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    assert repr(parse_yaml(text.encode(), name="d").value) == repr(value)


@given(
    value=st.dictionaries(KEYS, VALUES, min_size=1, max_size=5),
    data=st.data(),
    prefix=st.sampled_from(["", "a:\n  ", "- - "]),
)
def test_a_repeated_key_is_refused_wherever_it_stands(value, data, prefix):
    """A key that comes twice in one mapping never has a winner."""
    key = data.draw(st.sampled_from(sorted(value)))
    lines = [f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in value.items()]
    lines.insert(data.draw(st.integers(0, len(lines))), f"{json.dumps(key)}: 0")
    indent = "\n" + " " * len(prefix.rpartition("\n")[2])
    text = prefix + indent.join(lines) + "\n"
    where, message, _ = refusal(text.encode())
    assert "repeated key" in message
    line, column = map(int, where.split(":")[1:])
    assert text.split("\n")[line - 1][column - 1 :].startswith(json.dumps(key))


@given(st.text("ab01-?:,[]{}#&*!|>'\"%@`~ \n\\.eNnoy_<=", max_size=30))
def test_any_text_is_read_or_refused(text):
    """Whatever comes, the end is a plain value or a DocumentError."""
    try:
        value = parse_yaml(text.encode(), name="d").value
    except DocumentError:
        return
    json.dumps(value, allow_nan=False)
