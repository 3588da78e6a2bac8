"""What stands on the screen: 80 columns, the verdict last, nothing a terminal would act on."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.documents.evidence import Finding
from verifier.documents.reading import read_document
from verifier.documents.verdict import Verdict
from verifier.documents.words import Outcome, ReasonCode, Severity, Status
from verifier.errors import DocumentError
from verifier.judge.judge import judge, verdict_bytes
from verifier.report.audit import render_audit
from verifier.report.doctor import render_checks
from verifier.report.listing import clean, fold, render_table
from verifier.report.plan import render_plan
from verifier.report.terminal import last_line, render

NASTY = "\x1b[2J\x1b]0;owned\x07\r\x9b31m\u202evil\u2028"
ESCAPE = re.compile(r"\x1b\[[0-9]+m")
WORDS = st.text(st.characters(exclude_categories=["Cs"]) | st.just("\x1b"), max_size=200)
NAMES = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True)
STATES = st.sampled_from(["passed", "failed", "not_testable", "warning", "not_needed", "not_run"])


def fits(text: str, width: int = 80) -> bool:
    return all(len(line) <= width for line in text.split("\n"))


def harmless(text: str) -> bool:
    return all(c.isprintable() for line in text.split("\n") for c in line)


@pytest.fixture(scope="module")
def verdict(lab) -> Verdict:
    return judge(lab.finished(new=0.5, old=0.8).files())


def test_a_verdict_on_one_screen(verdict):
    text = render(verdict, place="here/verdict.json")
    lines = text.split("\n")
    assert lines[0].startswith("The data refute the claim that RR@10 of new is above that of old")
    assert lines[-1] == "FALSIFIED  OPPOSITE  (refuted, planted)" == last_line(verdict)
    assert "audit     verify audit here/verdict.json" in lines
    assert any(
        line.split() == ["C9", *["a", "level", "known", "to", "matter", "shows", "ok"]]
        for line in lines
    )
    assert "margin 0.05, alpha 0.00304 a side and look" in lines
    assert fits(text)
    assert "by language" not in text
    tables = render(verdict, place="v", tables=True)
    assert f"by language ({verdict.arms[0].setting}, explicit); * counts for the verdict" in tables
    assert re.search(r"^ne\* +32 ", tables, re.MULTILINE)


@pytest.mark.parametrize(
    ("status", "colour"), [("VERIFIED", 32), ("FALSIFIED", 31), ("UNVERIFIED", 33)]
)
def test_colour_only_when_asked_and_only_on_the_last_line(verdict, status, colour):
    one = verdict.model_copy(update={"status": Status(status)})
    plain, coloured = render(one, place="v"), render(one, place="v", colour=True)
    assert "\x1b" not in plain
    assert ESCAPE.sub("", coloured) == plain
    assert coloured.split("\n")[:-1] == plain.split("\n")[:-1]
    assert coloured.split("\n")[-1] == f"\x1b[1m\x1b[{colour}m{plain.splitlines()[-1]}\x1b[0m"


@settings(max_examples=60, deadline=None)
@given(data=st.data(), tables=st.booleans())
def test_no_verdict_is_wider_than_the_screen_or_moves_it(verdict, data, tables):
    """Whatever names, texts and numbers a verdict carries: 80 columns, printable, verdict last."""
    names = data.draw(st.lists(NAMES, min_size=4, max_size=4, unique=True))
    text = data.draw(WORDS)
    rename = dict(zip(("new", "old"), names, strict=False))
    setting, regime = names[2:]
    number = data.draw(st.sampled_from([None, -0.5, 12345.678901, 1e-300, 9.99e99]))
    several = data.draw(st.booleans())
    place = lambda i: f"{setting[:60]}{i if several else ''}"  # noqa: E731
    arms = tuple(
        r.model_copy(update={"arm": rename[r.arm], "setting": place(i % 2), "mean": number})
        for i, r in enumerate(verdict.arms)
    )
    if several:  # every arm in every condition
        arms = tuple(
            a.model_copy(update={"setting": s, "regime": regime, "arm": n})
            for a in verdict.arms[:1]
            for s in (place(0), place(1))
            for n in rename.values()
        )
    changed = verdict.model_copy(
        update={
            "plain": text,
            "would_change_it": text,
            "status": data.draw(st.sampled_from(list(Status))),
            "reason_code": data.draw(st.sampled_from(list(ReasonCode))),
            "outcome": data.draw(st.sampled_from(list(Outcome))),
            "subject": verdict.subject.model_copy(update={"id": names[0], "statement": text}),
            "arms": arms,
            "estimates": tuple(
                r.model_copy(
                    update={"contrast": f"{names[0]} - {names[1]}", "setting": setting,
                            "value": number, "queries": 10**15, "clusters": 10**15}
                )
                for r in verdict.estimates
            ),
            "tables": tuple(
                r.model_copy(update={"key": text or "k", "setting": setting, "contrast": number,
                                     "arms": {rename[a]: m for a, m in r.arms.items()}})
                for r in verdict.tables
            ),
            "controls": tuple(
                r.model_copy(update={"title": text or r.title, "state": data.draw(STATES)})
                for r in verdict.controls
            ),
            "findings": tuple(
                Finding(rule="r", severity=Severity.WARNING, message=text or "m", where=text or "w")
                for _ in range(data.draw(st.integers(0, 6)))
            ),
            "scope": verdict.scope.model_copy(update={"leaves_open": (text,)}),
        }
    )  # fmt: skip
    shown = render(changed, place=text, tables=tables)
    assert fits(shown), max(shown.split("\n"), key=len)
    assert harmless(shown)
    assert shown.split("\n")[-1] == last_line(changed)
    assert shown.split("\n")[-1].startswith(f"{changed.status}  {changed.reason_code}  ")


def test_the_longest_last_line_keeps_verdict_and_reason(verdict):
    long = verdict.model_copy(
        update={
            "status": Status.UNVERIFIED,
            "reason_code": ReasonCode.INSUFFICIENT_POWER,
            "outcome": Outcome.INCONCLUSIVE,
            "subject": verdict.subject.model_copy(update={"id": "x" * 64}),
        }
    )
    line = last_line(long)
    assert len(line) == 80
    assert line.startswith("UNVERIFIED  INSUFFICIENT_POWER  (inconclusive, xxx")
    assert line.endswith("x…)")


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_name_is_cut_only_where_it_does_not_fit(verdict, outcome):
    for length in range(1, 65):
        subject = verdict.subject.model_copy(update={"id": "x" * length})
        line = last_line(verdict.model_copy(update={"subject": subject, "outcome": outcome}))
        whole = f"FALSIFIED  OPPOSITE  ({outcome}, {'x' * length})"
        assert line == whole if len(whole) <= 80 else line.endswith("x…)")
        assert len(line) == min(80, len(whole))


def test_escapes_in_a_claim_never_get_as_far_as_a_verdict_and_would_not_be_shown(lab, verdict):
    document = lab.claim_document(statement=NASTY)
    with pytest.raises(DocumentError, match="control character"):
        lab.read_claim(document)
    body = json.loads(verdict_bytes(verdict))
    body["plain"] = NASTY
    with pytest.raises(DocumentError, match="control character"):
        read_document(Verdict, json.dumps(body).encode(), name="v.json")
    nasty = verdict.model_copy(
        update={
            "plain": NASTY,
            "would_change_it": NASTY,
            "subject": verdict.subject.model_copy(update={"id": NASTY, "statement": NASTY}),
            "findings": (Finding(rule="r", severity=Severity.WARNING, message=NASTY, where=NASTY),),
        }
    )
    for text in (
        render(nasty, place=NASTY),
        render_audit(nasty, nasty, (), (NASTY,)),
        render_audit(nasty, nasty, (NASTY,), ()),
        render_checks([(NASTY, "missing", NASTY, NASTY)], usable=False),
        render_table([{NASTY: NASTY}]),
        render_plan(claim=NASTY, number=1, known=False, alpha=0.01, alpha_per_look=0.005,
                    slots=1, groups=[(NASTY, 1, 0, None)]),
    ):  # fmt: skip
        assert harmless(text)
        assert fits(text)
        assert "owned" in text


def test_clean_keeps_what_can_be_read():
    assert clean("naïve 名 a-b") == "naïve 名 a-b"
    assert clean("a\x1bb\tc\nd\u202ee") == "a\ufffdb c d\ufffde"
    assert fold("x" * 12, 5, first="> ") == ["> xxx", "xxxxx", "xxxx"]


# Lists


def test_a_table_that_fits_is_aligned():
    rows = [{"name": "a", "n": 10}, {"name": "longer", "n": 2}]
    assert render_table(rows) == "name    n\na       10\nlonger  2"
    assert render_table([]) == "(none)"


def test_a_table_that_does_not_fit_becomes_blocks():
    rows = [{"name": "a", "text": "word " * 20}, {"name": "b", "text": ""}]
    shown = render_table(rows)
    assert shown.startswith("name: a\ntext: word word")
    assert shown.endswith("\n\nname: b\ntext:")
    assert render_table(rows, width=200).split("\n")[0] == "name  text"


def test_the_width_itself_still_fits():
    rows = [{"a": "x" * 10, "b": "y" * 8}]
    assert render_table(rows, width=20).count("\n") == 1
    assert "a: x" in render_table(rows, width=19)


@settings(deadline=None)
@given(
    rows=st.lists(
        st.dictionaries(st.text(max_size=100), st.text(max_size=120), min_size=1, max_size=4),
        max_size=3,
    ),
    width=st.integers(20, 120),
)
def test_no_list_is_wider_than_asked(rows, width):
    """Whatever the names and cells: never wider, never anything that moves a terminal."""
    shown = render_table(rows, width=width)
    assert fits(shown, width)
    assert harmless(shown)


# Plan, doctor, audit


def test_a_plan_says_what_is_kept_and_what_it_costs():
    groups = [("look 1", 20, 5, 125.0), ("controls", 8, 0, None)]
    text = render_plan(
        claim="claims/c.yaml", number=2, known=False, alpha=0.00152, alpha_per_look=0.000507,
        slots=3, groups=groups,
    )  # fmt: skip
    lines = text.split("\n")
    assert lines[:2] == [
        "claims/c.yaml: try 2 of its lineage (not frozen yet)",
        "alpha 0.00152 for this try, 0.000507 a look and side",
    ]
    assert [line.split() for line in lines if line.startswith(("look", "controls"))] == [
        ["look", "1", "20", "5", "2", "min", "5", "s"],
        ["controls", "8", "0", "unknown"],
    ]
    assert "3 trials at once." in text
    assert "Times are unknown" not in text
    assert "(frozen before)" in render_plan(
        claim="c", number=1, known=True, alpha=0.01, alpha_per_look=0.01, slots=1, groups=[]
    )
    assert "verify try c" in render_plan(
        claim="c", number=1, known=True, alpha=0.01, alpha_per_look=0.01, slots=1,
        groups=[("g", 1, 0, None)],
    )  # fmt: skip


def test_doctor_says_what_is_missing_and_what_to_do():
    rows = [
        ("network", "enforced", "namespace", "never shown"),
        ("memory", "degraded", "rlimit only", "mount cgroups"),
        ("files", "missing", "nothing", None),
    ]
    text = render_checks(rows, usable=False)
    assert text.split("\n") == [
        "ok       network: namespace",
        "PARTLY   memory: rlimit only",
        "         to do: mount cgroups",
        "MISSING  files: nothing",
        "",
        "This machine cannot hold a script: no verdict is possible until MISSING is",
        "mended.",
    ]
    assert "never shown" not in text
    assert text.count("to do:") == 1
    assert render_checks(rows[:1], usable=True).endswith("verdicts are possible.")


def test_an_audit_that_agrees_ends_with_the_verdict(verdict):
    text = render_audit(verdict, verdict, (), ("a note",))
    assert text.split("\n")[-1] == last_line(verdict)
    assert "byte for byte" in text
    assert "note      a note" in text
    assert f"evidence {verdict.evidence.digest}" in text
    assert fits(text)


def test_an_audit_that_does_not_agree_says_so_last(verdict):
    other = verdict.model_copy(update={"status": Status.VERIFIED})
    text = render_audit(other, verdict, ("status: published VERIFIED, computed " + "x" * 99,), ())
    assert text.split("\n")[-1] == "AUDIT FAILED  published VERIFIED, computed FALSIFIED"
    assert "is NOT what its evidence says" in text
    assert "byte for byte" not in text
    assert fits(text)
