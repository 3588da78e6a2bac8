"""Verify a claim: freeze, run look by look with controls, decide, record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from verifier.controls.battery import control_trials
from verifier.documents.canonical import digest, document_digest
from verifier.documents.evidence import SandboxRow, TrialRow
from verifier.documents.verdict import Verdict
from verifier.documents.words import Outcome
from verifier.errors import VerifierError
from verifier.judge.assess import Need, assess
from verifier.judge.bundle import Evidence, evidence_digest, pack
from verifier.judge.judge import judge, verdict_bytes
from verifier.judge.sheets import ScoreBook
from verifier.pipeline.collect import collect_evidence
from verifier.pipeline.execute import Begun, Executed, execute, recall
from verifier.pipeline.freeze import Case, Frozen, freeze
from verifier.pipeline.workbench import Workbench
from verifier.ports import Clock, Event, Executor, Finished, Ledger, Store
from verifier.study.plan import looks, study_trials
from verifier.study.trials import TrialPlan
from verifier.study.tries import UNSCORABLE, VERDICT, Account

Report = Callable[[Begun | Event | Finished[Executed]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What verifying needs of the world.

    prepare: called before scripts are run; raises where the sandbox or environment fails.
    entropy: 32 bytes from the system.
    """

    store: Store
    ledger: Ledger
    executor: Executor
    clock: Clock
    prepare: Callable[[], None]
    entropy: Callable[[], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A verdict with its bytes and its evidence folder: path -> bytes."""

    verdict: Verdict
    verdict_bytes: bytes
    evidence: Mapping[str, bytes]
    try_digest: str


@dataclass(slots=True)
class _Run:
    """A study under way: what is finished, and how to run more of it."""

    case: Case
    frozen: Frozen
    ports: Ports
    bench: Workbench
    report: Report
    rows: list[TrialRow] = field(default_factory=list)
    rankings: dict[str, bytes] = field(default_factory=dict)
    sandboxes: dict[str, SandboxRow] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether a script failed or its output was refused."""
        return any(row.findings for row in self.rows)

    def add(self, plans: Sequence[TrialPlan], *, group: str) -> None:
        """Run trials; stop early at the first that fails, for nothing can mend the outcome.

        What finished beside a failure is kept, and so is evidence: a second start finds as much
        and runs no more.
        """
        pending = []
        for plan in plans:
            known = recall(plan, self.bench)
            if known is None:
                pending.append(plan)
            else:
                self._take(known)
        if not pending or self.failed:
            return
        self.report(Begun(group=group, plans=tuple(pending), cached=len(plans) - len(pending)))
        self.ports.prepare()
        running = self.ports.executor.run(
            pending, lambda plan, emit: execute(plan, self.bench, emit)
        )
        stopped = False
        for said in running:
            self.report(said)
            if isinstance(said, Finished):
                self._take(said.value)
                if said.value.row.findings:
                    stopped = True
                    break
        running.close()
        if stopped:
            told = {row.id for row in self.rows}
            for plan in pending:
                known = None if plan.id in told else recall(plan, self.bench)
                if known is not None:
                    self._take(known)

    def _take(self, executed: Executed) -> None:
        self.rows.append(executed.row)
        self.sandboxes |= executed.profiles
        self._keep_rankings(executed.row)

    def _keep_rankings(self, row: TrialRow) -> None:
        if not row.rankings:
            return
        stored = self.ports.store.get(row.id)
        if stored is None:
            raise RuntimeError(f"trial {row.id[:12]} finished but is not in the store")
        for name, ranking in row.rankings.items():
            if ranking not in self.rankings:
                self.rankings[ranking] = self.ports.store.blob(stored, f"ranking-{name}")


def verify(
    case: Case,
    ports: Ports,
    bench: Workbench,
    *,
    confirm: Callable[[Account], None],
    report: Report,
) -> Verified:
    """Run the study of a case until its evidence decides, and return verdict and evidence."""
    frozen = freeze(case, ports.ledger, confirm=confirm, entropy=ports.entropy)
    run = _Run(case=case, frozen=frozen, ports=ports, bench=bench, report=report)
    book = ScoreBook()
    first, last = looks(frozen.frame)[0]
    run.add(
        (*study_trials(frozen.frame, first=first, last=last), *control_trials(frozen.frame)),
        group=f"look 1, {last} seeds an arm, with controls",
    )
    while not run.failed:
        need = assess(_evidence(run, "-"), book).need
        if need is None:
            break
        plans, group = _needed(frozen, need)
        run.add(plans, group=group)
    return _record(run)


def _needed(frozen: Frozen, need: Need) -> tuple[tuple[TrialPlan, ...], str]:
    if need.seeds is None:
        trials = control_trials(frozen.frame, strike=need.strike, only=need.controls)
        return trials, f"controls {', '.join(need.controls)}"
    bounds = looks(frozen.frame)
    number, (first, last) = next(
        (k, b) for k, b in enumerate(bounds, start=1) if b[1] == need.seeds
    )
    return study_trials(frozen.frame, first=first, last=last), f"look {number}, {last} seeds an arm"


def _record(run: _Run) -> Verified:
    """Judge the evidence by the one road there is, and log the verdict once.

    VerifierError if this try was judged before on other results: a try has one set of results.
    """
    ledger, attempt = run.ports.ledger, run.frozen.row.digest
    results = _results_digest(run.rows)
    earlier = _earlier(ledger, attempt)
    if earlier is not None:
        if earlier["results"] != results:
            raise VerifierError(
                "this try was judged before, on other results",
                where=f"{run.case.name}: try {attempt[:19]}",
                hint="its trials were lost or changed since: only a new try can be judged now",
            )
        return _judged(run, str(earlier["evaluated_at"]))
    done = _judged(run, run.ports.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"))
    broken = done.verdict.outcome is Outcome.INVALID and not done.verdict.estimates
    ledger.append(
        UNSCORABLE if broken else VERDICT,
        {
            "claim": run.case.claim.id,
            "try": attempt,
            "finished": sum(not row.findings for row in run.rows),
            "evaluated_at": done.verdict.evaluated_at,
            "outcome": str(done.verdict.outcome),
            "status": str(done.verdict.status),
            "reason_code": str(done.verdict.reason_code),
            "results": results,
            "evidence": evidence_digest(done.evidence),
            "verdict": digest(done.verdict_bytes),
        },
    )
    return done


def _results_digest(rows: Sequence[TrialRow]) -> str:
    """Digest which trials there are and what came out of each."""
    results = [
        [row.id, sorted(row.rankings.items()), [f.rule for f in row.findings]] for row in rows
    ]
    return document_digest(sorted(results))


def _earlier(ledger: Ledger, attempt: str) -> Mapping[str, object] | None:
    """Return what the ledger holds of this try's verdict, or None."""
    for entry in reversed(ledger.entries()):
        body = entry["body"]
        if (
            isinstance(body, Mapping)
            and entry["kind"] in {VERDICT, UNSCORABLE}
            and body["try"] == attempt
        ):
            return body
    return None


def _evidence(run: _Run, evaluated_at: str) -> Evidence:
    return collect_evidence(
        run.case,
        run.frozen,
        run.rows,
        run.rankings,
        sandboxes=run.sandboxes,
        evaluated_at=evaluated_at,
    )


def _judged(run: _Run, evaluated_at: str) -> Verified:
    files = pack(_evidence(run, evaluated_at))
    verdict = judge(files)
    return Verified(
        verdict=verdict,
        verdict_bytes=verdict_bytes(verdict),
        evidence=files,
        try_digest=run.frozen.row.digest,
    )
