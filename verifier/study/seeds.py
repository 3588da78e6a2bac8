"""Seeds and nuisance draws: the verifier's, never the author's (METHOD part 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from pydantic import JsonValue

from verifier.documents.canonical import document_digest
from verifier.documents.prf import draw, prf
from verifier.study.frame import Frame, SettingFrame


def trial_seed(
    frame: Frame, setting: SettingFrame, parameters: dict[str, JsonValue], index: int
) -> int:
    """Return seed `index` of an arm: independent per arm, below 2**31."""
    return draw(
        frame.nonce,
        "seed",
        setting.card,
        setting.use.encoder,
        frame.closure,
        document_digest(parameters),
        frame.block,
        index,
        below=1 << 31,
    )


def nuisance_cells(nuisance: Mapping[str, Sequence[JsonValue]]) -> list[dict[str, JsonValue]]:
    """Return every combination of nuisance values; one empty combination where there are none."""
    names = sorted(nuisance)
    return [
        dict(zip(names, values, strict=True))
        for values in product(*(nuisance[name] for name in names))
    ]


def nuisance_values(frame: Frame, setting: SettingFrame, index: int) -> dict[str, JsonValue]:
    """Return the hyper-parameters of one seed index: equal in all arms and regimes.

    All combinations are dealt out in a shuffled order, and again in another for the next round:
    drawn independently, a few seeds can miss every bad one, and t intervals do not know it.
    """
    cells = nuisance_cells(frame.claim.reproduction.nuisance)
    cycle, place = divmod(index, len(cells))
    parts = (setting.card, setting.use.encoder, frame.closure, frame.block, cycle)
    order = sorted(range(len(cells)), key=lambda c: prf(frame.nonce, "nuisance", *parts, c))
    return cells[order[place]]
