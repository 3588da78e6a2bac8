"""Try a script: one quick trial an arm on the dev split, in the real sandbox; spends no alpha."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from verifier.documents.evidence import Finding
from verifier.documents.prf import prf
from verifier.documents.ranking import Qrels, decode_ranking
from verifier.documents.task import Task
from verifier.judge.sheets import weighted_design
from verifier.pipeline.execute import Begun, Executed, execute
from verifier.pipeline.freeze import Case, make_frame
from verifier.pipeline.workbench import Workbench
from verifier.ports import Event, Executor, Finished
from verifier.scoring.measures import score
from verifier.study.trials import TrialPlan, plan_trial

DEV = "dev"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One arm's quick trial: its dev score, its cost, or what went wrong."""

    trial: str
    setting: str
    regime: str
    arm: str
    score: float | None
    wall_s: float
    peak_memory_bytes: int | None
    findings: tuple[Finding, ...]


def dev_task(task: Task) -> Task:
    """Return the task with the dev split in the place of the test split."""
    return replace(task, query_sets={DEV: task.dev})


def try_claim(
    case: Case,
    bench: Workbench,
    executor: Executor,
    *,
    arms: tuple[str, ...],
    report: Callable[[Begun | Event | Finished[Executed]], None],
) -> tuple[Tried, ...]:
    """Run seed 0 of some arms in every condition on the dev split and score it."""
    nonce = prf(bench.secret, "try", case.closure_digest)
    frame = make_frame(case, nonce=nonce, block=0)
    settings = tuple(replace(s, task=f"{s.task} {DEV}", query_sets=(DEV,)) for s in frame.settings)
    frame = replace(frame, settings=settings)
    tasks = {name: dev_task(task) for name, task in bench.tasks.items()}
    quick = replace(bench, tasks=tasks, keep_failures=False)
    plans = tuple(
        plan_trial(frame, setting, regime, arm=arm, level=frame.claim.arms[arm], index=0)
        for setting, regime in frame.conditions
        for arm in arms
    )
    report(Begun(group="trials on the dev split", plans=plans, cached=0))
    done: dict[int, Executed] = {}
    for said in executor.run(plans, lambda plan, emit: execute(plan, quick, emit)):
        report(said)
        if isinstance(said, Finished):
            done[said.item] = said.value
    return tuple(_tried(case, quick, plans[item], done[item]) for item in sorted(done))


def _tried(case: Case, bench: Workbench, plan: TrialPlan, executed: Executed) -> Tried:
    row = executed.row
    peaks = [r.peak_memory_bytes for r in row.stages if r.peak_memory_bytes is not None]
    return Tried(
        trial=row.id,
        setting=row.setting,
        regime=row.regime,
        arm=row.arm,
        score=None if row.findings else _score(case, bench, plan),
        wall_s=sum(run.wall_s for run in row.stages),
        peak_memory_bytes=max(peaks, default=None),
        findings=row.findings,
    )


def _score(case: Case, bench: Workbench, plan: TrialPlan) -> float:
    """Return the mean over the dev queries in the card's primary languages."""
    stored = bench.store.get(plan.id)
    if stored is None:
        raise RuntimeError(f"trial {plan.id[:12]} finished but is not in the store")
    queries = bench.tasks[plan.setting].query_sets[DEV]
    data = bench.store.blob(stored, f"ranking-{DEV}")
    ranking = decode_ranking(data, where=f"trial {plan.id[:12]}")
    qrels = Qrels.of([q.relevant for q in queries])
    scores = score(ranking, qrels, case.claim.criterion.measure).expected
    card = next(s.card for s in case.settings if s.use.name == plan.setting)
    keep = np.asarray([q.language in card.languages.primary for q in queries])
    chosen = [q for q, kept in zip(queries, keep.tolist(), strict=True) if kept]
    design = weighted_design(
        [q.language for q in chosen],
        [q.cluster for q in chosen],
        case.claim.criterion.weights,
    )
    return float(design.total(scores[keep]))
