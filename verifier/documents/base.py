"""The base of every document model of ours: frozen, strict, nothing unknown."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A document or a part of one: immutable, no coercion, unknown keys refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_enum_values=False,
        validate_default=True,
    )
