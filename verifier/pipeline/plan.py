"""Plan a claim without running it: trials, what is kept already, time, alpha."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from verifier.controls.battery import control_trials
from verifier.pipeline.execute import recall
from verifier.pipeline.freeze import Case, lineage_of, make_frame, try_of
from verifier.pipeline.workbench import Workbench
from verifier.ports import Ledger
from verifier.stats.alpha import look_alphas
from verifier.study.plan import looks, study_trials
from verifier.study.trials import TrialPlan
from verifier.study.tries import FREEZE, Account, account


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Trials that run together: how many, how many are kept, seconds where they are known."""

    name: str
    trials: int
    kept: int
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What verifying a claim would do and cost."""

    claim: str
    account: Account
    attempt: str
    alpha_per_look: float
    slots: int
    groups: tuple[Group, ...]
    seconds_per_trial: float | None


def plan(case: Case, ledger: Ledger, bench: Workbench, *, slots: int) -> Plan:
    """Return the plan of a case; nothing is frozen and nothing is run."""
    attempt = try_of(case)
    found = account(ledger.entries(), lineage=lineage_of(case), attempt=attempt)
    frame = make_frame(case, nonce=frozen_nonce(ledger.entries(), attempt), block=found.block)
    parts = [
        (f"look {k}: {last} seeds an arm", study_trials(frame, first=first, last=last))
        for k, (first, last) in enumerate(looks(frame), start=1)
    ]
    parts.insert(1, ("controls, with the first look", control_trials(frame)))
    parts.append(("control C9, before refuting", control_trials(frame, only=("C9",))))
    repeats = ("C1", "C3", "C7")
    parts.append(
        ("second strikes, where a control fails", control_trials(frame, strike=2, only=repeats))
    )
    walls = [w for _, trials in parts for w in _walls(trials, bench)]
    mean = sum(walls) / len(walls) if walls else None
    return Plan(
        claim=case.claim.id,
        account=found,
        attempt=attempt,
        alpha_per_look=look_alphas(found.alpha, len(case.claim.seeds.looks))[0],
        slots=slots,
        groups=tuple(_group(name, trials, bench, mean, slots) for name, trials in parts),
        seconds_per_trial=mean,
    )


def frozen_nonce(entries: Sequence[Mapping[str, object]], attempt: str) -> bytes:
    """Return the nonce a try was frozen with; one of zeros where it is not frozen yet."""
    for entry in entries:
        body = entry["body"]
        if entry["kind"] == FREEZE and isinstance(body, Mapping) and body["try"] == attempt:
            return bytes.fromhex(str(body["nonce"]))
    return bytes(32)


def _walls(trials: Sequence[TrialPlan], bench: Workbench) -> list[float]:
    known = [recall(trial, bench) for trial in trials]
    return [sum(run.wall_s for run in k.row.stages) for k in known if k is not None]


def _group(
    name: str, trials: Sequence[TrialPlan], bench: Workbench, mean: float | None, slots: int
) -> Group:
    kept = sum(bench.store.get(trial.id) is not None for trial in trials)
    left = len(trials) - kept
    seconds = None if mean is None else left * mean / max(1, slots)
    return Group(name=name, trials=len(trials), kept=kept, seconds=seconds)
