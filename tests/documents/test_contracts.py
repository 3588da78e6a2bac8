"""The public gate-verdict contract, and how documents are held against it."""

import json
from pathlib import Path

import jsonschema
import pytest

from verifier.documents.contracts import validate_public
from verifier.documents.strict_json import parse_json

ROOT = Path(__file__).parents[2]
NAME = "gate-verdict-v1"
ID = f"https://assignee.net/schemas/{NAME}"
FILE = ROOT / "schemas" / "public" / f"{NAME}.json"
SCHEMA = json.loads(FILE.read_bytes())
GOOD = {
    "schema": ID,
    "schema_version": "1.0",
    "contract_version": NAME,
    "status": "UNVERIFIED",
    "label": "Unverified",
    "definition": "Neither verified nor falsified.",
    "reason": "Not attempted.",
    "evaluated_at": "2026-06-10T12:00:00Z",
    "gate": "Gate 2 — Verification (formal proof or sandbox reproduction)",
    "enforcement": "VERIFIED requires the attached artifact.",
}


def test_the_contract_is_a_schema_of_draft_2020_12_with_its_own_address():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["$id"] == ID == SCHEMA["properties"]["schema"]["const"]
    assert SCHEMA["required"] == list(GOOD)
    assert set(SCHEMA["properties"]) == set(GOOD)
    assert parse_json(FILE.read_bytes(), name=FILE.name).value == SCHEMA


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"status": "VERIFIED"},
        {"status": "FALSIFIED"},
        {"evaluated_at": None},
        {"evaluated_at": "2026-06-10t12:00:00.123456789+05:30"},
        {"evaluated_at": "2028-02-29T23:59:59Z"},
        {"our_extension": {"anything": [1, None]}},
        {"reason": ""},
    ],
)
def test_good_documents_keep_the_contract(change):
    assert validate_public(GOOD | change, NAME, SCHEMA) == []


@pytest.mark.parametrize("key", GOOD)
def test_each_required_key_is_required(key):
    (problem,) = validate_public({k: v for k, v in GOOD.items() if k != key}, NAME, SCHEMA)
    assert problem.message == f'missing key "{key}"'
    assert problem.where == f"{NAME}: the whole document"


@pytest.mark.parametrize("key", GOOD)
@pytest.mark.parametrize("value", [7, True, ["x"], {"x": "y"}])
def test_each_field_has_its_type(key, value):
    problems = validate_public(GOOD | {key: value}, NAME, SCHEMA)
    assert problems
    assert {p.where for p in problems} == {f"{NAME}: {key}"}


@pytest.mark.parametrize("key", sorted(set(GOOD) - {"evaluated_at"}))
def test_only_the_date_may_be_null(key):
    assert validate_public(GOOD | {key: None}, NAME, SCHEMA)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("schema", "gate-verdict-v1", f'want "{ID}", found "gate-verdict-v1"'),
        ("schema", f"{ID}/", f'want "{ID}", found "{ID}/"'),
        ("status", "verified", 'want "UNVERIFIED", "VERIFIED" or "FALSIFIED", found "verified"'),
        ("status", "REFUTED", 'want "UNVERIFIED", "VERIFIED" or "FALSIFIED", found "REFUTED"'),
        ("label", 3, "want text, found 3"),
        ("evaluated_at", 3, "want text or null, found 3"),
    ],
)
def test_faults_are_told_in_plain_words(key, value, message):
    problems = validate_public(GOOD | {key: value}, NAME, SCHEMA)
    assert [(p.where, p.message) for p in problems] == [(f"{NAME}: {key}", message)]


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "2026-06-10", "2026-06-10T12:00:00", "2026-06-10 12:00:00Z",
        "2026-13-10T12:00:00Z", "2026-02-29T12:00:00Z", "2026-06-10T24:00:00Z",
        "2026-06-10T12:00Z", "2026-06-10T12:00:00+2", "2026-06-10T12:00:00Z\n",
        "2026-06-10T12:00:00+99:00", "٢٠٢٦-06-10T12:00:00Z", "20260610T120000Z",
    ],
)  # fmt: skip
def test_a_moment_must_be_a_date_time_of_rfc_3339(text):
    (problem,) = validate_public(GOOD | {"evaluated_at": text}, NAME, SCHEMA)
    assert "want a text of format date-time" in problem.message


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("https://assignee.net/x?y=1#z", True), ("urn:x:y", True), ("mailto:a@b.c", True),
        ("", False), ("/relative", False), ("https://a b", False), ("https://é", False),
        ("https://a\n", False), ("1x:y", False),
    ],
)  # fmt: skip
def test_addresses_are_checked_too(text, good):
    schema = {"properties": {"url": {"type": "string", "format": "uri"}}}
    assert (validate_public({"url": text}, "x", schema) == []) is good


def test_all_faults_come_at_once_by_place():
    problems = validate_public(GOOD | {"status": 1, "gate": 2, "label": 3}, NAME, SCHEMA)
    assert [p.where for p in problems] == [f"{NAME}: {k}" for k in ("gate", "label", "status")]


def test_a_broken_schema_never_passes_a_document():
    with pytest.raises(jsonschema.SchemaError):
        validate_public({}, "x", {"type": "no such type"})
