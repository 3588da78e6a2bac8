"""What a worker needs to run trials: the sandbox, the sealed material, the limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from verifier.documents.evidence import Variant
from verifier.documents.limits import Limits
from verifier.documents.prf import prf
from verifier.documents.task import Task
from verifier.ports import Sandbox, Store
from verifier.sealing.plant import plant
from verifier.sealing.respell import respell


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One setting as a trial meets it: its task, and which queries were planted in it."""

    task: Task
    planted: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """Everything that is the same for all trials of a study, on the side that runs them."""

    sandbox: Sandbox
    store: Store
    secret: bytes
    closure: Mapping[str, bytes]
    environment: Path
    tasks: Mapping[str, Task]
    cards: Mapping[str, str]
    primary: Mapping[str, tuple[int, ...]]
    depths: Mapping[str, int]
    models: Mapping[str, Path]
    limits: Limits
    outputs: Literal["vectors", "run"]
    threads: int
    device: Literal["cpu", "cuda"]
    keep_log: Callable[[str, str, bytes], None]
    keep_failures: bool = True
    _worlds: dict[tuple[str, int, int], World] = field(default_factory=dict)

    def world(self, setting: str, variant: Variant) -> World:
        """Return the setting's task under a variant, made once a process."""
        key = (setting, variant.spelling, variant.planted)
        if key not in self._worlds:
            self._worlds[key] = self._make(setting, variant)
        return self._worlds[key]

    def _make(self, setting: str, variant: Variant) -> World:
        task = self.tasks[setting]
        if variant.spelling:
            task = respell(task, self._key("respell", setting, variant.spelling))
        if not variant.planted:
            return World(task=task)
        key = self._key("plant", setting, variant.planted)
        task, positions = plant(task, key, among=self.primary[setting])
        return World(task=task, planted=positions)

    def _key(self, label: str, setting: str, number: int) -> bytes:
        return prf(self.secret, label, self.cards[setting], number)
