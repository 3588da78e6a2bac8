"""Evidence with a planted truth, packed and judged: the verdict is that truth."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from verifier.documents.contracts import validate_public
from verifier.documents.reading import read_document
from verifier.documents.verdict import Verdict
from verifier.errors import EvidenceError
from verifier.judge.assess import Need
from verifier.judge.bundle import evidence_digest, open_bundle
from verifier.judge.judge import judge, verdict_bytes
from verifier.pipeline.collect import collect_evidence
from verifier.study.plan import study_trials

PUBLIC = Path(__file__).parents[2] / "schemas" / "public" / "gate-verdict-v1.json"
C9 = Need(controls=("C9",))
UP, DOWN, FLAT = {"new": 0.8, "old": 0.5}, {"new": 0.5, "old": 0.8}, {"new": 0.5, "old": 0.5}
RISING, FALLING = (
    {"low": 0.3, "middle": 0.5, "high": 0.7, "broken": -1.0},
    {"low": 0.7, "middle": 0.5, "high": 0.3},
)
PEAK = {"low": 0.4, "middle": 0.8, "high": 0.4, "broken": -1.0}


def summary(verdict):
    return (str(verdict.status), str(verdict.reason_code), str(verdict.outcome))


@pytest.mark.parametrize(
    ("kind", "rates", "want", "asked", "trials"),
    [
        ("two", UP, ("VERIFIED", "SUPPORTED", "supported"), [], 30),
        ("two", DOWN, ("FALSIFIED", "OPPOSITE", "refuted"), [C9], 40),
        ("two", FLAT, ("FALSIFIED", "NO_EFFECT", "refuted"), [C9], 40),
        (
            "two",
            {"new": 0.56, "old": 0.5},
            ("UNVERIFIED", "INSUFFICIENT_POWER", "inconclusive"),
            [Need(seeds=10)],
            50,
        ),
        ("dose", RISING, ("VERIFIED", "SUPPORTED", "supported"), [], 72),
        ("dose", FALLING, ("FALSIFIED", "OPPOSITE", "refuted"), [C9], 92),
        ("dose", PEAK, ("FALSIFIED", "OPPOSITE", "refuted"), [C9], 92),
        ("peak", PEAK, ("VERIFIED", "SUPPORTED", "supported"), [], 72),
        ("peak", RISING, ("FALSIFIED", "OPPOSITE", "refuted"), [C9], 92),
        ("falling", FALLING, ("VERIFIED", "SUPPORTED", "supported"), [], 72),
    ],
)
def test_the_verdict_is_the_planted_truth(lab, kind, rates, want, asked, trials):
    document = lab.claim_document() if kind == "two" else lab.dose_document()
    if kind in {"peak", "falling"}:
        document["criterion"]["shape"] = "interior_peak" if kind == "peak" else "decreasing"
    study = lab.Study(document, lab.rates(**rates)).finish()
    verdict = judge(study.files())
    assert summary(verdict) == want
    assert study.asked == asked
    assert len(study.rows) == verdict.evidence.trials == trials
    assert {(r.setting, r.regime) for r in verdict.estimates} == {
        (lab.SETTING, "explicit"),
        (lab.SETTING, "in_batch"),
    }


def test_regimes_that_clash_make_the_claim_underspecified(lab):
    def rate(plan):
        table = UP if plan.regime == "explicit" else DOWN
        return {**table, "broken": 0.1}[plan.arm]

    study = lab.Study(lab.claim_document(), rate).finish()
    verdict = judge(study.files())
    assert summary(verdict) == ("UNVERIFIED", "UNDERSPECIFIED", "inconclusive")
    assert study.asked == [C9]
    assert "in-batch" in verdict.would_change_it


def test_one_regime_that_refutes_is_not_enough_and_more_seeds_are_asked(lab):
    def rate(plan):
        near = {"new": 0.57, "old": 0.5} if plan.regime == "explicit" else DOWN
        return {**near, "broken": 0.1}[plan.arm]

    study = lab.Study(lab.claim_document(), rate).begin()
    assert study.assess().need == Need(seeds=10)


def test_nothing_is_refuted_by_a_study_that_is_blind(lab):
    """The assay does not show either: NOT_TESTABLE, and no further seeds are asked for."""
    study = lab.Study(lab.claim_document(), lab.rates(**FLAT, broken=0.5)).finish()
    verdict = judge(study.files())
    assert study.asked == [C9]
    assert summary(verdict) == ("UNVERIFIED", "NOT_TESTABLE", "inconclusive")
    assert [c.state for c in verdict.controls if c.id == "C9"] == ["failed", "failed"]


def test_without_an_assay_nothing_is_refuted(lab):
    study = lab.Study(lab.claim_document(assay={}), lab.rates(**DOWN)).finish()
    verdict = judge(study.files())
    assert study.asked == []
    assert summary(verdict) == ("UNVERIFIED", "NOT_TESTABLE", "inconclusive")
    assert any("could not be refuted" in text for text in verdict.not_measured)


def test_a_source_without_a_size_is_not_falsified_by_a_small_effect(lab):
    document = lab.claim_document()
    document["criterion"]["margin"] = 0.3
    for states, want in ((True, "FALSIFIED"), (False, "UNVERIFIED")):
        document["source"] = {**document["source"], "states_size": states}
        verdict = judge(
            lab.Study(document, lab.rates(new=0.62, old=0.5, broken=-1.0)).finish().files()
        )
        assert summary(verdict) == (want, "TOO_SMALL", "refuted")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"quantifier": "this_setting"}, "UNVERIFIED", "NOT_REPLICATED"),
        ({"requires": "reproduction"}, "UNVERIFIED", "SCOPE_TOO_NARROW"),
    ],
)
def test_a_refuted_claim_is_falsified_only_where_one_study_can(lab, change, status, code):
    study = lab.Study(lab.claim_document(**change), lab.rates(**DOWN)).finish()
    verdict = judge(study.files())
    assert summary(verdict) == (status, code, "refuted")


@pytest.mark.parametrize(
    ("control", "code", "asks"),
    [("C1", "NONDETERMINISTIC", True), ("C3", "CONTROL_FAILED", True),
     ("C7", "CONTROL_FAILED", True), ("C8", "CONTROL_FAILED", False)],
)  # fmt: skip
def test_a_failed_control_makes_the_outcome_invalid(lab, control, code, asks):
    """Statistical ones only when they fail twice: the first failure asks for a second strike."""

    def planted(strikes):
        class Odd(lab.Study):
            def rank(self, plan, planted):
                if plan.role == control and plan.strike in strikes:
                    return lab.ranking_of(self.task, -1.0, plan, ())
                return super().rank(plan, planted)

        return Odd(lab.claim_document(), lab.rates(**UP)).finish()

    always = planted({1, 2})
    again = Need(controls=(control,), strike=2)
    assert always.asked == ([again] if asks else [])
    assert summary(judge(always.files())) == ("UNVERIFIED", code, "invalid")
    if asks:
        once = planted({1})
        assert once.asked == [again]
        assert summary(judge(once.files())) == ("VERIFIED", "SUPPORTED", "supported")


def test_equal_runs_of_two_seeds_are_an_unused_seed_however_they_are_packed(lab, monkeypatch):
    class Lazy(lab.Study):
        def rank(self, plan, planted):
            if (plan.arm, plan.role, plan.index) == ("new", "study", 1):
                plan = replace(plan, index=0)
            return super().rank(plan, planted)

    study = Lazy(lab.claim_document(), lab.rates(**UP)).finish()
    assert summary(judge(study.files())) == ("UNVERIFIED", "UNUSED_SEED", "invalid")

    # The same runs, one of each pair compressed by another level: other bytes, same rankings.
    import zlib  # noqa: PLC0415

    from verifier.documents.canonical import digest  # noqa: PLC0415

    rows = []
    for row in study.rows:
        name = row.rankings["test"]
        if row.arm == "new" and row.index == 1:
            head, _, body = study.rankings[name].partition(b"}\n")
            data = head + b"}\n" + zlib.compress(zlib.decompress(body), 1)
            study.rankings[digest(data)] = data
            assert digest(data) != name
            rows.append(row.model_copy(update={"rankings": {"test": digest(data)}}))
        else:
            rows.append(row)
    study.rows = rows
    assert summary(judge(study.files())) == ("UNVERIFIED", "UNUSED_SEED", "invalid")


@pytest.mark.parametrize("arm", ["new", "old"])
def test_ties_count_against_the_verdict_either_way(lab, arm):
    """An arm that gives all ten documents one score neither wins nor loses by it."""

    class Tied(lab.Study):
        def rank(self, plan, planted):
            ranking = super().rank(plan, planted)
            if plan.arm != arm or planted:
                return ranking
            tied = np.ones(len(ranking.documents), dtype=np.bool_)
            tied[ranking.starts[:-1]] = False
            documents = np.sort(ranking.documents.reshape(-1, 10), axis=1).ravel()
            return replace(ranking, documents=documents, tied=tied)

    sure = Tied(lab.claim_document(), lab.rates(new=0.5, old=0.5)).finish()
    verdict = judge(sure.files())
    assert verdict.outcome == "inconclusive"
    assert sure.asked == [Need(seeds=10)]
    low, high = verdict.estimates[0].low, verdict.estimates[0].high
    assert low < -0.3
    assert high > 0.3
    assert verdict.estimates[0].tied_mass == 1


def test_arms_that_train_unequally_are_invalid_at_once(lab):
    study = lab.Study(lab.claim_document(), lab.rates(**UP)).begin()
    study.rows = [
        r.model_copy(update={"effort": "sha256:" + "0" * 64})
        if (r.arm, r.index, r.role) == ("new", 3, "study")
        else r
        for r in study.rows
    ]
    verdict = judge(study.files())
    assert summary(verdict) == ("UNVERIFIED", "ARTIFACT_INVALID", "invalid")
    assert verdict.findings[0].rule == "isolation.effort"
    assert verdict.estimates == ()


def test_evidence_that_stops_before_it_decides_carries_no_verdict(lab):
    study = lab.Study(lab.claim_document(), lab.rates(**DOWN)).begin()
    with pytest.raises(EvidenceError, match="stops before a decision"):
        judge(study.files())


def test_more_of_the_same_evidence_never_changes_an_earlier_look(lab):
    """A study that was decided at five seeds says the same when ten are in the folder."""
    study = lab.finished(**UP)
    early = study.assess()
    study.add(study_trials(study.frame, first=5, last=10))
    assert [look.seeds for look in study.assess().looks] == [5]
    assert study.assess().decision == early.decision


def test_the_verdict_keeps_the_public_contract_and_reads_back(lab):
    verdict = judge(lab.Study(lab.dose_document(), lab.rates(**RISING)).finish().files())
    data = verdict_bytes(verdict)
    schema = json.loads(PUBLIC.read_bytes())
    assert validate_public(json.loads(data), "gate-verdict-v1", schema) == []
    assert read_document(Verdict, data, name="verdict.json") == verdict
    broken = {**json.loads(data), "status": "PROBABLY"}
    assert validate_public(broken, "gate-verdict-v1", schema)


def test_judging_again_gives_the_same_bytes(lab):
    files = lab.finished(**DOWN).files()
    first = verdict_bytes(judge(files))
    assert verdict_bytes(judge(dict(reversed(files.items())))) == first
    assert verdict_bytes(judge(files, name="elsewhere")) == first


def test_the_order_in_which_trials_finish_does_not_matter(lab):
    study = lab.finished(**DOWN)
    files = study.files()
    for seed in range(3):
        random.Random(seed).shuffle(study.rows)
        assert study.files() == files


def test_the_bundle_opens_as_it_was_packed(lab):
    study = lab.finished(**UP)
    files = study.files()
    evidence = open_bundle(files, name="evidence")
    assert evidence.study == study.evidence().study
    assert evidence.judgements == study.evidence().judgements
    assert judge(files).evidence.digest == evidence_digest(files)


def test_any_flipped_byte_in_any_file_is_found(lab):
    files = lab.finished(**UP).files()
    rng = random.Random(1)
    for path, data in files.items():
        if path == "manifest.json":
            continue
        for at in {0, len(data) - 1, *(rng.randrange(len(data)) for _ in range(5))}:
            raw = bytearray(data)
            raw[at] ^= 1 + rng.randrange(255)
            with pytest.raises(EvidenceError, match="the manifest says"):
                open_bundle({**files, path: bytes(raw)}, name="e")
    honest = evidence_digest(files)
    manifest = files["manifest.json"]
    for at in range(0, len(manifest), 17):
        raw = bytearray(manifest)
        raw[at] ^= 1
        assert evidence_digest({**files, "manifest.json": bytes(raw)}) != honest


def test_a_missing_file_and_one_too_many_are_found(lab):
    files = lab.finished(**UP).files()
    for path in files:
        with pytest.raises(EvidenceError, match="missing"):
            open_bundle({p: d for p, d in files.items() if p != path}, name="e")
    with pytest.raises(EvidenceError, match="not in the manifest"):
        open_bundle({**files, "more.txt": b""}, name="e")


def test_a_missing_setting_caps_the_status_and_an_optional_one_never_counts(lab):
    settings = [{"name": lab.SETTING}, {"name": "other-names", "optional": True}]

    def rate(plan):
        table = UP if plan.setting == lab.SETTING else DOWN
        return {**table, "broken": 0.1}[plan.arm]

    verdict = judge(lab.Study(lab.claim_document(settings=settings), rate).finish().files())
    assert summary(verdict) == ("VERIFIED", "SUPPORTED", "supported")
    settings[1]["optional"] = False
    verdict = judge(lab.Study(lab.claim_document(settings=settings), rate).finish().files())
    assert summary(verdict) == ("UNVERIFIED", "SETTINGS_DISAGREE", "inconclusive")

    task = lab.make_task()
    whole = lab.make_case(lab.claim_document(settings=settings), task)
    study = lab.Study(
        lab.claim_document(settings=settings),
        rate,
        task=task,
        settings=whole.settings[:1],
        missing=("other-names",),
    )
    verdict = judge(study.finish().files())
    assert summary(verdict) == ("UNVERIFIED", "DATA_UNAVAILABLE", "supported")


def test_collected_evidence_names_every_file_it_rests_on(lab):
    study = lab.finished(**UP)
    evidence = collect_evidence(
        study.case,
        study.frozen,
        study.rows,
        {**study.rankings, "sha256:" + "0" * 64: b"unused"},
        sandboxes={lab.PROFILE_DIGEST: lab.PROFILE},
        evaluated_at=lab.AT,
    )
    assert evidence.study.closure_digest == study.case.closure_digest
    assert lab.pack(evidence) == study.files()  # a ranking that no trial names is left out
