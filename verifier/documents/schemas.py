"""The JSON Schemas of our documents, generated from their models (draft 2020-12)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from verifier.documents.base import Model
from verifier.documents.card import Card
from verifier.documents.claim import Claim
from verifier.documents.evidence import EvidenceManifest, Judgements, Study
from verifier.documents.trial import Outputs, Trial
from verifier.documents.verdict import Verdict

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

SCHEMAS: Final[Mapping[str, type[Model]]] = {
    "card-v1": Card,
    "claim-v1": Claim,
    "evidence-manifest-v1": EvidenceManifest,
    "evidence-v1": Study,
    "judgements-v1": Judgements,
    "outputs-v1": Outputs,
    "trial-v1": Trial,
    "verdict-v1": Verdict,
}


def schema_of(name: str, model: type[Model]) -> dict[str, Any]:
    """The JSON Schema of a model, what it accepts rather than what it writes."""
    body = model.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": DIALECT, "$id": f"urn:verifier:schema:{name}", **body}


def schema_bytes(name: str, model: type[Model]) -> bytes:
    """The same as the bytes of a file, equal whenever the model is equal."""
    text = json.dumps(schema_of(name, model), indent=2, ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def schema_files() -> dict[str, bytes]:
    """The generated files of the folder `schemas/`: file name -> bytes."""
    return {f"{name}.json": schema_bytes(name, model) for name, model in SCHEMAS.items()}
