"""Strict JSON: every trap of the standard reader is refused at its exact place."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.documents.json_scan import scan_json
from verifier.documents.parsed import Parsed
from verifier.documents.source import Bounds, decode
from verifier.documents.strict_json import JSON_BOUNDS, parse_json
from verifier.errors import DocumentError

WITH_UTF8_MARK = b"\xef\xbb\xbf{}"


def refusal(data: bytes, bounds: Bounds = JSON_BOUNDS) -> tuple[str, str]:
    """Where and why a document is refused."""
    with pytest.raises(DocumentError) as caught:
        parse_json(data, name="d.json", bounds=bounds)
    (problem,) = caught.value.problems
    assert problem.hint
    return problem.where, problem.message


@pytest.mark.parametrize(
    ("data", "place", "words"),
    [
        (WITH_UTF8_MARK, "1:1", "byte order mark"),
        ("{}".encode("utf-16"), "1:1", "byte order mark"),
        ("{}".encode("utf-16-le"), "1:1", "UTF-16"),
        ("{}".encode("utf-16-be"), "1:1", "UTF-16"),
        ("{}".encode("utf-32-be"), "1:1", "UTF-16 or UTF-32"),
        (b'{\n "a": "\xe9"}', "2:8", "0xe9 is not UTF-8"),
        (b'["\xc3\xa9", "\xed\xa0\x80"]', "1:8", "0xed is not UTF-8"),
        (b'["\xc0\xaf"]', "1:3", "0xc0 is not UTF-8"),
        (b'[1,\n"\x1b[31m"]', "2:2", "U+001B"),
        (b'["\x00"]', "1:3", "U+0000"),
        (b'["abcd\x00"]', "1:7", "U+0000"),
        (b'["\x7f"]', "1:3", "U+007F"),
        ('["\x9b31m"]'.encode(), "1:3", "U+009B"),
        (b'["\\u0000"]', "1:2", "control character (U+0000)"),
        (b'["\\u001b[2J"]', "1:2", "control character (U+001B)"),
        (b'["\\b"]', "1:2", "control character (U+0008)"),
        (b'["a\nb"]', "1:4", "tab or line end"),
        (b'["a\tb"]', "1:4", "tab or line end"),
        (b"[NaN]", "1:2", '"NaN"'),
        (b"[1, -NaN]", "1:5", '"-NaN"'),
        (b"[Infinity]", "1:2", '"Infinity"'),
        (b"[-Infinity]", "1:2", '"-Infinity"'),
        (b'{"a":\n  1e999}', "2:3", "does not fit a double"),
        (b"[-1e999]", "1:2", "does not fit a double"),
        (b"[1e-999]", "1:2", "does not fit a double"),
        (b"[9007199254740992]", "1:2", "beyond 2^53 - 1"),
        (b"[-9007199254740992]", "1:2", "beyond 2^53 - 1"),
        (b"[" + b"1" * 5000 + b"]", "1:2", "5000 characters"),
        (b"[0." + b"1" * 5000 + b"]", "1:2", "5002 characters"),
        (b"[01]", "1:2", "not a number"),
        (b"[+1]", "1:2", "not a number"),
        (b"[1.]", "1:2", "not a number"),
        (b"[.5]", "1:2", "not a number"),
        (b"[-]", "1:2", "not a number"),
        (b"[1_0]", "1:3", '"_0"'),
        (b"[0x1F]", "1:3", '"x1F"'),
        ("[١٢]".encode(), "1:2", "want a value"),
        (b'{"a": 1,\n "b": 2,\n "a": 3}', "3:2", 'repeated key "a", first at 1:2'),
        (b'{"x": [{"a": 1, "\\u0061": 2}]}', "1:17", 'repeated key "a", first at 1:9'),
        (b'{"": 1}', "1:2", "empty key"),
        ('{"b\u0430seline": 1}'.encode(), "1:2", "\\u0430"),
        (b'{"base\\u200bline": 1}', "1:2", "\\u200b"),
        (b'{"a\\tb": 1}', "1:2", "\\u0009"),
        (b'["\\ud800"]', "1:2", "surrogate"),
        (b'["\\udc00\\ud800"]', "1:2", "surrogate"),
        (b'{"\\ud800": 1}', "1:2", "\\ud800"),
        (b"[" * 65 + b"]" * 65, "1:65", "more than 64 deep"),
        (b"[" * 100_000, "1:65", "more than 64 deep"),
        (b'{"a":' * 100_000, "1:321", "more than 64 deep"),
        (b"[" * 100_000 + b"]" * 100_000, "1:65", "more than 64 deep"),
        (b"[] []", "1:4", "follows the end"),
        (b"{}x", "1:3", "follows the end"),
        (b"", "1:1", "the end of the document"),
        (b" \n ", "2:2", "the end of the document"),
        (b"[1,]", "1:3", 'a "," stands before'),
        (b'{"a": 1,}', "1:8", 'a "," stands before'),
        (b"[,1]", "1:2", "want a value"),
        (b"[1 2]", "1:4", 'want "," or "]"'),
        (b'{"a": 1 "b": 2}', "1:9", 'want "," or "}"'),
        (b'{"a" 1}', "1:6", '":"'),
        (b"{a: 1}", "1:2", "key in double quotes"),
        (b"['a']", "1:2", "want a value"),
        (b"[True]", "1:2", '"True"'),
        (b"[nulL]", "1:2", '"nulL"'),
        (b"[1] // x", "1:5", "follows the end"),
        (b'["abc]', "1:2", "does not end"),
        (b'["\\x41"]', "1:3", "not an escape"),
        (b'["\\u12g4"]', "1:3", "not an escape"),
        (b'{"a": 1', "1:8", "the end of the document"),
        (b"\xc2\xa0[1]", "1:1", "want a value"),
        ("['é']".encode(), "1:2", "want a value"),
        ('["é", é]'.encode(), "1:7", "want a value"),
    ],
)
def test_a_trap_is_refused_at_its_place(data, place, words):
    where, message = refusal(data)
    assert where == f"d.json:{place}"
    assert words in message


@pytest.mark.parametrize(
    ("bounds", "data", "place", "words"),
    [
        (Bounds(size_bytes=3, depth=9, values=9), b"[12]", "1:1", "4 bytes, at most 3"),
        (Bounds(size_bytes=99, depth=9, values=3), b"[1,2,3]", "1:6", "more than 3 values"),
        (Bounds(size_bytes=99, depth=9, values=3), b"[[[[]]]]", "1:4", "more than 3 values"),
        (Bounds(size_bytes=99, depth=1, values=9), b"[[]]", "1:2", "more than 1 deep"),
    ],
)
def test_bounds_are_kept(bounds, data, place, words):
    where, message = refusal(data, bounds)
    assert where == f"d.json:{place}"
    assert words in message


@pytest.mark.parametrize(
    ("bounds", "data"),
    [
        (Bounds(size_bytes=4, depth=9, values=9), b"[12]"),
        (Bounds(size_bytes=99, depth=9, values=4), b"[1,2,3]"),
        (Bounds(size_bytes=99, depth=2, values=9), b"[[]]"),
        (JSON_BOUNDS, b"[" * 64 + b"]" * 64),
        (JSON_BOUNDS, b"[9007199254740991, -9007199254740991, 0.0, -0.0, 0e5]"),
        (JSON_BOUNDS, b"[0." + b"1" * 398 + b"]"),
        (JSON_BOUNDS, b'["\\ud83d\\ude00", "\\\\u001b", "\\n\\t\\r\\/"]'),
        (JSON_BOUNDS, b"[1.7976931348623157e308, 5e-324, 1e3]"),
    ],
)
def test_what_is_just_inside_is_read_as_the_standard_library_reads_it(bounds, data):
    assert parse_json(data, name="d.json", bounds=bounds).value == json.loads(data)


# A key that could be repeated, escaped or nested; a text with anything a text may hold.
KEYS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=5)
TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t\r"), max_size=8
)
SAFE = 2**53 - 1
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-SAFE, SAFE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)
SPELLINGS = st.fixed_dictionaries(
    {
        "ensure_ascii": st.booleans(),
        "indent": st.sampled_from([None, 0, 2]),
        "separators": st.sampled_from([(",", ":"), (", ", ": ")]),
    }
)


def paths(value: object, here: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every value inside a value, itself included."""
    yield here
    items = value.items() if isinstance(value, dict) else ()
    entries = enumerate(value) if isinstance(value, list) else ()
    for step, inner in [*items, *entries]:
        yield from paths(inner, (*here, step))


def offset(text: str, where: str) -> int:
    """The offset of a place `name:line:column`."""
    line, column = map(int, where.split(":")[1:])
    return sum(len(one) + 1 for one in text.split("\n")[: line - 1]) + column - 1


def check_places(text: str, parsed: Parsed) -> None:
    """Each place shows the very value, and the very key, that stands at it."""
    decoder = json.JSONDecoder()
    for path in paths(parsed.value):
        inner = parsed.value
        for step in path:
            inner = inner[step]
        assert decoder.raw_decode(text, offset(text, parsed.where(path)))[0] == inner
        if path and isinstance(path[-1], str):
            at = offset(text, parsed.where(path, key=True))
            assert decoder.raw_decode(text, at)[0] == path[-1]


def exactly(value: object) -> str:
    """A text that tells 1 from 1.0 and -0.0 from 0.0, and keeps the order of keys."""
    return repr(value)


@given(value=VALUES, spelling=SPELLINGS)
def test_a_sound_document_reads_as_with_the_standard_library(value, spelling):
    """Strictness refuses; it never changes what is read."""
    text = json.dumps(value, **spelling)
    assert exactly(parse_json(text.encode(), name="d").value) == exactly(json.loads(text))


@given(value=VALUES, spelling=SPELLINGS)
def test_places_point_to_keys_and_values(value, spelling):
    """What is reported at a place stands at that place."""
    text = json.dumps(value, **spelling)
    check_places(text, parse_json(text.encode(), name="d"))


def mappings(value: object) -> list[tuple[str | int, ...]]:
    """Paths of the mappings in a value that have keys."""
    found = []
    for path in paths(value):
        inner = value
        for step in path:
            inner = inner[step]
        if isinstance(inner, dict) and inner:
            found.append(path)
    return found


@given(value=VALUES.filter(mappings), spelling=SPELLINGS, data=st.data())
def test_a_repeated_key_is_refused_wherever_it_stands(value, spelling, data):
    """No depth, order or spelling hides a repeated key, and the second one is named."""
    text = json.dumps(value, **spelling)
    parsed = parse_json(text.encode(), name="d")
    path = data.draw(st.sampled_from(mappings(value)))
    inner = parsed.value
    for step in path:
        inner = inner[step]
    key = data.draw(st.sampled_from(sorted(inner)))
    at = offset(text, parsed.where((*path, next(iter(inner))), key=True))
    planted = f"{json.dumps(key)}: 0, "
    doubled = text[:at] + planted + text[at:]
    where, message = refusal(doubled.encode())
    assert "repeated key" in message
    moved = at + len(planted)
    second = offset(doubled, where)
    assert second >= moved
    assert json.JSONDecoder().raw_decode(doubled, second)[0] == key


@given(
    data=st.binary(max_size=40)
    | TEXTS.map(str.encode)
    | st.text('[]{},:"\\ u0-1e.a', max_size=20).map(str.encode)
)
def test_any_bytes_are_read_or_refused(data):
    """Whatever comes, it is a value that the standard library agrees with, or a DocumentError."""
    try:
        parsed = parse_json(data, name="d")
    except DocumentError:
        return
    assert exactly(parsed.value) == exactly(json.loads(data))
    check_places(data.decode(), parsed)


@given(value=VALUES, spelling=SPELLINGS)
def test_both_readers_agree(value, spelling):
    """The fast reader takes only what the scanner takes, and reads the same."""
    source = decode(json.dumps(value, **spelling).encode(), name="d", bounds=JSON_BOUNDS)
    parsed = parse_json(source.text.encode(), name="d")
    assert exactly(scan_json(source, JSON_BOUNDS).value) == exactly(parsed.value)
