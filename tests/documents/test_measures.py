"""Measures: the text is the identity."""

import ir_measures
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from verifier.documents.base import Model
from verifier.documents.faults import BadValueError
from verifier.documents.measures import NAMES, NEED_CUTOFF, Measure


class Table(Model):
    primary: Measure
    others: dict[Measure, float]


@pytest.mark.parametrize(
    "text", ["RR@10", "Success@3", "R@100", "AP", "AP@7", "nDCG@10", "nDCG", "RR", "P@5"]
)
def test_a_measure_prints_as_it_parses_and_as_in_ir_measures(text):
    measure = Measure.parse(text)
    assert str(measure) == text == str(ir_measures.parse_measure(text))
    assert measure == Measure.parse(text)
    assert {measure: 1}[Measure.parse(text)] == 1


@given(name=st.sampled_from(NAMES), cutoff=st.none() | st.integers(1, 10**9 - 1))
def test_printing_and_parsing_are_inverse(name, cutoff):
    """Any measure that can be made survives its text, in our reader and theirs."""
    if cutoff is None and name in NEED_CUTOFF:
        return
    measure = Measure(name=name, cutoff=cutoff)
    assert Measure.parse(str(measure)) == measure
    assert str(ir_measures.parse_measure(str(measure))) == str(measure)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("RR@010", "did you mean RR@10?"),
        ("rr@10", "did you mean RR@10?"),
        ("RR@ 10", "did you mean RR@10?"),
        (" RR@10", "did you mean RR@10?"),
        ("RR@10\n", "did you mean RR@10?"),
        ("RR@0", "a cut-off is at least 1"),
        ("RR@", "write one of AP, P, R, RR, Success, nDCG, with a cut-off as in RR@10"),
        ("RR@-1", "write one of AP, P, R, RR, Success, nDCG, with a cut-off as in RR@10"),
        ("RR@1e3", "write one of AP, P, R, RR, Success, nDCG, with a cut-off as in RR@10"),
        ("RR@١٠", "write one of AP, P, R, RR, Success, nDCG, with a cut-off as in RR@10"),
        ("ndcg@10", "did you mean nDCG@10?"),
        ("MRR@10", "did you mean RR@10?"),
        ("Recall@100", "did you mean R@100?"),
        ("Top-3", "did you mean Success@3?"),
        ("top3", "did you mean Success@3?"),
        ("MAP", "did you mean AP?"),
        ("P", "write P@10, say"),
        ("R", "write R@10, say"),
        ("precision", "did you mean P@10?"),
        ("nDCG(rel=2)@10", "write one of AP, P, R, RR, Success, nDCG, with a cut-off as in RR@10"),
        (
            "RR@1" + "0" * 5000,
            "write one of AP, P, R, RR, Success, nDCG, with a cut-off as in RR@10",
        ),
        ("", "write one of AP, P, R, RR, Success, nDCG, with a cut-off as in RR@10"),
    ],
)
def test_a_near_miss_is_refused_with_a_hint(text, hint):
    with pytest.raises(BadValueError) as caught:
        Measure.parse(text)
    assert caught.value.hint == hint


@pytest.mark.parametrize(("name", "cutoff"), [("rr", 1), ("RR", 0), ("RR", -1), ("X", None)])
def test_no_measure_is_born_wrong(name, cutoff):
    with pytest.raises(ValueError, match="not a measure"):
        Measure(name=name, cutoff=cutoff)


def test_measures_have_an_order():
    texts = ["AP", "AP@5", "P@5", "RR@5", "RR@10", "nDCG"]
    assert sorted(map(Measure.parse, reversed(texts))) == [Measure.parse(text) for text in texts]


def test_a_measure_is_text_in_a_document_as_value_and_as_key():
    table = Table.model_validate_json('{"primary": "RR@10", "others": {"Success@3": 0.5}}')
    assert table.primary == Measure.parse("RR@10")
    assert table.others == {Measure.parse("Success@3"): 0.5}
    assert table.model_dump_json() == '{"primary":"RR@10","others":{"Success@3":0.5}}'
    assert Table(primary=Measure.parse("AP"), others={}).primary == Measure.parse("AP")


@pytest.mark.parametrize("value", ['"rr@10"', "10", "null", '{"name": "RR"}'])
def test_nothing_else_is_a_measure_in_a_document(value):
    with pytest.raises(ValidationError):
        Table.model_validate_json(f'{{"primary": {value}, "others": {{}}}}')
