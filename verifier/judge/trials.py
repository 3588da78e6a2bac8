"""Are the trials those that the claim and the battery ask for, each with the id its parts give?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import NoReturn

from pydantic import JsonValue

from verifier.controls.battery import battery
from verifier.controls.control import Control
from verifier.documents.canonical import document_digest
from verifier.documents.edition import QUERY_SET
from verifier.documents.evidence import STUDY, SettingRow, TrialRow
from verifier.documents.words import Stage
from verifier.judge.bundle import Evidence
from verifier.judge.sheets import primary_queries
from verifier.sealing.plant import PLANTED
from verifier.study.frame import Frame, SettingFrame, regime_parameters, study_depth
from verifier.study.trials import Purpose, TrialPlan, plan_stages

Fail = Callable[[str], NoReturn]
_DRAWN_ARM = frozenset({"C1", "C3"})
_WHOLE = frozenset({"C9"})  # neither arm nor index is drawn


def check_trials(evidence: Evidence, *, fail: Fail) -> None:
    """Call `fail` at the first trial that is not what it is said to be, or that is missing.

    A study that stopped at a script's failure is let off completeness: it decides nothing.
    """
    frame = public_frame(evidence)
    conditions = {(s.use.name, r): s for s, r in frame.conditions}
    for row in evidence.study.trials:
        setting = conditions.get((row.setting, row.regime))
        if setting is None:
            fail(f"trial {row.id[:12]} is of {row.setting}, {row.regime}: the study has no such")
        _check_parts(frame, setting, row, fail)
        _check_result(evidence, row, fail)
    _check_once(evidence.study.trials, fail)
    _check_draws(frame, evidence.study.trials, fail)
    _check_profiles(evidence, fail)
    if any(row.findings for row in evidence.study.trials):
        return
    for setting, regime in frame.conditions:
        mine = [
            t for t in evidence.study.trials if (t.setting, t.regime) == (setting.use.name, regime)
        ]
        _check_study(frame, mine, fail)
        known = {STUDY, *(control.id for control in battery(evidence.claim, setting.use.encoder))}
        if strange := {row.role for row in mine} - known:
            fail(f"the battery has no control {min(strange)} for this encoder")
        for control in battery(evidence.claim, setting.use.encoder):
            _check_control(frame, setting, regime, control, mine, fail)


def public_frame(evidence: Evidence) -> Frame:
    """Return the frame that the evidence names, without the store's nonce: ids need none."""
    study, claim = evidence.study, evidence.claim
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
        nonce=b"",
        block=study.try_.block,
        threads=study.threads,
        device=study.device,
        instructions=study.instructions,
    )


def _check_parts(frame: Frame, setting: SettingFrame, row: TrialRow, fail: Fail) -> None:
    """Its parameters are its arm's, and its id and its stages' ids are what its parts give."""
    name, claim = row.id[:12], frame.claim
    levels = claim.arms | (claim.assay.get(claim.factor, {}) if row.role in _WHOLE else {})
    if row.arm not in levels or not _same(row.parameters.get(claim.factor), levels[row.arm]):
        fail(f"trial {name}: its parameters are not those of arm {row.arm}")
    common = {k: v for k, v in row.parameters.items() if k != claim.factor}
    nuisance = claim.reproduction.nuisance
    shared = {**claim.reproduction.fixed, **regime_parameters(row.regime)}
    drawn = {k: v for k, v in common.items() if k in nuisance}
    if not _same({k: v for k, v in common.items() if k not in nuisance}, shared):
        fail(f"trial {name}: its parameters are not those of the claim in regime {row.regime}")
    if set(drawn) != set(nuisance) or any(
        not any(_same(v, value) for value in nuisance[k]) for k, v in drawn.items()
    ):
        fail(f"trial {name}: its nuisance values are not of those the claim lists")
    purpose = Purpose(
        role=row.role,
        strike=row.strike,
        seal=row.seal,
        replicate=row.replicate,
        variant=row.variant,
    )
    stages = plan_stages(frame, setting, common, levels[row.arm], row.seed, purpose)
    if row.id != stages[-1].id:
        fail(f"trial {name}: its parts give the id {stages[-1].id[:12]}")
    planned = [(s.stage, s.id) for s in stages]
    ran = [(s.stage, s.id) for s in row.stages]
    if not ran or ran != planned[: len(ran)] or (ran != planned and not row.findings):
        fail(f"trial {name}: its stages are not those that its parts give")


def _same(one: JsonValue, other: JsonValue) -> bool:
    return document_digest(one) == document_digest(other)


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
    wanted = min(PLANTED, len(primary)) if row.variant.kind == "plant" else 0
    planted = list(row.planted)
    if (
        len(planted) != wanted
        or sorted(set(planted)) != planted
        or not set(planted) <= set(primary)
    ):
        fail(f"trial {row.id[:12]}: want {wanted} planted queries, primary ones, ascending")


def _check_once(rows: Sequence[TrialRow], fail: Fail) -> None:
    if len({row.id for row in rows}) != len(rows):
        fail("a trial stands twice")


def _check_draws(frame: Frame, rows: Sequence[TrialRow], fail: Fail) -> None:
    """One seed a place; one draw of nuisance values an index; no seed of an arm twice."""
    nuisance = frame.claim.reproduction.nuisance
    seeds: dict[tuple[str, str, str, int], int] = {}
    draws: dict[tuple[str, int], JsonValue] = {}
    for row in rows:
        seed = seeds.setdefault((row.setting, row.regime, row.arm, row.index), row.seed)
        if seed != row.seed:
            fail(f"trial {row.id[:12]} has another seed than its arm's seed {row.index}")
        mine: JsonValue = {name: row.parameters[name] for name in sorted(nuisance)}
        if not _same(draws.setdefault((row.setting, row.index), mine), mine):
            fail(f"trial {row.id[:12]}: nuisance values differ inside seed index {row.index}")
    equal = Counter((*place[:3], seed) for place, seed in seeds.items())
    if equal and max(equal.values()) > 1:
        fail("two seeds of an arm are equal")


def _check_profiles(evidence: Evidence, fail: Fail) -> None:
    profiles = evidence.study.sandboxes
    for name, profile in profiles.items():
        if document_digest(profile.model_dump(mode="json")) != name:
            fail("a sandbox profile is not the one that its digest names")
    used = {run.sandbox for row in evidence.study.trials for run in row.stages}
    if used != set(profiles):
        fail("the sandbox profiles are not those that the trials ran in")


def _check_study(frame: Frame, rows: Sequence[TrialRow], fail: Fail) -> None:
    plain = Purpose()
    mine = [row for row in rows if row.role == STUDY]
    for row in mine:
        purpose = (row.strike, row.seal, row.replicate, row.variant)
        if purpose != (plain.strike, plain.seal, plain.replicate, plain.variant):
            fail(f"trial {row.id[:12]} is not a trial of the study")
    counts = Counter(row.arm for row in mine)
    ends = frame.claim.seeds.looks
    for arm in frame.claim.arms:
        if counts[arm] not in ends:
            fail(f"arm {arm} has {counts[arm]} seeds, looks are at {', '.join(map(str, ends))}")
        if {row.index for row in mine if row.arm == arm} != set(range(counts[arm])):
            fail(f"the seeds of arm {arm} are not 0 to {counts[arm] - 1}: a seed was left out")


def _check_control(
    frame: Frame,
    setting: SettingFrame,
    regime: str,
    control: Control,
    rows: Sequence[TrialRow],
    fail: Fail,
) -> None:
    """Its trials are those the battery plans, but for what the store's nonce has drawn."""
    strikes = defaultdict(list)
    for row in rows:
        if row.role == control.id:
            strikes[row.strike].append(row)
    if set(strikes) - ({1, 2} if control.second_strike else {1}):
        fail(f"control {control.id} has no second strike")
    for strike in (1, 2):
        planned = control.plan(frame, setting, regime, strike)
        found = strikes.get(strike, [])
        asked = strike == 1 and not control.on_demand
        if not found and not (asked and planned):
            continue
        if _shapes(control.id, planned) != _shapes(control.id, found):
            fail(f"control {control.id} in {regime}: its trials are not those of the battery")
        arms = {row.arm for row in found} if control.id in _DRAWN_ARM else {""}
        indices = {row.index for row in found} if control.id not in _WHOLE else {0}
        if len(arms) != 1 or len(indices) != 1 or max(indices) >= frame.claim.seeds.looks[0]:
            fail(f"control {control.id} in {regime} repeats another trial than one of look 1")


def _shapes(control: str, trials: Sequence[TrialRow | TrialPlan]) -> Counter[tuple[object, ...]]:
    return Counter(
        (
            t.seal,
            t.replicate,
            t.variant.kind,
            t.variant.key,
            "" if control in _DRAWN_ARM else t.arm,
            t.index if control in _WHOLE else 0,
        )
        for t in trials
    )
