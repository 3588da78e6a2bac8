"""Canonical bytes, digests, and numbers as printed."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.documents.canonical import canonical_bytes, digest, document_digest
from verifier.documents.numbers import NOTHING, six_digits
from verifier.documents.strict_json import parse_json


def test_canonical_bytes_follow_rfc_8785():
    """The number and key rules of RFC 8785, sections 3.2.2 and 3.2.3."""
    value = {
        "\u20ac": "Euro", "\r": "CR", "\ufb33": "Hebrew", "1": "One", "\U0001f600": "Smile",
        "\x80": "Control", "\u00f6": "o",
    }  # fmt: skip
    order = ["\r", "1", "\x80", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(canonical_bytes(value))) == order
    numbers = [333333333.33333329, 1e30, 4.50, 2e-3, 1e-27, -0.0, 1.0, 1]
    assert canonical_bytes(numbers) == b"[333333333.3333333,1e+30,4.5,0.002,1e-27,0,1,1]"
    assert canonical_bytes({"b": (True, None), "a": "\u20ac\x0f\n"}) == (
        b'{"a":"\xe2\x82\xac\\u000f\\n","b":[true,null]}'
    )


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, [math.nan], 2**53, {1: 2}, {None: 1}, b"x", {1}, "\ud800",
     {"\ud800": 1}, object()],
)  # fmt: skip
def test_what_json_cannot_say_is_refused(value):
    with pytest.raises(ValueError, match=r"."):
        canonical_bytes(value)


def test_a_value_that_holds_itself_is_refused():
    value: list[object] = []
    value.append(value)
    with pytest.raises(ValueError, match="nested"):
        canonical_bytes(value)


def test_digest_is_sha_256_in_text():
    empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest(b"") == empty
    assert document_digest({"b": 1, "a": [1.0]}) == digest(b'{"a":[1],"b":1}')


@given(st.dictionaries(st.text("abc", max_size=3).map("k".__add__), st.floats(-1e9, 1e9)))
def test_canonical_bytes_do_not_depend_on_the_order_of_keys(value):
    """One value, one text, and our own reader takes it."""
    backwards = dict(reversed(value.items()))
    assert canonical_bytes(value) == canonical_bytes(backwards)
    assert parse_json(canonical_bytes(value), name="d").value == value


@pytest.mark.parametrize(
    ("x", "printed"),
    [
        (0.123456789, "0.123457"), (-0.0, "0.0"), (-1e-320, "0.0"), (1.5e-12, "1.5e-12"),
        (1234567.0, "1234570.0"),
        (1e300, "1e+300"), (0.5, "0.5"), (-2.0000001, "-2.0"), (999999.5, "1000000.0"),
    ],
)  # fmt: skip
def test_six_significant_digits(x, printed):
    assert repr(six_digits(x)) == printed


@given(st.floats(min_value=1e-9, max_value=1e9), st.integers(-4, 4))
def test_the_last_bits_of_a_sum_do_not_show(x, steps):
    """Half-way cases as sums in another order make them print alike."""
    half = float(f"{x:.6g}") * (1 + 0.5e-6)
    moved = half
    for _ in range(abs(steps)):
        moved = math.nextafter(moved, math.inf if steps > 0 else -math.inf)
    assert six_digits(moved) == six_digits(half)


def test_unknown_stays_unknown():
    assert six_digits(None) is None


@pytest.mark.parametrize("x", [math.nan, math.inf, -math.inf])
def test_no_verdict_carries_what_is_not_a_number(x):
    with pytest.raises(ValueError, match="not a number"):
        six_digits(x)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_rounding_twice_is_rounding_once(x):
    """Printed numbers are fixed points, within half a unit of the sixth digit, or nothing."""
    once = six_digits(x)
    assert six_digits(once) == once
    assert abs(once - x) <= abs(x) * 5.0001e-6 or abs(x) < NOTHING
    assert math.copysign(1, once) == 1 or once < 0
