"""One trial as planned: its parts, and the content keys that make it findable again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import JsonValue

from verifier.documents.canonical import document_digest
from verifier.documents.claim import STATIC
from verifier.documents.evidence import STUDY, Variant
from verifier.documents.trial import PROTOCOL
from verifier.documents.words import Stage
from verifier.study.frame import Frame, SettingFrame, regime_parameters
from verifier.study.seeds import nuisance_values, trial_seed


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePlan:
    """One stage of a trial: its command and its content key, over unsealed content.

    seal: what its seal keys derive from: the content key but for the replicate number, because
    a replicate is the same key and seed once more (C1).
    """

    stage: Stage
    argv: tuple[str, ...]
    parameters: dict[str, JsonValue]
    key: dict[str, JsonValue]
    id: str
    seal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPlan:
    """One trial: an arm with a seed in a setting and regime, for the study or a control."""

    id: str
    setting: str
    encoder: str
    regime: str
    arm: str
    index: int
    role: str
    strike: int
    seed: int
    seal: int
    replicate: int
    variant: Variant
    parameters: dict[str, JsonValue]
    stages: tuple[StagePlan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """Why a trial is run and what in it differs from the study's trial of its arm and index.

    variant: None for the study's own (see `study_variant`).
    """

    role: str = STUDY
    strike: int = 1
    seal: int = 0
    replicate: int = 0
    variant: Variant | None = None


def study_variant(frame: Frame, setting: SettingFrame) -> Variant:
    """Return the world a study runs in: re-spelled for encoders trained from scratch.

    A script that knows the texts does not know these; each block of seeds has its own alphabet.
    """
    return Variant(spelling=frame.block + 1 if setting.use.encoder == STATIC else 0)


def plan_trial(
    frame: Frame,
    setting: SettingFrame,
    regime: str,
    *,
    arm: str,
    level: JsonValue,
    index: int,
    purpose: Purpose | None = None,
) -> TrialPlan:
    """Plan one trial; equal content gives an equal id, whoever asks and why."""
    purpose = purpose or Purpose()
    variant = purpose.variant or study_variant(frame, setting)
    purpose = replace(purpose, variant=variant)
    shared: dict[str, JsonValue] = {
        **frame.claim.reproduction.fixed,
        **regime_parameters(regime),
    }
    seeded = {**shared, frame.claim.factor: level}
    seed = trial_seed(frame, setting, seeded, index)
    common = {**shared, **nuisance_values(frame, setting, index)}
    stages = plan_stages(frame, setting, common, level, seed, purpose)
    return TrialPlan(
        id=stages[-1].id,
        setting=setting.use.name,
        encoder=setting.use.encoder,
        regime=regime,
        arm=arm,
        index=index,
        role=purpose.role,
        strike=purpose.strike,
        seed=seed,
        seal=purpose.seal,
        replicate=purpose.replicate,
        variant=variant,
        parameters={**common, frame.claim.factor: level},
        stages=stages,
    )


def plan_stages(
    frame: Frame,
    setting: SettingFrame,
    common: dict[str, JsonValue],
    level: JsonValue,
    seed: int,
    purpose: Purpose,
) -> tuple[StagePlan, ...]:
    """Return a trial's stages with their ids, from public parts alone: no nonce is needed.

    common: the parameters that all stages see; level: what those named in `sees_arm` see more.
    """
    reproduction = frame.claim.reproduction
    commands = (
        (Stage.ASSIGN, reproduction.stages.assign),
        (Stage.TRAIN, reproduction.stages.train),
    )
    stages: list[StagePlan] = []
    for stage, argv in commands:
        if argv is None:
            continue
        parameters = dict(common)
        if stage in reproduction.sees_arm:
            parameters[frame.claim.factor] = level
        key = _stage_key(frame, setting, parameters, seed, purpose)
        key |= {"stage": str(stage), "argv": list(argv), "after": [s.id for s in stages]}
        same = {**key, "replicate": 0, "after": [s.seal for s in stages]}
        stages.append(
            StagePlan(
                stage=stage,
                argv=argv,
                parameters=parameters,
                key=key,
                id=document_digest(key).removeprefix("sha256:"),
                seal=document_digest(same).removeprefix("sha256:"),
            )
        )
    return tuple(stages)


def _stage_key(
    frame: Frame,
    setting: SettingFrame,
    parameters: dict[str, JsonValue],
    seed: int,
    purpose: Purpose,
) -> dict[str, JsonValue]:
    claim = frame.claim
    return {
        "protocol": PROTOCOL,
        "closure": frame.closure,
        "environment": frame.environment,
        "card": setting.card,
        "task": setting.task,
        "model": setting.model,
        "variant": None if purpose.variant is None else purpose.variant.model_dump(),
        "parameters": parameters,
        "seed": seed,
        "outputs": claim.reproduction.outputs,
        "depth": setting.depth,
        "threads": frame.threads,
        "device": frame.device,
        "instructions": frame.instructions,
        "limits": claim.limits.model_dump(),
        "seal": purpose.seal,
        "replicate": purpose.replicate,
    }
