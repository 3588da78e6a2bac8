"""Run one stage of a trial in the sandbox and say plainly what went wrong when it did."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from verifier.documents.canonical import document_digest
from verifier.documents.evidence import Enforced, Finding, SandboxRow, StageRun
from verifier.documents.plain import last_words
from verifier.documents.prf import prf
from verifier.documents.trial import Trial
from verifier.documents.words import Severity
from verifier.errors import OutputError
from verifier.pipeline.workbench import Workbench
from verifier.ports import Ending, SandboxOrder, SandboxResult
from verifier.study.trials import StagePlan, TrialPlan
from verifier.tasks.ranking import TELEMETRY

Emit = Callable[[Mapping[str, object]], None]
_HINTS = {
    Ending.WALL_CLOCK: "raise limits.wall in the claim, or make the script faster",
    Ending.MEMORY: "raise limits.memory in the claim, or make the script smaller",
    Ending.OUTPUT_OVERFLOW: "write only the files the protocol names",
    Ending.LOG_OVERFLOW: "write less to stdout and stderr",
    Ending.SIGNALLED: "run `verify try` on the claim and look at `verify logs`",
    Ending.EXITED: "run `verify try` on the claim and look at `verify logs`",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """What a stage left, the account of its run, and the profile of the sandbox it ran in."""

    result: SandboxResult
    run: StageRun
    profile: SandboxRow


class StageFailedError(Exception):
    """A script failed or its output was refused: an observation, not a fault of ours."""

    def __init__(self, finding: Finding, stage: StageResult) -> None:
        super().__init__(finding.message)
        self.finding = finding
        self.stage = stage


def seal_root(bench: Workbench, stage: StagePlan) -> bytes:
    """Return the root of a stage's seal keys: fresh for whoever does not hold the secret."""
    return prf(bench.secret, "seal", stage.seal)


def stage_trial(stage: StagePlan, plan: TrialPlan, bench: Workbench) -> Trial:
    """Return what the stage is told in `trial.json`."""
    return Trial(
        stage=stage.stage,
        parameters=stage.parameters,
        seed=plan.seed,
        depth=bench.depths[plan.setting],
        threads=bench.threads,
        device=bench.device,
        time_budget_s=int(bench.limits.wall_s),
        outputs=bench.outputs,
        query_sets=tuple(bench.tasks[plan.setting].query_sets),
        model="models/encoder" if plan.setting in bench.models else None,
    )


def run_stage(
    stage: StagePlan,
    plan: TrialPlan,
    bench: Workbench,
    *,
    inputs: Mapping[str, bytes],
    outputs: Mapping[str, int],
    emit: Emit,
) -> StageResult:
    """Execute a stage and return what it left, untrusted, with the account of its run."""
    model = bench.models.get(plan.setting)
    order = SandboxOrder(
        argv=stage.argv,
        inputs=inputs,
        study=bench.closure,
        environment=bench.environment,
        outputs=outputs,
        limits=bench.limits,
        threads=bench.threads,
        models={"encoder": model} if model else {},
        follow=TELEMETRY if TELEMETRY in outputs else None,
    )
    result = bench.sandbox.run(order, on_line=lambda line: _report_step(line, plan, emit))
    log = b"".join([b"== stdout ==\n", result.stdout, b"\n== stderr ==\n", result.stderr])
    bench.keep_log(plan.id, str(stage.stage), log)
    profile = _profile(bench, result)
    run = StageRun(
        stage=stage.stage,
        id=stage.id,
        sandbox=document_digest(profile.model_dump(mode="json")),
        ending=str(result.ending),
        exit_code=result.exit_code,
        signal=result.signal,
        wall_s=round(result.wall_s, 3),
        cpu_s=None if result.cpu_s is None else round(result.cpu_s, 3),
        peak_memory_bytes=result.peak_memory_bytes,
        outputs={
            name: "sha256:" + hashlib.sha256(data).hexdigest()
            for name, data in sorted(result.outputs.items())
            if name != TELEMETRY
        },
    )
    return StageResult(result=result, run=run, profile=profile)


def _profile(bench: Workbench, result: SandboxResult) -> SandboxRow:
    """Return what held the stage: layers and limits, without the peaks of this one run."""
    return SandboxRow(
        level=bench.sandbox.level,
        enforced=tuple(
            Enforced(name=e.name, requested=e.requested, enforced_by=e.enforced_by)
            for e in result.enforcement
        ),
        not_enforced=result.not_enforced,
    )


def check_ending(stage: StageResult, required: Sequence[str]) -> None:
    """Raise StageFailedError unless the stage exited 0 and left every required file."""
    result, run = stage.result, stage.run
    if result.ending is not Ending.EXITED or result.exit_code != 0:
        raise StageFailedError(_ending_finding(result, run), stage)
    refused = {name: why for name, why in result.refused.items() if name in required}
    for name, why in refused.items():
        raise StageFailedError(
            Finding(
                rule="output.refused",
                severity=Severity.INVALID,
                message=f"{name} was not taken: {why}",
                where=f"{run.stage} stage, {name}",
            ),
            stage,
        )
    missing = [name for name in required if name not in result.outputs]
    if missing:
        raise StageFailedError(
            Finding(
                rule="output.missing",
                severity=Severity.INVALID,
                message=f"exited 0 but did not write {', '.join(missing)}",
                where=f"{run.stage} stage",
            ),
            stage,
        )


def refused_output(error: OutputError, stage: StageResult) -> StageFailedError:
    """Turn a refused output into the observation that it was refused."""
    return StageFailedError(
        Finding(
            rule=error.rule,
            severity=Severity.INVALID,
            message=f"{error.problem}; {error.hint}",
            where=f"{stage.run.stage} stage, {error.where}",
        ),
        stage,
    )


def _ending_finding(result: SandboxResult, run: StageRun) -> Finding:
    words = last_words(result.stderr) if result.stderr.strip() else last_words(result.stdout)
    what = {
        Ending.EXITED: f"exit code {result.exit_code}",
        Ending.SIGNALLED: f"ended by signal {result.signal}",
        Ending.WALL_CLOCK: f"still running after {result.wall_s:.0f} s",
        Ending.MEMORY: "ran out of the memory it may use",
        Ending.OUTPUT_OVERFLOW: "wrote more than it may",
        Ending.LOG_OVERFLOW: "wrote more to its log than it may",
    }[result.ending]
    return Finding(
        rule=f"trial.{result.ending}",
        severity=Severity.INVALID,
        message=f"{what}; last words: {words}; {_HINTS[result.ending]}",
        where=f"{run.stage} stage",
    )


def _report_step(line: bytes, plan: TrialPlan, emit: Emit) -> None:
    """Pass a telemetry line on as progress, if it is one; never trusted, never an error."""
    try:
        said = json.loads(line)
        body = {key: float(said[key]) for key in ("step", "steps", "loss") if key in said}
    except (ValueError, TypeError, KeyError, RecursionError):
        return
    if body:
        emit({"trial": plan.id, "state": "step", **body})
