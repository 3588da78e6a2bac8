"""Runs items of work in forked, single-threaded processes of this machine."""

from __future__ import annotations

import os
import pickle
import signal
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from typing import Generic, TypeVar

from verifier.adapters.executors.machine import available_memory_bytes, slots_for, usable_cores
from verifier.adapters.executors.worker import Worker, fork, signals_held, stop
from verifier.errors import VerifierError, where_raised
from verifier.ports import Event, Finished

T = TypeVar("T")
I = TypeVar("I")
Emit = Callable[[Mapping[str, object]], None]
Work = Callable[[I, Emit], T]
_TRIES = 2


class WorkError(VerifierError):
    """Work broke with something that is not a VerifierError: a fault of ours, never a verdict."""

    def __init__(self, problem: str, *, where: str, traceback_text: str) -> None:
        hint = "a fault in the program, not in the claim: see it with VERIFY_TRACEBACK=1, report it"
        super().__init__(problem, where=where, hint=hint)
        self.traceback_text = traceback_text


class LocalExecutor:
    """Implements ports.Executor.

    slots: workers at once; None: as many as there are cores, or as fit into memory when
    `memory_bytes` says what one item needs; 0: run in this process, one by one (debugging;
    an item's events then come with its result).

    Items are handed out one by one in order.  When one fails, no later item is begun, running
    ones finish and are yielded (finished trials are kept), and then the error of the lowest
    failed item is raised: the same one whatever the number of slots.  A worker that dies has
    its item done again by a fresh one, once.  Close the iterator to stop early
    (`contextlib.closing`): workers then get SIGTERM, ten seconds, SIGKILL.
    """

    def __init__(self, slots: int | None = None, *, memory_bytes: int | None = None) -> None:
        if slots is None:
            slots = slots_for(usable_cores(), memory_bytes, available_memory_bytes())
        if slots < 0:
            raise ValueError(f"want 0 or more slots, got {slots}")
        self.slots = slots

    def run(
        self, items: Sequence[I], work: Work[I, T]
    ) -> Generator[Event | Finished[T], None, None]:
        """Yield events and results as they come; raises VerifierError as the class says."""
        if not self.slots:
            yield from _inline(items, work)
            return
        crew = _Crew(items, work, self.slots)
        try:
            yield from crew.results()
        finally:
            crew.dismiss()


def _inline(items: Sequence[I], work: Work[I, T]) -> Generator[Event | Finished[T], None, None]:
    for number, item in enumerate(items):
        said: list[Event] = []

        def emit(body: Mapping[str, object], number: int = number, to: list[Event] = said) -> None:
            to.append(Event(item=number, body=dict(body)))

        try:
            value = work(item, emit)
        except Exception as error:
            yield from said
            if isinstance(error, VerifierError):
                raise
            raise _as_work_error(error) from error
        yield from said
        yield Finished(item=number, value=value)


class _Crew(Generic[I, T]):
    """The workers of one call of `run` and what is left for them to do."""

    def __init__(self, items: Sequence[I], work: Work[I, T], slots: int) -> None:
        self._items, self._work, self._slots = items, work, slots
        self._waiting = list(reversed(range(len(items))))  # a stack: the next one is last
        self._deaths: dict[int, int] = {}
        self._errors: dict[int, VerifierError] = {}
        self._workers: list[Worker] = []

    def results(self) -> Generator[Event | Finished[T], None, None]:
        """Yield all there is, then raise the first error."""
        self._hand_out()
        while busy := {w.pipe: w for w in self._workers if w.item is not None}:
            ready = set(wait(list(busy)))
            for worker in [worker for pipe, worker in busy.items() if pipe in ready]:
                heard = self._hear(worker)
                self._hand_out()
                if heard is not None:
                    yield heard
        if self._errors:
            raise self._errors[min(self._errors)]

    def dismiss(self) -> None:
        """End all workers, busy or not."""
        stop(self._workers)

    def _hand_out(self) -> None:
        if self._errors:
            first = min(self._errors)
            self._waiting = [number for number in self._waiting if number < first]
        idle = [worker for worker in self._workers if worker.item is None]
        while self._waiting and (idle or len(self._workers) < self._slots):
            worker = idle.pop() if idle else self._hire()
            worker.item = self._waiting.pop()
            try:
                worker.pipe.send_bytes(worker.item.to_bytes(8, "big"))
            except OSError:
                self._bury(worker)

    def _hire(self) -> Worker:
        with signals_held() as mask:
            worker = fork(self._serve, siblings=self._workers, mask=mask)
            self._workers.append(worker)
        return worker

    def _hear(self, worker: Worker) -> Event | Finished[T] | None:
        number = worker.item
        try:
            kind, body = pickle.loads(worker.pipe.recv_bytes())  # noqa: S301  # our own fork's
        except (EOFError, OSError):
            self._bury(worker)
            return None
        if number is None:
            return None
        if kind == "event":
            return Event(item=number, body=body)
        worker.item = None
        if kind == "value":
            return Finished(item=number, value=body)
        self._errors[number] = body
        return None

    def _bury(self, worker: Worker) -> None:
        """Take a dead worker off the list; its item goes to a fresh one, or is given up."""
        stop([worker], grace_s=0)
        self._workers.remove(worker)
        number = worker.item
        if number is None:
            return
        self._deaths[number] = self._deaths.get(number, 0) + 1
        if self._deaths[number] < _TRIES:
            self._waiting.append(number)
            return
        self._errors[number] = VerifierError(
            f"the worker process died twice on this item ({_ending(worker.status or 0)})",
            where=f"item {number} of {len(self._items)}",
            hint="if memory ran out, use fewer slots or free some; else see the system's log",
        )

    def _serve(self, pipe: Connection[object, object]) -> None:
        """Do items until the pipe closes; runs in the worker."""

        def emit(body: Mapping[str, object]) -> None:
            pipe.send_bytes(pickle.dumps(("event", dict(body))))

        while True:
            try:
                number = int.from_bytes(pipe.recv_bytes(), "big")
            except EOFError:
                return
            pipe.send_bytes(_reply(self._items[number], self._work, emit))


def _reply(item: I, work: Work[I, T], emit: Emit) -> bytes:
    try:
        return pickle.dumps(("value", work(item, emit)))
    except KeyboardInterrupt:
        raise
    except VerifierError as error:
        error.traceback_text = "".join(traceback.format_exception(error))
        return pickle.dumps(("error", error))
    except BaseException as error:  # noqa: BLE001  # it is raised again in the parent
        return pickle.dumps(("error", _as_work_error(error)))


def _as_work_error(error: BaseException) -> WorkError:
    first = (str(error).splitlines() or [""])[0]
    text = "".join(traceback.format_exception(error))
    problem = f"{type(error).__name__}: {first}".removesuffix(": ")
    return WorkError(problem, where=where_raised(error), traceback_text=text)


def _ending(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
