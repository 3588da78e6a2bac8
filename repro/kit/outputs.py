"""Writing what the judge collects; outputs.json comes last and makes the output complete."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np

from kit.trial import KitError, Trial


def write_stream(trial: Trial, rows: Sequence[Sequence[object]]) -> None:
    """Write stream.tsv: step, query, positive, negatives; one row an example, steps ascending."""
    text = "".join("\t".join(map(str, row)) + "\n" for row in rows)
    _write(trial, "stream.tsv", text.encode(), rows=len(rows))


def write_vectors(trial: Trial, name: str, vectors: np.ndarray) -> None:
    """Write vectors/NAME.f32, (rows, columns), rows in input order; `name`: corpus, queries-SET.

    The judge ranks by inner product: normalise first if cosine is meant.
    """
    if vectors.ndim != 2 or not np.isfinite(vectors).all():  # noqa: PLR2004
        raise KitError(
            f"vectors of shape {vectors.shape} must be a finite matrix",
            where=f"vectors/{name}.f32",
            hint="a loss that diverged gives NaN; lower the learning rate",
        )
    rows, columns = vectors.shape
    data = np.ascontiguousarray(vectors, dtype="<f4").tobytes()
    _write(trial, f"vectors/{name}.f32", data, rows=rows, columns=columns)


def write_run(
    trial: Trial,
    name: str,
    query_ids: Sequence[str],
    results: Sequence[Sequence[tuple[str, float]]],
) -> None:
    """Write NAME.trec; `results`: for each query its (document id, score), best first."""
    lines = [
        f"{query} Q0 {document} {rank} {score:.9g} run\n"  # 9 digits keep a float32 exactly
        for query, documents in zip(query_ids, results, strict=True)
        for rank, (document, score) in enumerate(documents, start=1)
    ]
    _write(trial, f"{name}.trec", "".join(lines).encode(), rows=len(lines))


def log_step(trial: Trial, *, step: int, steps: int, loss: float, seconds: float) -> None:
    """Append a line of progress to telemetry.jsonl; shown to people, never trusted."""
    line = {"step": step, "steps": steps, "loss": round(loss, 6), "seconds": round(seconds, 3)}
    with (trial.output / "telemetry.jsonl").open("a", encoding="utf-8") as telemetry:
        telemetry.write(json.dumps(line) + "\n")


def finish(trial: Trial) -> NoReturn:
    """Write outputs.json and leave at once: tearing torch down costs a second for nothing."""
    complete = {"protocol": "outputs-v1", "files": trial.files}
    _replace(trial.output / "outputs.json", json.dumps(complete, sort_keys=True).encode())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _write(trial: Trial, name: str, data: bytes, **shape: int) -> None:
    path = trial.output / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    trial.files[name] = shape


def _replace(path: Path, data: bytes) -> None:
    """Appear whole or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(data)
    temporary.replace(path)
