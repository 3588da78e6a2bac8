"""Seeds and nuisance draws: the verifier's, never the author's (METHOD part 1)."""

from __future__ import annotations

from pydantic import JsonValue

from verifier.documents.canonical import document_digest
from verifier.documents.prf import draw
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


def nuisance_values(frame: Frame, setting: SettingFrame, index: int) -> dict[str, JsonValue]:
    """Return the hyper-parameters of one seed index: equal in all arms and regimes."""
    return {
        name: values[
            draw(
                frame.nonce,
                "nuisance",
                setting.card,
                setting.use.encoder,
                frame.closure,
                name,
                frame.block,
                index,
                below=len(values),
            )
        ]
        for name, values in sorted(frame.claim.reproduction.nuisance.items())
    }
