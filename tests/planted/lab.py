"""A laboratory without scripts: studies whose truth we planted, judged by the real judge.

A small task of 64 queries in two languages; every trial's ranking is drawn from the rate at which
its arm finds the right document.  Frames, plans, ledger, evidence and judge are the real ones.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from verifier.controls.battery import control_trials
from verifier.documents.canonical import digest, document_digest
from verifier.documents.card import Card
from verifier.documents.claim import Claim
from verifier.documents.evidence import (
    Enforced,
    EnvironmentRow,
    SandboxRow,
    StageRun,
    TrialRow,
)
from verifier.documents.ledger import nonce_commitment, seal_entry
from verifier.documents.prf import prf
from verifier.documents.ranking import Ranking, encode_ranking
from verifier.documents.reading import read_document
from verifier.documents.task import Document, Query, Task
from verifier.judge.assess import Assessment, assess
from verifier.judge.bundle import Evidence, pack
from verifier.judge.sheets import ScoreBook
from verifier.pipeline.collect import collect_evidence
from verifier.pipeline.freeze import Case, Frozen, LoadedSetting, freeze
from verifier.settings.summary import summarise, task_digest
from verifier.study.plan import looks, study_trials
from verifier.study.trials import TrialPlan

CARD = (Path(__file__).parents[2] / "settings" / "cldr-names.yaml").read_bytes()
LANGUAGES = ("ne", "mr")
SETTING = "toy-names"
NONCE = b"n" * 32
SECRET = b"s" * 32
AT = "2026-01-01T00:00:00Z"
PROFILE = SandboxRow(
    level="ns-full",
    enforced=(Enforced(name="network", requested="none", enforced_by="namespace"),),
    not_enforced=("timing side channels",),
)
PROFILE_DIGEST = document_digest(PROFILE.model_dump(mode="json"))
Rate = Callable[[TrialPlan], float]


def claim_document(**changes: Any) -> dict[str, Any]:
    """A superiority claim with two arms and two regimes that can be VERIFIED and FALSIFIED."""
    document: dict[str, Any] = {
        "schema": "claim-v1",
        "id": "planted",
        "record": "planted",
        "statement": "New beats old.",
        "quantifier": "universal",
        "source": {
            "work": "arxiv:0000.00000",
            "locator": "table 1",
            "task": "entity-name matching",
            "encoders": ["static"],
            "states_size": True,
        },
        "reproduction": {
            "stages": {"assign": ["python", "a.py"], "train": ["python", "t.py"]},
            "files": ["a.py", "t.py"],
            "environment": "environment.txt",
            "outputs": "vectors",
            "sees_arm": ["assign"],
            "fixed": {"epochs": 3},
            "factors": {"negatives": {"new": {"mined": 1}, "old": {"random": 1}}},
        },
        "settings": [{"name": SETTING, "encoder": "static"}],
        "regimes": ["explicit", "in_batch"],
        "seeds": {"looks": [5, 10]},
        "criterion": {
            "kind": "superiority",
            "candidate": "new",
            "baseline": "old",
            "measure": "RR@10",
            "weights": "macro",
            "margin": 0.05,
        },
        "assay": {"negatives": {"broken": {"one_document": 1}}},
    }
    return {**document, **changes}


def dose_document(**changes: Any) -> dict[str, Any]:
    """A dose-response claim over three levels, increasing."""
    document = claim_document(
        seeds={"looks": [10, 20]},
        criterion={
            "kind": "dose_response",
            "shape": "increasing",
            "levels": ["low", "middle", "high"],
            "measure": "RR@10",
            "margin": 0.05,
            "tolerance": 0.02,
        },
    )
    levels = {"low": {"share": 0}, "middle": {"share": 1}, "high": {"share": 2}}
    document["reproduction"]["factors"] = {"negatives": levels}
    return {**document, **changes}


def with_reproduction(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The document with other fields of its reproduction."""
    changed = copy.deepcopy(document)
    changed["reproduction"] |= changes
    return changed


def claim_bytes(document: Mapping[str, Any]) -> bytes:
    """A claim as it is read: JSON is YAML."""
    return json.dumps(document, indent=1).encode()


def read_claim(document: Mapping[str, Any]) -> Claim:
    """Read a claim as users' claims are read."""
    return read_document(Claim, claim_bytes(document), name="claim.yaml")


def make_task(queries: int = 64, documents: int = 40) -> Task:
    """A task whose texts carry numbers, which no re-spelling moves."""

    def query(kind: str, number: int, language: str) -> Query:
        return Query(
            id=f"{kind}:{number}:{language}",
            text=f"naam {number % documents} {language} {kind} {number}",
            language=language,
            cluster=f"label {number % documents}",
            relevant=(number % documents,),
            strata={"exposure": "seen"},
        )

    languages = LANGUAGES * (queries // 2)
    return Task(
        name=SETTING,
        documents=tuple(
            Document(id=f"doc:{i}", text=f"name {i}", kind="territory") for i in range(documents)
        ),
        train=tuple(query("train", i, "hi") for i in range(8)),
        dev=tuple(query("dev", i, LANGUAGES[i % 2]) for i in range(6)),
        query_sets={"test": tuple(query("test", i, x) for i, x in enumerate(languages))},
        similarities=np.eye(documents, dtype=np.float32),
    )


def card_bytes(task: Task, name: str = SETTING) -> bytes:
    """The shipped card, cut down to the task's languages and counts."""
    card = copy.deepcopy(YAML(typ="safe").load(CARD.decode()))
    card["name"] = name
    card["languages"] |= {
        "train": ["hi"],
        "primary": list(LANGUAGES),
        "reported": [],
        "resource_class": {"hi": 4, "ne": 1, "mr": 2},
    }
    card["counts"] = summarise(task).model_dump()
    card["ceiling"] = {"RR@10": 0.999}
    card["digest"] = task_digest(task)
    return json.dumps(card, indent=1).encode()


def load_setting(claim: Claim, task: Task, place: int = 0) -> LoadedSetting:
    """The claim's setting, ready for use."""
    use = claim.settings[place]
    data = card_bytes(task, use.name)
    card = read_document(Card, data, name=f"settings/{use.name}.yaml")
    return LoadedSetting(use=use, card=card, card_bytes=data, task=task, task_digest=card.digest)


def make_case(document: Mapping[str, Any], task: Task, **changes: Any) -> Case:
    """A claim with all it depends on, as the wiring would load it."""
    claim = read_claim(document)
    given = {
        "name": "claims/planted.yaml",
        "claim": claim,
        "claim_bytes": claim_bytes(document),
        "closure": {"a.py": b"assign", "t.py": b"train"},
        "environment": EnvironmentRow(digest=digest(b"env"), python="3.12", packages=("numpy",)),
        "environment_root": Path("environment"),
        "settings": tuple(load_setting(claim, task, i) for i in range(len(claim.settings))),
        "missing": (),
        "threads": 1,
        "device": "cpu",
        "instructions": "x86-64-v3",
    }
    return Case(**(given | changes))


class MemoryLedger:
    """Implements ports.Ledger without a disk."""

    def __init__(self) -> None:
        self._entries: list[Any] = []
        self.append("nonce", nonce_commitment(NONCE))

    def nonce(self) -> bytes:
        return NONCE

    def entries(self) -> tuple[Any, ...]:
        return tuple(self._entries)

    def append(self, kind: str, body: Mapping[str, object]) -> Any:
        previous = str(self._entries[-1]["digest"]) if self._entries else None
        entry = seal_entry(seq=len(self._entries), kind=kind, at=AT, body=body, previous=previous)
        self._entries.append(entry)
        return entry

    def locked(self) -> Any:
        return nullcontext()


def ranking_of(task: Task, rate: float, plan: TrialPlan, planted: tuple[int, ...]) -> Ranking:
    """Ten documents a query; the right one first where an arm's rate says so, else behind.

    A negative rate: nowhere, but for planted queries.
    Which queries are hard is the same in every trial; an arm and a seed move the line a little.
    """
    seeded = [plan.arm, plan.regime, plan.index, plan.setting]
    rng = np.random.default_rng(list(json.dumps(seeded).encode()))
    queries = task.query_sets["test"]
    hard = (np.arange(len(queries)) * 0.6180339887) % 1.0
    hit = hard + rng.normal(0, 0.02, len(queries)) < rate
    hit[list(planted)] = True
    rows = []
    for q, query in enumerate(queries):
        right = query.relevant[0]
        others = [d for d in rng.permutation(len(task.documents)).tolist() if d != right][
            : 9 + (rate < 0 and not hit[q])
        ]
        place = 0 if hit[q] else 4 + q % 5
        found = [right] if rate >= 0 or hit[q] else []
        rows.append([*others[:place], *found, *others[place:]])
    return Ranking(
        starts=np.arange(0, 10 * len(rows) + 1, 10, dtype=np.int64),
        documents=np.asarray(rows, dtype=np.int32).ravel(),
        tied=np.zeros(10 * len(rows), dtype=np.bool_),
    )


class Study:
    """A study under way: a frozen try, the trials so far, and what the judge still asks for."""

    def __init__(
        self,
        document: Mapping[str, Any],
        rate: Rate,
        *,
        task: Task | None = None,
        ledger: MemoryLedger | None = None,
        **case: Any,
    ) -> None:
        self.task = task or make_task()
        self.case = make_case(document, self.task, **case)
        self.ledger = ledger or MemoryLedger()
        self.frozen: Frozen = freeze(
            self.case, self.ledger, confirm=lambda _: None, entropy=lambda: NONCE
        )
        self.rate = rate
        self.rows: list[TrialRow] = []
        self.rankings: dict[str, bytes] = {}
        self.asked: list[Any] = []
        self.book = ScoreBook()

    @property
    def frame(self) -> Any:
        return self.frozen.frame

    def add(self, plans: tuple[TrialPlan, ...]) -> None:
        for plan in plans:
            planted = tuple(range(len(self.task.query_sets["test"])))
            planted = planted if plan.variant.planted else ()
            ranking = self.rank(plan, planted)
            data = encode_ranking(ranking)
            self.rankings[digest(data)] = data
            self.rows.append(row_of(plan, digest(data), planted))

    def rank(self, plan: TrialPlan, planted: tuple[int, ...]) -> Ranking:
        return ranking_of(self.task, self.rate(plan), plan, planted)

    def evidence(self) -> Evidence:
        return collect_evidence(
            self.case,
            self.frozen,
            self.rows,
            self.rankings,
            sandboxes={PROFILE_DIGEST: PROFILE},
            evaluated_at=AT,
        )

    def assess(self) -> Assessment:
        return assess(self.evidence(), self.book)

    def begin(self) -> Study:
        """Run the first look with its controls."""
        first, last = looks(self.frame)[0]
        self.add((*study_trials(self.frame, first=first, last=last), *control_trials(self.frame)))
        return self

    def finish(self) -> Study:
        """Run what the judge asks for until it decides."""
        self.begin()
        while (need := self.assess().need) is not None:
            self.asked.append(need)
            if need.seeds is None:
                self.add(control_trials(self.frame, strike=need.strike, only=need.controls))
            else:
                bounds = next(b for b in looks(self.frame) if b[1] == need.seeds)
                self.add(study_trials(self.frame, first=bounds[0], last=bounds[1]))
        return self

    def files(self) -> dict[str, bytes]:
        return pack(self.evidence())


def row_of(plan: TrialPlan, ranking: str, planted: tuple[int, ...] = ()) -> TrialRow:
    """The row of a trial that went well."""
    return TrialRow(
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
        seal_key=prf(SECRET, "seal", plan.stages[-1].seal).hex(),
        stages=tuple(
            StageRun(
                stage=stage.stage,
                id=stage.id,
                sandbox=PROFILE_DIGEST,
                ending="exited",
                exit_code=0,
                signal=None,
                wall_s=1.5,
                cpu_s=1.25,
                peak_memory_bytes=1 << 20,
                outputs={},
            )
            for stage in plan.stages
        ),
        rankings={"test": ranking},
        stream=digest(plan.stages[0].seal.encode()) if len(plan.stages) > 1 else None,
        effort=digest(b"effort") if len(plan.stages) > 1 else None,
        planted=planted,
    )


def rates(**by_arm: float) -> Rate:
    """Each arm finds its document at one rate, in every regime; `broken` hardly does."""
    table = {"broken": 0.1, **by_arm}
    return lambda plan: table[plan.arm]


_FINISHED: dict[tuple[tuple[str, float], ...], Study] = {}


def finished(**by_arm: float) -> Study:
    """The two-arm study at these rates, run once and copied, so that tests may change it."""
    key = tuple(sorted(by_arm.items()))
    if key not in _FINISHED:
        _FINISHED[key] = Study(claim_document(), rates(**by_arm)).finish()
    study = copy.copy(_FINISHED[key])
    study.rows, study.rankings, study.asked = [*study.rows], {**study.rankings}, [*study.asked]
    return study
