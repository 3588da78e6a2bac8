"""Run one trial: seal, execute its stages, collect, check, keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import Field

from verifier.documents.base import Model
from verifier.documents.canonical import digest
from verifier.documents.evidence import Finding, SandboxRow, Sha256, StageRun, TrialRow
from verifier.documents.ranking import encode_ranking
from verifier.documents.stream import Stream, decode_stream, encode_stream
from verifier.documents.words import Stage
from verifier.errors import OutputError
from verifier.pipeline.stages import (
    Emit,
    StageFailedError,
    StageResult,
    check_ending,
    refused_output,
    run_stage,
    seal_root,
    stage_trial,
)
from verifier.pipeline.workbench import Workbench, World
from verifier.sealing.seal import SealKeys, seal_task, stage_inputs
from verifier.sealing.stream import read_stream, write_stream
from verifier.study.trials import StagePlan, TrialPlan
from verifier.tasks.ranking import expected_outputs, read_rankings, required_outputs

STREAM = "stream.tsv"
_STREAM_BYTES = 256 << 20


class Record(Model):
    """What the store keeps of a finished trial, or of its `assign` stage, beside the blobs."""

    stages: tuple[StageRun, ...]
    profiles: dict[Sha256, SandboxRow]
    rankings: dict[str, Sha256] = Field(default_factory=dict)
    stream: Sha256 | None = None
    effort: Sha256 | None = None
    planted: tuple[int, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """A trial's row for the evidence, and the sandbox profiles it names."""

    row: TrialRow
    profiles: Mapping[str, SandboxRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A group of trials is about to run: those that are not in the store yet."""

    group: str
    plans: tuple[TrialPlan, ...]
    cached: int


@dataclass(slots=True)
class _Work:
    """One trial under way: what its stages have left so far."""

    plan: TrialPlan
    bench: Workbench
    world: World
    emit: Emit
    stages: list[StageRun] = field(default_factory=list)
    profiles: dict[str, SandboxRow] = field(default_factory=dict)
    rankings: dict[str, bytes] = field(default_factory=dict)
    stream: Stream | None = None

    def note(self, run: StageRun, profile: SandboxRow) -> None:
        self.stages.append(run)
        self.profiles[run.sandbox] = profile

    def record(self) -> Record:
        return Record(
            stages=tuple(self.stages),
            profiles=dict(self.profiles),
            rankings={name: digest(data) for name, data in self.rankings.items()},
            stream=None if self.stream is None else digest(encode_stream(self.stream)),
            effort=None if self.stream is None else self.stream.effort_digest(),
            planted=self.world.planted,
        )


def execute(plan: TrialPlan, bench: Workbench, emit: Emit) -> Executed:
    """Run a trial, or take it from the store, and return its row for the evidence.

    A script that fails or hands over something refused gives a row with findings, and is kept
    like any other: a trial that could be run again until it does not fail would let its author
    choose among results.  VerifierError only for faults of ours; those are not kept.
    """
    with bench.store.trial_lock(plan.id):
        known = recall(plan, bench)
        if known is not None:
            return known
        emit({"trial": plan.id, "state": "started"})
        work = _Work(plan, bench, bench.world(plan.setting, plan.variant), emit)
        try:
            for stage in plan.stages:
                _assign(work, stage) if stage.stage is Stage.ASSIGN else _train(work, stage)
        except StageFailedError as failed:
            work.note(failed.stage.run, failed.stage.profile)
            record = work.record().model_copy(update={"findings": (failed.finding,)})
            if bench.keep_failures:
                bench.store.put(plan.id, {"json": record.model_dump_json()}, {})
            return _executed(plan, bench, record)
        record = work.record()
        blobs = {f"ranking-{name}": data for name, data in work.rankings.items()}
        bench.store.put(plan.id, {"json": record.model_dump_json()}, blobs)
        return _executed(plan, bench, record)


def recall(plan: TrialPlan, bench: Workbench) -> Executed | None:
    """Return a trial that the store holds finished, or None."""
    stored = bench.store.get(plan.id)
    if stored is None:
        return None
    return _executed(plan, bench, Record.model_validate_json(str(stored.record["json"])))


def _assign(work: _Work, stage: StagePlan) -> None:
    """Have the training stream written, or take it from the store, and check it."""
    bench = work.bench
    stored = bench.store.get(stage.id)
    if stored is not None:
        record = Record.model_validate_json(str(stored.record["json"]))
        where = f"the stream of stage {stage.id[:12]}"
        work.stream = decode_stream(bench.store.blob(stored, "stream"), where=where)
        work.note(record.stages[0], record.profiles[record.stages[0].sandbox])
        return
    task = work.world.task
    sealed = seal_task(task, SealKeys.from_root(seal_root(bench, stage)))
    trial = stage_trial(stage, work.plan, bench)
    inputs = stage_inputs(task, sealed, trial, stream=None)
    left = run_stage(
        stage, work.plan, bench, inputs=inputs, outputs={STREAM: _STREAM_BYTES}, emit=work.emit
    )
    check_ending(left, [STREAM])
    try:
        work.stream = read_stream(left.result.outputs[STREAM], task, sealed, where=STREAM)
    except OutputError as error:
        raise refused_output(error, left) from error
    work.note(left.run, left.profile)
    _keep_stream(work, stage, left, work.stream)


def _keep_stream(work: _Work, stage: StagePlan, left: StageResult, stream: Stream) -> None:
    data = encode_stream(stream)
    record = Record(
        stages=(left.run,), profiles={left.run.sandbox: left.profile}, stream=digest(data)
    )
    work.bench.store.put(stage.id, {"json": record.model_dump_json()}, {"stream": data})


def _train(work: _Work, stage: StagePlan) -> None:
    """Have the encoder trained and the queries answered; unseal and rank."""
    bench, task = work.bench, work.world.task
    sealed = seal_task(task, SealKeys.from_root(seal_root(bench, stage)))
    stream = None if work.stream is None else write_stream(work.stream, sealed)
    inputs = stage_inputs(task, sealed, stage_trial(stage, work.plan, bench), stream=stream)
    depth = bench.depths[work.plan.setting]
    wanted = expected_outputs(task, bench.outputs, depth=depth)
    left = run_stage(stage, work.plan, bench, inputs=inputs, outputs=wanted, emit=work.emit)
    check_ending(left, required_outputs(task, bench.outputs))
    try:
        rankings = read_rankings(left.result.outputs, sealed, kind=bench.outputs, depth=depth)
    except OutputError as error:
        raise refused_output(error, left) from error
    work.rankings = {name: encode_ranking(ranking) for name, ranking in rankings.items()}
    work.note(left.run, left.profile)


def _executed(plan: TrialPlan, bench: Workbench, record: Record) -> Executed:
    row = TrialRow(
        id=plan.id,
        setting=plan.setting,
        regime=plan.regime,
        arm=plan.arm,
        index=plan.index,
        role=plan.role,
        strike=plan.strike,
        seed=plan.seed,
        seal=plan.seal,
        replicate=plan.replicate,
        variant=plan.variant,
        parameters=plan.parameters,
        seal_key=seal_root(bench, plan.stages[-1]).hex(),
        stages=record.stages,
        rankings=record.rankings,
        stream=record.stream,
        effort=record.effort,
        planted=record.planted,
        findings=record.findings,
    )
    return Executed(row=row, profiles=record.profiles)
