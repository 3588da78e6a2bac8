"""The whole road from a claim to its verdict, with a sandbox that is a function."""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from verifier.adapters.store.fileledger import open_ledger
from verifier.adapters.store.filestore import open_store
from verifier.documents.canonical import digest
from verifier.documents.limits import Limits
from verifier.errors import DocumentError, EvidenceError, UsageError, VerifierError
from verifier.pipeline.audit import audit, evidence_path
from verifier.pipeline.execute import Begun
from verifier.pipeline.plan import plan
from verifier.pipeline.try_ import try_claim
from verifier.pipeline.verify import Ports, verify
from verifier.pipeline.workbench import Workbench
from verifier.ports import Ending, Enforcement, Event, Finished, SandboxResult
from verifier.study.tries import UNSCORABLE, VERDICT

NUMBER = re.compile(r"[0-9]+")


class StepClock:
    """A clock that goes on by one second at every look."""

    def __init__(self):
        self.seconds = 0

    def now(self):
        self.seconds += 1
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self):
        return float(self.seconds)


class Sequential:
    """Implements ports.Executor in this very process, one item after the other."""

    slots = 1

    def run(self, items, work):
        for number, item in enumerate(items):
            said = []
            value = work(item, said.append)
            yield from (Event(item=number, body=body) for body in said)
            yield Finished(item=number, value=value)


class Script:
    """Implements ports.Sandbox: a retriever that finds documents by the numbers in their texts.

    skill: level of the factor -> how often a query is understood; a seed moves it a little.
    """

    level = "ns-full"

    def __init__(self, skill, *, break_at=None):
        self.skill = skill
        self.break_at = break_at
        self.orders = []

    def run(self, order, *, on_line=None):
        self.orders.append(order)
        told = json.loads(order.inputs["trial.json"])
        if self.break_at is not None and len(self.orders) >= self.break_at:
            return self.result({}, exit_code=3, stderr=b"first\n\x1b[31mout of ideas\n")
        if told["stage"] == "assign":
            return self.result({"stream.tsv": self.assign(order.inputs, told)})
        if on_line is not None:
            on_line(b'{"step": 1, "steps": 2, "loss": 0.5}')
            on_line(b"not json")
        return self.result(self.train(order.inputs, told))

    def result(self, outputs, exit_code=0, stderr=b""):
        return SandboxResult(
            ending=Ending.EXITED,
            exit_code=exit_code,
            signal=None,
            wall_s=1.0,
            cpu_s=0.5,
            peak_memory_bytes=1000,
            stdout=b"",
            stderr=stderr,
            outputs=outputs,
            refused={},
            extra=(),
            enforcement=(Enforcement(name="network", requested="none", enforced_by="ns"),),
            not_enforced=("timing",),
        )

    def assign(self, inputs, told):
        """One positive and one negative a query; which document is negative tells the level."""
        queries = [json.loads(line) for line in inputs["train/queries.jsonl"].splitlines()]
        corpus = sorted(
            (json.loads(line) for line in inputs["corpus.jsonl"].splitlines()),
            key=lambda d: int(NUMBER.search(d["text"])[0]),
        )
        level = next(iter(told["parameters"]["negatives"]))
        place = {"mined": 20, "random": 21, "one_document": 22}[level]
        rows = [
            f"{step}\t{q['id']}\t{q['positives'][0]}\t{corpus[place]['id']}"
            for step, q in enumerate(queries)
        ]
        return ("\n".join(rows) + "\n").encode()

    def train(self, inputs, told):
        corpus = [json.loads(line) for line in inputs["corpus.jsonl"].splitlines()]
        numbers = {d["id"]: int(NUMBER.search(d["text"])[0]) for d in corpus}
        negative = inputs["train/stream.tsv"].split(b"\n")[0].split(b"\t")[3].decode()
        level = {20: "mined", 21: "random", 22: "one_document"}[numbers[negative]]
        base = np.random.default_rng(0).normal(size=(64, 16))
        vectors = {"vectors/corpus.f32": np.stack([base[numbers[d["id"]]] for d in corpus])}
        for name in told["query_sets"]:
            lines = [json.loads(x) for x in inputs[f"queries/{name}.jsonl"].splitlines()]
            found = []
            for query in lines:
                words = NUMBER.findall(query["text"])
                rng = np.random.default_rng([told["seed"], int(words[-1])])
                hard = (int(words[-1]) * 0.6180339887) % 1.0
                known = len(words) == 1 or hard + rng.normal(0, 0.02) < self.skill[level]
                noise = rng.normal(0, 0.05, 16)
                found.append((query["id"], base[int(words[0])] * (1 if known else -1) + noise))
            table = dict(found)
            vectors[f"vectors/queries-{name}.f32"] = np.stack([table[q["id"]] for q in lines])
        files = {k: {"rows": len(v), "columns": 16} for k, v in vectors.items()}
        outputs = {k: v.astype("<f4").tobytes() for k, v in vectors.items()}
        outputs["outputs.json"] = json.dumps({"protocol": "outputs-v1", "files": files}).encode()
        return outputs


@dataclass
class Bench:
    """A project in a folder: everything real but the sandbox and the processes."""

    lab: object
    root: Path
    script: Script
    document: dict
    task: object

    def __post_init__(self):
        self.said, self.prepared, self.logs = [], [], {}
        self.case = self.lab.make_case(self.document, self.task)
        self.reopen()

    def reopen(self):
        """Start anew on the same store."""
        self.clock = StepClock()
        self.store = open_store(self.root)
        self.ledger = open_ledger(self.root, self.clock)
        self.bench = Workbench(
            sandbox=self.script,
            store=self.store,
            secret=self.store.secret(),
            closure=self.case.closure,
            environment=Path("environment"),
            tasks={self.lab.SETTING: self.task},
            cards={self.lab.SETTING: digest(self.case.settings[0].card_bytes)},
            primary={self.lab.SETTING: tuple(range(len(self.task.query_sets["test"])))},
            depths={self.lab.SETTING: 10},
            models={},
            limits=Limits(
                wall_s=60, memory_bytes=1 << 30, output_bytes=1 << 20, output_files=9, processes=9
            ),
            outputs="vectors",
            threads=1,
            device="cpu",
            keep_log=lambda trial, stage, log: self.logs.update({(trial, stage): log}),
        )
        return self

    def verify(self, **changes):
        ports = Ports(
            store=self.store,
            ledger=self.ledger,
            executor=Sequential(),
            clock=self.clock,
            prepare=lambda: self.prepared.append(True),
            entropy=lambda: b"e" * 32,
        )
        return verify(
            self.case,
            replace(ports, **changes),
            self.bench,
            confirm=lambda account: None,
            report=self.said.append,
        )

    @property
    def kinds(self):
        return [e["kind"] for e in self.ledger.entries()]


@pytest.fixture
def folder():
    """A folder in memory where there is one: thousands of syncs, and nothing to lose."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as path:
        yield Path(path)


@pytest.fixture
def make(lab, folder):
    def bench(skill=None, *, name="store", **changes):
        script_changes = {k: changes.pop(k) for k in ("break_at",) if k in changes}
        skill = skill or {"mined": 0.8, "random": 0.5, "one_document": 0.05}
        document = lab.claim_document(regimes=[], **changes)
        task = lab.make_task(queries=202, documents=41)
        return Bench(lab, folder / name, Script(skill, **script_changes), document, task)

    return bench


UP = {"mined": 0.8, "random": 0.5, "one_document": 0.05}
DOWN = {"mined": 0.5, "random": 0.8, "one_document": 0.05}
NEAR = {"mined": 0.561, "random": 0.5, "one_document": 0.05}


def test_a_supported_claim_stops_at_the_first_look(make):
    bench = make(UP)
    done = bench.verify()
    assert (done.verdict.status, done.verdict.outcome) == ("VERIFIED", "supported")
    assert {row.look for row in done.verdict.estimates} == {5}
    assert done.verdict.evidence.trials == 10 + 6  # arms x seeds; C1, two C3, two C7, C8
    assert len(bench.script.orders) == 2 * 16
    assert bench.kinds == ["nonce", "freeze", VERDICT]
    groups = [said.group for said in bench.said if isinstance(said, Begun)]
    assert groups == ["look 1, 5 seeds an arm, with controls"]
    assert len(bench.logs) == 32


def test_a_refuted_claim_asks_for_the_assay_and_nothing_more(make):
    bench = make(DOWN)
    done = bench.verify()
    assert (done.verdict.status, done.verdict.reason_code) == ("FALSIFIED", "OPPOSITE")
    groups = [said.group for said in bench.said if isinstance(said, Begun)]
    assert groups == ["look 1, 5 seeds an arm, with controls", "controls C9"]
    assert done.verdict.evidence.trials == 16 + 5


def test_an_open_claim_goes_through_all_looks(make):
    bench = make(NEAR)
    done = bench.verify()
    assert done.verdict.outcome == "inconclusive"
    groups = [said.group for said in bench.said if isinstance(said, Begun)]
    assert groups == ["look 1, 5 seeds an arm, with controls", "look 2, 10 seeds an arm"]
    assert {row.look for row in done.verdict.estimates} == {5, 10}


def test_what_the_sandbox_is_given_is_sealed_and_bounded(make):
    """No arm's name, no id of the task, no answer; the stage that trains knows no level."""
    bench = make(UP)
    bench.verify()
    seals = set()
    for order in bench.script.orders:
        told = json.loads(order.inputs["trial.json"])
        everything = b"".join(order.inputs.values())
        for secret in (b"doc:", b"test:", b"label ", b"seen", b"planted", b"C9", b"candidate"):
            assert secret not in everything
        if told["stage"] == "train":
            assert "negatives" not in told["parameters"]
            assert "stream.tsv" not in order.outputs
            seals.add(order.inputs["corpus.jsonl"])
        else:
            assert order.outputs.keys() == {"stream.tsv"}
        assert order.argv[0] == "python"
        assert order.study == bench.case.closure
    assert len(seals) == 16 - 1  # only C1 repeats a seal


def test_progress_is_reported_and_junk_is_not(make):
    bench = make(UP)
    bench.verify()
    steps = [e.body for e in bench.said if isinstance(e, Event) and e.body["state"] == "step"]
    assert len(steps) == 16
    assert {k: steps[0][k] for k in ("step", "steps", "loss")} == {
        "step": 1,
        "steps": 2,
        "loss": 0.5,
    }


def test_a_warm_run_gives_the_same_bytes_and_runs_and_logs_nothing(make):
    bench = make(DOWN)
    first = bench.verify()
    ran, entries = len(bench.script.orders), bench.kinds
    bench.said.clear()
    bench.prepared.clear()
    again = bench.reopen().verify()
    assert again.verdict_bytes == first.verdict_bytes
    assert again.evidence == first.evidence
    assert (len(bench.script.orders), bench.kinds) == (ran, entries)
    assert bench.said == []
    assert bench.prepared == []  # an audit of a kept study needs no sandbox


def test_two_stores_agree_on_everything_but_their_secrets(make):
    """Another installation, with the same nonce, finds the same numbers under other seals."""
    one, other = make(UP, name="one").verify(), make(UP, name="other").verify()
    assert [r.value for r in one.verdict.estimates] == [r.value for r in other.verdict.estimates]
    assert one.verdict.evidence.digest != other.verdict.evidence.digest


class StoppedError(Exception):
    pass


class Interrupting(Sequential):
    """Stops after some finished items, as Ctrl-C does."""

    def __init__(self, after):
        self.after = after

    def run(self, items, work):
        for said in super().run(items, work):
            yield said
            if isinstance(said, Finished):
                self.after -= 1
                if not self.after:
                    raise StoppedError


def test_an_interrupted_study_goes_on_from_there(make):
    bench = make(UP)
    with pytest.raises(StoppedError):
        bench.verify(executor=Interrupting(7))
    assert bench.kinds == ["nonce", "freeze"]
    ran = len(bench.script.orders)
    assert ran == 14
    resumed = bench.reopen().verify()
    assert len(bench.script.orders) == 32
    begun = [said for said in bench.said if isinstance(said, Begun)][-1]
    assert (begun.cached, len(begun.plans)) == (7, 9)
    whole = make(UP, name="whole").verify()
    assert resumed.verdict.estimates == whole.verdict.estimates
    assert bench.kinds == ["nonce", "freeze", VERDICT]


def test_a_failing_script_stops_at_once_and_is_logged_as_unscorable(make):
    bench = make(UP, break_at=4)
    done = bench.verify()
    assert (done.verdict.status, done.verdict.reason_code) == ("UNVERIFIED", "ARTIFACT_INVALID")
    assert done.verdict.outcome == "invalid"
    assert len(bench.script.orders) == 4
    assert bench.kinds == ["nonce", "freeze", UNSCORABLE]
    assert bench.ledger.entries()[-1]["body"]["finished"] == 1
    (finding,) = done.verdict.findings
    assert finding.rule == "trial.exited"
    assert "exit code 3; last words: [31mout of ideas" in finding.message
    assert "\x1b" not in done.verdict_bytes.decode()


def test_a_failed_script_is_not_asked_again(make):
    """The same try has one set of results: a failure is kept, and gives the same bytes."""
    bench = make(UP, break_at=4)
    first = bench.verify()
    entries = bench.kinds
    bench.script.break_at = None
    again = bench.reopen().verify()
    assert again.verdict_bytes == first.verdict_bytes
    assert (len(bench.script.orders), bench.kinds) == (4, entries)


class Hasty(Sequential):
    """Two at once: what the second had finished is in the store before the first is told of."""

    slots = 2

    def run(self, items, work):
        for number in range(0, len(items), 2):
            values = [work(item, lambda body: None) for item in items[number : number + 2]]
            for place, value in enumerate(values):
                yield Finished(item=number + place, value=value)


def test_what_finished_beside_a_failure_is_evidence_too(make):
    """Both are kept, so both are told: a second start must find what the first did."""
    bench = make(UP, break_at=2)  # the first trial's training fails, and the second's
    first = bench.verify(executor=Hasty())
    assert first.verdict.evidence.trials == 2
    assert bench.reopen().verify(executor=Hasty()).verdict_bytes == first.verdict_bytes


def test_a_try_whose_results_were_lost_is_not_judged_on_others(make):
    bench = make(UP)
    bench.verify()
    for path in (bench.root / "trials").rglob("*.json"):
        path.unlink()
    bench.script.skill = DOWN
    with pytest.raises(VerifierError, match="judged before, on other results"):
        bench.reopen().verify()


def test_a_reworded_statement_is_not_the_try_that_was_frozen(make, lab):
    bench = make(UP)
    bench.verify()
    bench.document["statement"] = "Old beats new."
    bench.case = lab.make_case(bench.document, bench.task)
    with pytest.raises(UsageError, match="reworded after this try was frozen"):
        bench.reopen().verify()


def test_refusing_to_freeze_leaves_no_trace(make):
    bench = make(UP)

    def refuse(account):
        assert (account.number, account.known) == (1, False)
        raise UsageError("no", where="here", hint="there")

    ports = Ports(
        store=bench.store,
        ledger=bench.ledger,
        executor=Sequential(),
        clock=bench.clock,
        prepare=lambda: None,
        entropy=lambda: b"e" * 32,
    )
    with pytest.raises(UsageError):
        verify(bench.case, ports, bench.bench, confirm=refuse, report=lambda said: None)
    assert bench.kinds == ["nonce"]
    assert bench.script.orders == []


def test_a_second_claim_of_the_lineage_pays_for_the_first(make, lab):
    bench = make(DOWN)
    bench.verify()
    bench.document["criterion"]["margin"] = 0.06
    bench.case = lab.make_case(bench.document, bench.task)
    second = bench.reopen().verify().verdict.try_
    assert (second.number, second.block) == (2, 1)


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda o: o.pop("outputs.json"), "output.missing"),
        (lambda o: o.pop("vectors/corpus.f32"), "output.missing"),
        (lambda o: o.update({"outputs.json": b"{"}), "output.outputs_json"),
        (lambda o: o.update({"vectors/corpus.f32": b"\0"}), "vectors.size"),
        (
            lambda o: o.update({"vectors/corpus.f32": b"\xff" * len(o["vectors/corpus.f32"])}),
            "vectors.nan",
        ),
    ],
)
def test_outputs_that_are_refused_are_findings_about_the_script(make, spoil, rule):
    bench = make(UP)
    honest = bench.script.train

    def train(inputs, told):
        outputs = honest(inputs, told)
        spoil(outputs)
        return outputs

    bench.script.train = train
    done = bench.verify()
    assert done.verdict.reason_code == "ARTIFACT_INVALID"
    assert done.verdict.findings[0].rule == rule


def test_an_unfair_stream_is_a_finding_about_the_script(make):
    bench = make(UP)
    bench.script.assign = lambda inputs, told: b"0\ta\tb\tc\n"
    done = bench.verify()
    assert done.verdict.findings[0].rule == "stream.unknown"
    assert "assign stage" in done.verdict.findings[0].where


def test_a_fault_of_ours_is_no_verdict(make):
    bench = make(UP)

    def broken(order, *, on_line=None):
        raise VerifierError("the sandbox is gone", where="here", hint="mend it")

    bench.script.run = broken
    with pytest.raises(VerifierError, match="the sandbox is gone"):
        bench.verify()
    assert bench.kinds == ["nonce", "freeze"]


# Audit


@pytest.fixture
def published(make):
    bench = make(UP)
    return bench, bench.verify()


def check(done, *, verdict=None, evidence=None, cards=None):
    return audit(
        verdict or done.verdict_bytes,
        evidence or done.evidence,
        name="v/verdict.json",
        shipped_cards=cards or {},
    )


def test_an_audit_of_what_was_published_agrees(published, lab):
    bench, done = published
    card = bench.case.settings[0].card_bytes
    found = check(done, cards={lab.SETTING: card})
    assert found.agrees
    assert (found.differences, found.notes) == ((), ())
    assert found.computed == found.published == done.verdict
    assert evidence_path(done.verdict_bytes, name="v") == "evidence"


def test_a_card_that_is_not_the_shipped_one_is_noted(published, lab):
    _, done = published
    for cards in ({}, {lab.SETTING: b"other"}):
        found = check(done, cards=cards)
        assert found.agrees
        assert f"the card of {lab.SETTING} is not the one" in found.notes[0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "FALSIFIED"),
        ("plain", "It is so."),
        ("reason_code", "NO_EFFECT"),
        ("evaluated_at", "2020-01-01T00:00:00Z"),
        ("findings", [{"rule": "x", "severity": "info", "message": "m", "where": "w"}]),
    ],
)
def test_a_changed_verdict_is_named_by_its_field(published, field, value):
    _, done = published
    body = {**json.loads(done.verdict_bytes), field: value}
    raw = json.dumps(body, indent=1, ensure_ascii=False).encode() + b"\n"
    found = check(done, verdict=raw)
    assert not found.agrees
    (difference,) = found.differences
    assert difference.startswith(f"{field}: published ")


def test_other_bytes_of_the_same_verdict_differ_too(published):
    _, done = published
    found = check(done, verdict=done.verdict_bytes.replace(b"\n", b"\n ", 1))
    assert found.differences == ("the same fields in other bytes: spacing, order or spelling",)


def test_other_evidence_than_the_verdict_names_is_an_error(published, make):
    _, done = published
    other = make(DOWN, name="second").verify()
    with pytest.raises(EvidenceError, match="the folder holds"):
        check(done, evidence=other.evidence)
    files = dict(done.evidence)
    del files["manifest.json"]
    with pytest.raises(EvidenceError, match="the folder holds no manifest"):
        check(done, evidence=files)
    files = {**done.evidence, "claim.yaml": done.evidence["claim.yaml"] + b" "}
    with pytest.raises(EvidenceError, match="the manifest says"):
        check(done, evidence=files)
    with pytest.raises(DocumentError):
        check(done, verdict=b"{}")


@pytest.mark.parametrize("path", ["../secret", "/etc", "a/../b", "c:d"])
def test_a_verdict_cannot_point_outside_its_folder(published, path):
    _, done = published
    body = json.loads(done.verdict_bytes)
    body["evidence"]["path"] = path
    with pytest.raises(EvidenceError, match="path"):
        evidence_path(json.dumps(body).encode(), name="v")


# Plan and try


def test_a_plan_runs_and_freezes_nothing(make):
    bench = make(UP)
    before = plan(bench.case, bench.ledger, bench.bench, slots=2)
    assert [(g.trials, g.kept, g.seconds) for g in before.groups] == [
        (10, 0, None), (6, 0, None), (10, 0, None), (5, 0, None), (5, 0, None),
    ]  # fmt: skip
    assert (before.account.number, before.account.known) == (1, False)
    assert bench.kinds == ["nonce"]
    assert bench.script.orders == []
    bench.verify()
    after = plan(bench.case, bench.ledger, bench.bench, slots=2)
    assert after.account.known
    assert [(g.trials, g.kept) for g in after.groups] == [
        (10, 10), (6, 6), (10, 0), (5, 0), (5, 0)
    ]  # fmt: skip
    assert after.seconds_per_trial == 2.0
    assert after.groups[2].seconds == 10.0  # ten trials of two seconds, two at once


def test_trying_a_script_touches_neither_account_nor_test_split(make):
    bench = make(UP)
    tried = try_claim(
        bench.case, bench.bench, Sequential(), arms=("new", "old"), report=bench.said.append
    )
    assert [t.arm for t in tried] == ["new", "old"]
    assert all(t.score is not None and 0 <= t.score <= 1 for t in tried)
    assert bench.kinds == ["nonce"]
    test = {q.text for q in bench.task.query_sets["test"]}
    for order in bench.script.orders:
        everything = b"".join(order.inputs.values()).decode("utf-8", "replace")
        assert not any(f'"{text}"' in everything for text in test)


def test_a_script_that_fails_a_quick_trial_says_why(make):
    bench = make(UP, break_at=1)
    (tried,) = try_claim(
        bench.case, bench.bench, Sequential(), arms=("new",), report=bench.said.append
    )
    assert tried.score is None
    assert tried.findings[0].rule == "trial.exited"
