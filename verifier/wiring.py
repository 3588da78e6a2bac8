"""Which adapter serves which port: the one place where the world is put together."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from verifier.adapters.clock import SystemClock
from verifier.adapters.environments import Environment, find, fingerprint, load
from verifier.adapters.executors.local import LocalExecutor
from verifier.adapters.logs import LogFolder
from verifier.adapters.machine import instruction_set
from verifier.adapters.models import find_model
from verifier.adapters.project import Project, find_project
from verifier.adapters.sandbox.ns_full import NamespaceSandbox
from verifier.adapters.sandbox.selftest import open_sandbox
from verifier.adapters.store.fileledger import FileLedger, open_ledger
from verifier.adapters.store.filestore import FileStore, open_store
from verifier.documents.canonical import digest
from verifier.documents.card import Card
from verifier.documents.claim import STATIC, Claim, SettingUse
from verifier.documents.evidence import EnvironmentRow
from verifier.documents.limits import Limits
from verifier.documents.reading import read_document
from verifier.documents.task import Task
from verifier.documents.task_codec import decode_task, encode_task
from verifier.documents.units import seconds, size_bytes
from verifier.errors import EvidenceError, UsageError
from verifier.pipeline.freeze import Case, LoadedSetting
from verifier.pipeline.verify import Ports
from verifier.pipeline.workbench import Workbench
from verifier.settings.cldr import build, check, primary_positions
from verifier.study.frame import study_depth

OUTPUT_BYTES = 512 << 20
OUTPUT_FILES = 64
PROCESSES = 64
THREADS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """A project with its store, account of tries, logs and clock."""

    project: Project
    store: FileStore
    ledger: FileLedger
    logs: LogFolder
    clock: SystemClock


def open_workshop(start: Path | None = None) -> Workshop:
    """Open the project around `start` (default: here) and what the harness keeps in it."""
    project = find_project((start or Path.cwd()).resolve())
    clock = SystemClock()
    return Workshop(
        project=project,
        store=open_store(project.state / "store"),
        ledger=open_ledger(project.state / "store", clock),
        logs=LogFolder(root=project.state / "logs"),
        clock=clock,
    )


def load_claim(project: Project, path: str) -> tuple[Claim, bytes]:
    """Read one claim spec; UsageError or DocumentError for a bad one."""
    place = Path(path)
    if place.is_absolute() or ".." in place.parts:
        data = _read_anywhere(place)
    else:
        data = project.read(path, hint="`verify list claims` shows what there is")
    return read_document(Claim, data, name=path), data


def _read_anywhere(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except OSError as error:
        raise UsageError(
            f"it cannot be read: {error.strerror}",
            where=str(place),
            hint="`verify list claims` shows what there is",
        ) from error


def load_card(project: Project, name: str) -> tuple[Card, bytes]:
    """Read one setting's card."""
    data = project.card(name)
    return read_document(Card, data, name=f"settings/{name}.yaml"), data


def load_task(workshop: Workshop, card: Card, data: bytes) -> Task:
    """Build a setting's task, or take it from the store where this very card built it before."""
    key = f"task {digest(data)} babel {card.origin.babel}"
    cached = workshop.store.cached(key)
    if cached is not None:
        try:
            return decode_task(cached, where=f"the cached task of {card.name}")
        except EvidenceError:
            pass  # written by another version: build it again
    task = build(card)
    check(card, task)
    workshop.store.cache(key, encode_task(task))
    return task


def load_setting(workshop: Workshop, use: SettingUse) -> LoadedSetting:
    """Load one setting with its encoder's files."""
    card, data = load_card(workshop.project, use.name)
    model = None if use.encoder == STATIC else find_model(workshop.project.root, use.encoder)
    return LoadedSetting(
        use=use,
        card=card,
        card_bytes=data,
        task=load_task(workshop, card, data),
        task_digest=card.digest,
        model=model.path if model else None,
        model_digest=model.digest if model else None,
    )


def load_environment(workshop: Workshop, requirements: str) -> Environment:
    """Return the environment of a pinned list; UsageError if it was not made yet."""
    workshop.project.read(requirements, hint="the claim names it under reproduction: environment:")
    place = workshop.project.root / requirements
    found = find(place, workshop.project.state / "env")
    if found is None:
        raise UsageError(
            "its environment is not made yet",
            where=requirements,
            hint=f"verify env create {requirements}",
        )
    return found


def load_case(workshop: Workshop, path: str) -> Case:
    """Read and digest all that a try of a claim depends on."""
    claim, data = load_claim(workshop.project, path)
    reproduction = claim.reproduction
    closure = workshop.project.closure(reproduction.files)
    for stage in (reproduction.stages.assign, reproduction.stages.train):
        check_command(path, stage or (), closure)
    environment = load_environment(workshop, reproduction.environment)
    return Case(
        name=path,
        claim=claim,
        claim_bytes=data,
        closure=closure,
        environment=environment_row(environment),
        environment_root=environment.path,
        settings=tuple(load_setting(workshop, use) for use in claim.settings),
        missing=(),
        threads=THREADS,
        device="cpu",
        instructions=instruction_set(),
    )


def check_command(path: str, argv: Sequence[str], closure: dict[str, bytes]) -> None:
    """Refuse a command whose script is not among the files: the sandbox would not have it."""
    scripts = [word for word in argv if word.endswith((".py", ".sh", ".awk"))]
    for script in scripts[:1]:
        if script not in closure:
            raise UsageError(
                f"{script} is not among the files of the reproduction",
                where=f"{path}: reproduction",
                hint=f"add it to files: ({', '.join(list(closure)[:5])})",
            )


def environment_row(environment: Environment) -> EnvironmentRow:
    """Return an environment as evidence names it."""
    return EnvironmentRow(
        digest=f"sha256:{environment.digest}",
        python=environment.python,
        packages=environment.packages,
        details={
            "libc": environment.libc,
            "machine": environment.machine,
            "torch": environment.torch,
            "requirements": environment.requirements,
        },
    )


def case_limits(case: Case) -> Limits:
    """Return the bounds of one stage of a trial."""
    return Limits(
        wall_s=seconds(case.claim.limits.wall),
        memory_bytes=size_bytes(case.claim.limits.memory),
        output_bytes=OUTPUT_BYTES,
        output_files=OUTPUT_FILES,
        processes=PROCESSES,
    )


def open_bench(workshop: Workshop, case: Case) -> Workbench:
    """Lay out what workers need; nothing is run yet."""
    depth = study_depth(case.claim.criterion.measure)
    return Workbench(
        sandbox=NamespaceSandbox(),
        store=workshop.store,
        secret=workshop.store.secret(),
        closure=case.closure,
        environment=case.environment_root,
        tasks={s.use.name: s.task for s in case.settings},
        cards={s.use.name: digest(s.card_bytes) for s in case.settings},
        primary={s.use.name: primary_positions(s.card, s.task) for s in case.settings},
        depths={s.use.name: depth for s in case.settings},
        models={s.use.name: s.model for s in case.settings if s.model is not None},
        limits=case_limits(case),
        outputs=case.claim.reproduction.outputs,
        threads=case.threads,
        device=case.device,
        keep_log=workshop.logs.keep,
    )


def open_ports(workshop: Workshop, case: Case, *, slots: int | None = None) -> Ports:
    """Return the ports of the verify pipeline."""
    return Ports(
        store=workshop.store,
        ledger=workshop.ledger,
        executor=LocalExecutor(slots, memory_bytes=case_limits(case).memory_bytes),
        clock=workshop.clock,
        prepare=preparation(case),
        entropy=lambda: secrets.token_bytes(32),
    )


def preparation(case: Case) -> Callable[[], None]:
    """Return what must hold before a script is run: sandbox self-test, environment unchanged."""
    done: list[bool] = []

    def prepare() -> None:
        if not done:
            fingerprint(open_sandbox(), load(case.environment_root))
            done.append(True)

    return prepare
