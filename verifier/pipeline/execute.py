"""Run one trial: seal, execute its stages, collect, check, keep."""

from __future__ import annotations

from collections.abc import Mapping

from verifier.documents.canonical import digest
from verifier.documents.evidence import Finding, StageRun, TrialRow
from verifier.documents.ranking import encode_ranking
from verifier.documents.stream import Stream, decode_stream, encode_stream
from verifier.documents.words import Stage
from verifier.errors import OutputError
from verifier.pipeline.stages import (
    Emit,
    StageFailedError,
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


def execute(plan: TrialPlan, bench: Workbench, emit: Emit) -> TrialRow:
    """Run a trial, or take it from the store, and return its row for the evidence.

    A script that fails or hands over something refused gives a row with findings; it is not
    kept, so the next start tries it again.  VerifierError only for faults of ours.
    """
    with bench.store.trial_lock(plan.id):
        stored = bench.store.get(plan.id)
        if stored is not None:
            emit({"trial": plan.id, "state": "cached"})
            return _row(plan, bench, stored.record)
        emit({"trial": plan.id, "state": "started"})
        try:
            record, blobs = _run_stages(plan, bench, emit)
        except StageFailedError as failed:
            record = _record([failed.run], {}, None, bench.world(plan.setting, plan.variant))
            return _row(plan, bench, record, findings=(failed.finding,))
        bench.store.put(plan.id, record, blobs)
        return _row(plan, bench, record)


def _run_stages(
    plan: TrialPlan, bench: Workbench, emit: Emit
) -> tuple[dict[str, object], dict[str, bytes]]:
    world = bench.world(plan.setting, plan.variant)
    stream: Stream | None = None
    runs: list[StageRun] = []
    blobs: dict[str, bytes] = {}
    for stage in plan.stages:
        if stage.stage is Stage.ASSIGN:
            run, stream = _assign(stage, plan, bench, world, emit)
            blobs["stream"] = encode_stream(stream)
        else:
            run, rankings = _train(stage, plan, bench, world, stream, emit)
            blobs |= {f"ranking-{name}": data for name, data in rankings.items()}
        runs.append(run)
    return _record(runs, blobs, stream, world), blobs


def _assign(
    stage: StagePlan, plan: TrialPlan, bench: Workbench, world: World, emit: Emit
) -> tuple[StageRun, Stream]:
    stored = bench.store.get(stage.id)
    if stored is not None:
        where = f"the stream of stage {stage.id[:12]}"
        stream = decode_stream(bench.store.blob(stored, "stream"), where=where)
        return StageRun.model_validate_json(str(stored.record["run"])), stream
    sealed = seal_task(world.task, SealKeys.from_root(seal_root(bench, stage.id)))
    inputs = stage_inputs(world.task, sealed, stage_trial(stage, plan, bench), stream=None)
    result, run = run_stage(
        stage, plan, bench, inputs=inputs, outputs={STREAM: _STREAM_BYTES}, emit=emit
    )
    check_ending(result, run, [STREAM])
    try:
        stream = read_stream(result.outputs[STREAM], world.task, sealed, where=STREAM)
    except OutputError as error:
        raise refused_output(error, run) from error
    record = {"kind": "assign", "run": run.model_dump_json()}
    bench.store.put(stage.id, record, {"stream": encode_stream(stream)})
    return run, stream


def _train(
    stage: StagePlan,
    plan: TrialPlan,
    bench: Workbench,
    world: World,
    stream: Stream | None,
    emit: Emit,
) -> tuple[StageRun, dict[str, bytes]]:
    task = world.task
    sealed = seal_task(task, SealKeys.from_root(seal_root(bench, stage.id)))
    written = None if stream is None else write_stream(stream, sealed)
    inputs = stage_inputs(task, sealed, stage_trial(stage, plan, bench), stream=written)
    depth = bench.depths[plan.setting]
    result, run = run_stage(
        stage,
        plan,
        bench,
        inputs=inputs,
        outputs=expected_outputs(task, bench.outputs, depth=depth),
        emit=emit,
    )
    check_ending(result, run, required_outputs(task, bench.outputs))
    try:
        rankings = read_rankings(result.outputs, task, sealed, kind=bench.outputs, depth=depth)
    except OutputError as error:
        raise refused_output(error, run) from error
    return run, {name: encode_ranking(ranking) for name, ranking in rankings.items()}


def _record(
    runs: list[StageRun], blobs: Mapping[str, bytes], stream: Stream | None, world: World
) -> dict[str, object]:
    """Return what the store keeps beside the blobs: plain JSON."""
    rankings = {
        name.removeprefix("ranking-"): digest(data)
        for name, data in blobs.items()
        if name.startswith("ranking-")
    }
    return {
        "kind": "trial",
        "stages": [run.model_dump_json() for run in runs],
        "rankings": rankings,
        "stream": digest(blobs["stream"]) if stream is not None else None,
        "pairs": stream.pairs_digest() if stream is not None else None,
        "planted": list(world.planted),
    }


def _row(
    plan: TrialPlan,
    bench: Workbench,
    record: Mapping[str, object],
    findings: tuple[Finding, ...] = (),
) -> TrialRow:
    body = {
        "id": plan.id,
        "setting": plan.setting,
        "regime": plan.regime,
        "arm": plan.arm,
        "index": plan.index,
        "role": plan.role,
        "strike": plan.strike,
        "seed": plan.seed,
        "seal": plan.seal,
        "replicate": plan.replicate,
        "variant": plan.variant,
        "parameters": plan.parameters,
        "seal_key": seal_root(bench, plan.stages[-1].id).hex(),
        "stages": tuple(StageRun.model_validate_json(s) for s in record["stages"]),  # type: ignore[attr-defined]
        "rankings": record["rankings"],
        "stream": record["stream"],
        "pairs": record["pairs"],
        "planted": tuple(record["planted"]),  # type: ignore[arg-type]
        "findings": findings,
    }
    return TrialRow.model_validate(body)
