"""Where a label stands in the taxonomy of its kind: the path from the root to the label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from verifier.settings.regions import region_path


def code_path(code: str, places: Sequence[str]) -> tuple[str, ...]:
    """Return the path of one code: kind, regions or category, then the code itself."""
    kind, _, rest = code.partition(":")
    if kind == "unit":
        return (kind, *places[:1], code)
    if kind == "territory":
        regions = next((path for path in map(region_path, places) if path), ())
        # A region is an inner node of its own tree, a territory a leaf: the same path form.
        return (kind, *(regions if regions[-1:] == (rest,) else (*regions[:-1], rest)))
    paths = list(map(region_path, places))
    if kind == "currency" and paths and not paths[0]:  # its prefix is no territory: EUR, XAF
        return (kind, *_shared([path for path in paths if path]), code)
    return (kind, *next((path for path in paths if path), ()), code)


def _shared(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    shared: list[str] = []
    for steps in zip(*paths, strict=False):
        if len(set(steps)) > 1:
            break
        shared.append(steps[0])
    return tuple(shared)


def path_similarity(
    members: Sequence[Sequence[str]], places: Mapping[str, Sequence[str]]
) -> NDArray[np.float64]:
    """Return depth of the lowest common ancestor over the greater depth, for all label pairs.

    members: the codes of every label; a merged label counts by its nearest pair of codes.
    The result is (labels, labels), 1 on the diagonal, 0 between kinds.
    """
    owners = [i for i, codes in enumerate(members) for _ in codes]
    paths = [code_path(code, places.get(code, ())) for codes in members for code in codes]
    shared = _common_depths(paths)
    depth = np.array([len(path) for path in paths], dtype=np.float64)
    ratio = shared / np.maximum(depth[:, None], depth[None, :])
    starts = np.flatnonzero(np.diff(np.array([-1, *owners])))
    return np.maximum.reduceat(np.maximum.reduceat(ratio, starts, axis=0), starts, axis=1)


def _common_depths(paths: Sequence[tuple[str, ...]]) -> NDArray[np.float64]:
    numbers: dict[tuple[str, ...], int] = {}
    shared = np.zeros((len(paths), len(paths)))
    for level in range(1, max(map(len, paths)) + 1):
        # Paths too short for this level get a number of their own and match nothing.
        prefixes = [
            numbers.setdefault(path[:level], len(numbers)) if len(path) >= level else -1 - i
            for i, path in enumerate(paths)
        ]
        column = np.array(prefixes)
        shared += column[:, None] == column[None, :]
    return shared
