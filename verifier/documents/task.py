"""A retrieval task as the judge holds it: texts, training pairs, and the judgements it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One entry of the knowledge base."""

    id: str
    text: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query with what makes it countable: language, cluster, strata, relevant documents.

    `relevant` holds positions in `Task.documents`; never empty.
    """

    id: str
    text: str
    language: str
    cluster: str
    relevant: tuple[int, ...]
    strata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Everything a setting gives: what scripts see, and the judgements that stay with us.

    `train` and `dev` go to scripts with their judgements, `query_sets` without.
    `similarities`: (documents, documents) float32 in [0, 1], the label similarity, or None.
    """

    name: str
    documents: tuple[Document, ...]
    train: tuple[Query, ...]
    dev: tuple[Query, ...]
    query_sets: Mapping[str, tuple[Query, ...]]
    similarities: NDArray[np.float32] | None
