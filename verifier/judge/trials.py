"""Are the trials those that the claim, the frozen nonce and the battery ask for, all of them?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import NoReturn

from verifier.controls.battery import BATTERY, control_trials
from verifier.documents.canonical import document_digest
from verifier.documents.edition import QUERY_SET
from verifier.documents.evidence import STUDY, SettingRow, TrialRow
from verifier.documents.words import Stage
from verifier.judge.bundle import Evidence
from verifier.judge.sheets import primary_queries
from verifier.sealing.plant import PLANTED
from verifier.study.frame import Frame, SettingFrame, study_depth
from verifier.study.plan import study_trials
from verifier.study.trials import TrialPlan

Fail = Callable[[str], NoReturn]


def check_trials(evidence: Evidence, *, fail: Fail) -> None:
    """Call `fail` at the first trial that is not one that was planned, or that is missing.

    Seeds, nuisance values and the draws of controls follow from the nonce of the freeze.  A
    study that stopped at a script's failure is let off completeness: it decides nothing.
    """
    try:
        frame = public_frame(evidence)
    except ValueError:
        fail("the ledger holds no nonce of this try")
    planned = _planned(frame)
    rows = evidence.study.trials
    if len({row.id for row in rows}) != len(rows):
        fail("a trial stands twice")
    for row in rows:
        plan = planned.get(row.id)
        if plan is None:
            fail(f"trial {row.id[:12]} is not one that this try plans")
        _check_plan(plan, row, fail)
        _check_result(evidence, row, fail)
    _check_profiles(evidence, fail)
    if not any(row.findings for row in rows):
        _check_complete(frame, planned, {row.id for row in rows}, fail)


def public_frame(evidence: Evidence) -> Frame:
    """Return the frame that the evidence names, its nonce from the try's entry in the ledger."""
    study, claim = evidence.study, evidence.claim
    nonce = evidence.study.try_.ledger[-1].body.get("nonce")
    uses = {use.name: use for use in claim.settings}

    def frame_of(row: SettingRow) -> SettingFrame:
        return SettingFrame(
            use=uses[row.name],
            card=row.card,
            task=row.task,
            depth=study_depth(claim.criterion.measure),
            query_sets=tuple(evidence.judgements[row.name].query_sets),
            model=row.model,
        )

    return Frame(
        claim=claim,
        decision=study.try_.decision,
        closure=study.closure_digest,
        environment=study.environment.digest,
        settings=tuple(frame_of(row) for row in study.settings),
        nonce=bytes.fromhex(str(nonce)),
        block=study.try_.block,
        threads=study.threads,
        device=study.device,
        instructions=study.instructions,
    )


def _planned(frame: Frame) -> dict[str, TrialPlan]:
    """Return every trial this try can ask for, by id."""
    repeatable = [control.id for control in BATTERY if control.second_strike]
    trials = (
        *study_trials(frame, first=0, last=frame.claim.seeds.looks[-1]),
        *control_trials(frame),
        *control_trials(frame, only=[control.id for control in BATTERY if control.on_demand]),
        *control_trials(frame, strike=2, only=repeatable),
    )
    return {trial.id: trial for trial in trials}


def _check_plan(plan: TrialPlan, row: TrialRow, fail: Fail) -> None:
    """The row says of itself what the plan says of it."""
    name = row.id[:12]
    for field in (
        "setting", "regime", "arm", "index", "role", "strike", "seed", "seal", "replicate",
        "variant",
    ):  # fmt: skip
        if getattr(plan, field) != getattr(row, field):
            fail(f"trial {name}: its {field} is {getattr(row, field)}, planned was another")
    if document_digest(plan.parameters) != document_digest(row.parameters):
        fail(f"trial {name}: its parameters are not those that were planned")
    planned = [(s.stage, s.id) for s in plan.stages]
    ran = [(s.stage, s.id) for s in row.stages]
    if not ran or ran != planned[: len(ran)] or (ran != planned and not row.findings):
        fail(f"trial {name}: its stages are not those that were planned")


def _check_result(evidence: Evidence, row: TrialRow, fail: Fail) -> None:
    """A trial without findings ended well and left a ranking for every query set."""
    name = row.id[:12]
    for ranking in row.rankings.values():
        if ranking not in evidence.rankings:
            fail(f"trial {name}: its ranking is not in the folder")
    if row.findings:
        return
    if any(run.ending != "exited" or run.exit_code != 0 for run in row.stages):
        fail(f"trial {name} did not end well, but has no finding that says so")
    if set(row.rankings) != set(evidence.judgements[row.setting].query_sets):
        fail(f"trial {name} has no ranking of every query set, and no finding that says why")
    assigned = any(run.stage is Stage.ASSIGN for run in row.stages)
    if (row.stream is not None) != assigned or (row.effort is not None) != assigned:
        fail(f"trial {name}: a training stream goes with an assign stage, and only with one")
    _check_planted(evidence, row, fail)


def _check_planted(evidence: Evidence, row: TrialRow, fail: Fail) -> None:
    table = evidence.judgements[row.setting].query_sets[QUERY_SET]
    primary = primary_queries(evidence.cards[row.setting], table).tolist()
    wanted = min(PLANTED, len(primary)) if row.variant.planted else 0
    planted = list(row.planted)
    if (
        len(planted) != wanted
        or sorted(set(planted)) != planted
        or not set(planted) <= set(primary)
    ):
        fail(f"trial {row.id[:12]}: want {wanted} planted queries, primary ones, ascending")


def _check_profiles(evidence: Evidence, fail: Fail) -> None:
    profiles = evidence.study.sandboxes
    for name, profile in profiles.items():
        if document_digest(profile.model_dump(mode="json")) != name:
            fail("a sandbox profile is not the one that its digest names")
    used = {run.sandbox for row in evidence.study.trials for run in row.stages}
    if used != set(profiles):
        fail("the sandbox profiles are not those that the trials ran in")


def _check_complete(
    frame: Frame, planned: dict[str, TrialPlan], found: set[str], fail: Fail
) -> None:
    """Every look is whole, and so is every control: those that always run, and any begun."""
    seeds = Counter(
        (plan.setting, plan.regime, plan.arm)
        for plan in planned.values()
        if plan.role == STUDY and plan.id in found
    )
    ends = frame.claim.seeds.looks
    for setting, regime in frame.conditions:
        for arm in frame.claim.arms:
            count = seeds[setting.use.name, regime, arm]
            if count not in ends:
                fail(f"arm {arm} has {count} seeds, looks are at {', '.join(map(str, ends))}")
    for plan in planned.values():
        inside = plan.index < seeds[plan.setting, plan.regime, plan.arm]
        if plan.role == STUDY and inside and plan.id not in found:
            fail(f"seed {plan.index} of arm {plan.arm} was left out")
    groups: dict[tuple[str, str, str, int], list[bool]] = defaultdict(list)
    for plan in planned.values():
        if plan.role != STUDY:
            groups[plan.setting, plan.regime, plan.role, plan.strike].append(plan.id in found)
    on_demand = {control.id for control in BATTERY if control.on_demand}
    for (_, regime, role, strike), there in groups.items():
        asked = strike == 1 and role not in on_demand
        if not all(there) and (asked or any(there)):
            fail(f"control {role} in {regime}: a trial of it was left out")
