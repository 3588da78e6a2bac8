"""How should negatives be chosen?  Contrastive training with one positive and N negatives a query.

    python repro/negative_sampling.py assign    choose the negatives, write the training stream
    python repro/negative_sampling.py train     train an encoder on a stream, write its vectors

`assign` sees which kinds of negatives its arm wants and never trains; `train` sees the stream and
not the arm.  One exception: negatives *mined* by the encoder while it learns exist only inside
`train`, which therefore gets the recipe too.

The encoder is a sentence-transformers StaticEmbedding (a mean of subword vectors) that starts at
random over a tokenizer learned from the training split, or, where the trial names one, any
sentence-transformers model.  The loss is InfoNCE (arXiv:1807.03748) over cosines.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from kit import (
    KitError,
    Trial,
    finish,
    log_step,
    read_trial,
    seed_everything,
    write_run,
    write_stream,
    write_vectors,
)

if sys.argv[1:] == ["train"]:  # assign needs neither, and torch alone takes a second to load
    import faiss
    import torch
    from torch.nn import functional

# The kinds of negatives, in the order in which their columns stand in a row of the stream.
# one_document: the same for every query (so many documents, if so many are asked for); it teaches
# next to nothing and shows whether a study could see a difference.  hardest: the most similar.
FIXED = ("one_document", "hardest", "fixed_random")  # the same for every example of a label
DRAWN = ("near", "weighted", "random", "mined", "mined_with_positives")  # drawn for each example
MINED = DRAWN[3:]  # train replaces these by what the encoder itself confuses
NEED_SIMILARITY = {"hardest", "near", "weighted"}

# ------------------------------------------------------------------------------------ parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Everything that can be set, for both stages; the values here are the defaults.

    negatives: how many of each kind a row has.
    near, beta: `near` draws uniformly among so many; `weighted` in proportion to similarity^beta.
    refresh, mined_depth: mine every so many epochs; draw among so many best (0: take the best).
    query_prompt, document_prompt: put before texts, for models that were trained with prompts.
    """

    negatives: dict[str, int] = field(default_factory=dict)
    near: int = 10
    beta: float = 8.0
    epochs: int = 3
    batch_size: int = 64
    in_batch: bool = False
    temperature: float = 0.2
    learning_rate: float = 0.2
    dimensions: int = 128
    vocabulary: int = 2000
    refresh: int = 1
    mined_depth: int = 0
    query_prompt: str = ""
    document_prompt: str = ""

    @classmethod
    def of(cls, trial: Trial) -> Parameters:
        """Refuse parameters we do not have: a misspelt one would silently be its default."""
        known = {each.name for each in fields(cls)}
        if unknown := sorted(set(trial.parameters) - known):
            raise KitError(
                f"unknown parameters {unknown}",
                where="trial.json",
                hint=f"known are {sorted(known)}",
            )
        kinds = set(trial.parameters.get("negatives", {}))
        if (unknown := sorted(kinds - {*FIXED, *DRAWN})) or kinds >= set(MINED):
            raise KitError(
                f"unknown kinds of negatives {unknown}" if unknown else f"both of {MINED}",
                where="trial.json",
                hint=f"known are {[*FIXED, *DRAWN]}, of the mined ones at most one",
            )
        return cls(**trial.parameters)

    @property
    def mined(self) -> int:
        """How many columns, the last ones of a row, the encoder fills itself."""
        return sum(self.negatives.get(kind, 0) for kind in MINED)


# ------------------------------------------------------------------------------------------ data


class Data:
    """The training split as numbers: documents and queries are positions, not ids."""

    def __init__(self, trial: Trial) -> None:
        self.document_ids, self.documents = trial.corpus()
        queries = trial.train_queries()
        self.query_ids = [query.id for query in queries]
        self.queries = [query.text for query in queries]
        self.row_of = {name: row for row, name in enumerate(self.document_ids)}
        self.positives = [sorted({self.row_of[p] for p in query.positives}) for query in queries]
        self._relevant = np.unique(  # one sorted number a relevant pair, for fast look-up
            np.array(
                [q * len(self.documents) + d for q, row in enumerate(self.positives) for d in row],
                dtype=np.int64,
            )
        )

    def relevant(self, queries: np.ndarray, documents: np.ndarray) -> np.ndarray:
        """Whether documents are relevant to queries; broadcasts."""
        pairs = queries * len(self.documents) + documents
        place = np.searchsorted(self._relevant, pairs)
        return self._relevant[np.minimum(place, len(self._relevant) - 1)] == pairs


# ---------------------------------------------------------------------------------- stage assign


def assign(trial: Trial, parameters: Parameters) -> None:
    """Write the training stream: every query once an epoch, with a positive and its negatives."""
    data = Data(trial)
    order = np.random.default_rng([trial.seed, 0])  # a generator each: the order of the examples
    choice = np.random.default_rng([trial.seed, 1])  # must not depend on the kinds of negatives
    steps, queries, positives = examples(data, parameters, order)
    negatives = choose_negatives(trial, parameters, data, queries, positives, choice)
    names = np.array(data.document_ids, dtype=object)
    asked = np.array(data.query_ids, dtype=object)[queries]
    rows = np.column_stack([steps.astype(object), asked, names[positives], names[negatives]])
    write_stream(trial, rows.tolist())


def examples(
    data: Data, parameters: Parameters, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the step, the query and one positive (drawn, where there are several) of each row."""
    count = len(data.queries)
    queries = np.concatenate([rng.permutation(count) for _ in range(parameters.epochs)])
    sizes = np.array([len(row) for row in data.positives])
    flat = np.concatenate([np.array(row, dtype=np.int64) for row in data.positives])
    first = np.cumsum(sizes) - sizes
    positives = flat[first[queries] + (rng.random(len(queries)) * sizes[queries]).astype(np.int64)]
    a_epoch = np.arange(count) // parameters.batch_size
    epochs = np.repeat(np.arange(parameters.epochs), count)
    return np.tile(a_epoch, parameters.epochs) + epochs * (a_epoch[-1] + 1), queries, positives


def choose_negatives(
    trial: Trial,
    parameters: Parameters,
    data: Data,
    queries: np.ndarray,
    positives: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Choose for one label at a time: (rows, N) positions of documents, none of them relevant.

    A label here is a positive together with all that is relevant beside it.
    """
    size = len(data.documents)
    wanted = {kind: n for kind in (*FIXED, *DRAWN) if (n := parameters.negatives.get(kind, 0))}
    similarity = trial.similarities(size) if NEED_SIMILARITY & wanted.keys() else None
    shuffled = rng.permutation(size)  # breaks ties of similarity; its head is `one_document`
    sets = {tuple(row): number for number, row in enumerate(data.positives)}
    set_of = np.array([sets[tuple(row)] for row in data.positives])
    label = positives * len(data.queries) + set_of[queries]
    by_label = np.argsort(label, kind="stable")
    bounds = np.flatnonzero(np.diff(label[by_label], prepend=-1, append=-1))
    negatives = np.empty((len(queries), sum(wanted.values())), dtype=np.int64)
    for start, stop in pairwise(bounds):
        rows = by_label[start:stop]
        allowed = np.ones(size, dtype=bool)
        allowed[data.positives[queries[rows[0]]]] = False
        near = None if similarity is None else np.asarray(similarity[positives[rows[0]]])
        negatives[rows] = fill_rows(
            wanted, parameters, allowed, near, shuffled=shuffled, rows=len(rows), rng=rng
        )
    return negatives


def fill_rows(
    wanted: dict[str, int],
    parameters: Parameters,
    allowed: np.ndarray,
    similarity: np.ndarray | None,
    *,
    shuffled: np.ndarray,
    rows: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Negatives of all examples of one label: first the fixed kinds, then the drawn ones.

    Nothing stands twice in a row.
    """
    fixed: list[int] = []
    drawn = np.empty((rows, 0), dtype=np.int64)
    for kind, count in wanted.items():
        if kind == "one_document":
            chosen = shuffled[allowed[shuffled]][:count].tolist()
        elif kind == "hardest":
            chosen = most_similar(similarity, allowed, shuffled, count).tolist()
        elif kind == "fixed_random":
            chosen = rng.choice(np.flatnonzero(allowed), count, replace=False).tolist()
        else:
            weight = weights(kind, parameters, allowed, similarity, shuffled)
            drawn = draw_distinct(rng, weight, drawn, count)
            continue
        fixed += chosen
        allowed[chosen] = False
    return np.column_stack([np.tile(fixed, (rows, 1)).astype(np.int64), drawn])


def most_similar(
    similarity: np.ndarray, allowed: np.ndarray, shuffled: np.ndarray, count: int
) -> np.ndarray:
    """Return the `count` most similar allowed documents, best first, ties in shuffled order."""
    candidates = shuffled[allowed[shuffled]]
    return candidates[np.argsort(-similarity[candidates], kind="stable")[:count]]


def weights(
    kind: str,
    parameters: Parameters,
    allowed: np.ndarray,
    similarity: np.ndarray | None,
    shuffled: np.ndarray,
) -> np.ndarray:
    """With what weight each document is drawn; mined ones begin as random ones."""
    if kind == "weighted":
        return np.where(allowed, np.maximum(similarity, 0).astype(np.float64) ** parameters.beta, 0)
    if kind == "near":
        weight = np.zeros(len(allowed))
        weight[most_similar(similarity, allowed, shuffled, parameters.near)] = 1
        return weight
    return allowed.astype(np.float64)


def draw_distinct(
    rng: np.random.Generator, weight: np.ndarray, taken: np.ndarray, count: int
) -> np.ndarray:
    """Add `count` columns drawn by weight, without replacement inside a row."""
    candidates = np.flatnonzero(weight)
    if len(candidates) < count + taken.shape[1]:
        raise KitError(
            f"{len(candidates)} documents can be drawn, rows want {count + taken.shape[1]}",
            where="parameters.negatives",
            hint="ask for fewer negatives, or raise `near`",
        )
    cumulative = np.cumsum(weight[candidates])

    def draw(size: int) -> np.ndarray:
        place = np.searchsorted(cumulative, rng.random(size) * cumulative[-1], side="right")
        return candidates[np.minimum(place, len(candidates) - 1)]

    for _ in range(count):
        column = draw(len(taken))
        for attempt in range(101):  # drawing again until new is exact; it is slow only if one
            again = np.flatnonzero((taken == column[:, None]).any(axis=1))  # document has it all
            if not len(again):
                break
            column[again] = draw(len(again)) if attempt < 100 else redraw(rng, weight, taken[again])  # noqa: PLR2004
        taken = np.column_stack([taken, column])
    return taken


def redraw(rng: np.random.Generator, weight: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """One document for each row, by weight among those the row has not."""
    left = np.tile(weight, (len(taken), 1))
    np.put_along_axis(left, taken, 0, axis=1)
    return np.array([rng.choice(len(weight), p=row / row.sum()) for row in left])


# ------------------------------------------------------------------------------------- encoders


def static_embedding() -> type:
    """Return sentence-transformers' own StaticEmbedding, without loading the rest of the library.

    Its packages import trainers, model cards and scikit-learn when they are first touched: three
    seconds.  Empty packages in their place let the one module and its two base classes load as
    they stand on disk.
    """
    library = "sentence_transformers"
    root = Path(importlib.util.find_spec(library).submodule_search_locations[0])
    home = "sentence_transformer.modules"
    for part in ("", "util", "base", "base.modules", "sentence_transformer", home):
        name = f"{library}.{part}".rstrip(".")
        sys.modules[name] = ModuleType(name)
        sys.modules[name].__path__ = [str(root.joinpath(*part.split(".")))]
    files = importlib.import_module(f"{library}.util.file_io")
    sys.modules[f"{library}.util"].load_file_path = files.load_file_path
    sys.modules[f"{library}.util"].load_dir_path = files.load_dir_path
    return importlib.import_module(f"{library}.{home}.static_embedding").StaticEmbedding


def learn_tokenizer(texts: Sequence[str], vocabulary: int) -> Any:  # noqa: ANN401
    """Byte-pair encoding of lower-cased words; unseen characters fall back to bytes."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers  # noqa: PLC0415

    tokenizer = Tokenizer(models.BPE(byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        show_progress=False,
        special_tokens=[f"<0x{byte:02X}>" for byte in range(256)],
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


class RowAdam:
    """torch.optim.SparseAdam for one matrix: only rows that had a gradient move.

    Written out because making any torch.optim optimizer loads torch's compiler, for a second.
    """

    def __init__(self, weight: torch.nn.Parameter) -> None:
        self.weight, self.steps = weight, 0
        self.mean, self.square = torch.zeros_like(weight), torch.zeros_like(weight)

    def step(self, learning_rate: float) -> None:
        """Move the rows in the gradient by one step of Adam (arXiv:1412.6980), then forget it."""
        self.steps += 1
        gradient = self.weight.grad.coalesce()
        rows, values = gradient.indices()[0], gradient.values()
        with torch.no_grad():
            mean = self.mean[rows].lerp_(values, 0.1)
            square = self.square[rows].mul_(0.999).addcmul_(values, values, value=0.001)
            self.mean[rows], self.square[rows] = mean, square
            rate = learning_rate * math.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
            self.weight[rows] -= mean.div_(square.sqrt_().add_(1e-8)).mul_(rate)
        self.weight.grad = None


class Encoder:
    """Texts to unit vectors.  Texts are registered once and then named by their numbers."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.texts: list[str] = []

    def register(self, texts: Sequence[str]) -> np.ndarray:
        """Take up texts; returns their numbers."""
        self.texts += texts
        return np.arange(len(self.texts) - len(texts), len(self.texts))

    def embed(self, rows: np.ndarray) -> torch.Tensor:
        """Return (rows, dimensions) float32, each of length one: a product is a cosine."""
        return functional.normalize(self.forward(rows), dim=1)

    def vectors(self, rows: np.ndarray, chunk: int) -> np.ndarray:
        """Embed without training, `chunk` texts at a time."""
        self.module.eval()
        with torch.no_grad():
            parts = [self.embed(rows[i : i + chunk]) for i in range(0, len(rows), chunk)]
        self.module.train()
        return torch.cat(parts).cpu().numpy()


class StaticEncoder(Encoder):
    """StaticEmbedding from a random start; texts are tokenized once, a batch is a slice."""

    def __init__(self, texts: Sequence[str], parameters: Parameters, device: str) -> None:
        super().__init__(device)
        tokenizer = learn_tokenizer(texts, parameters.vocabulary)
        self.module = static_embedding()(tokenizer, embedding_dim=parameters.dimensions).to(device)
        self.module.embedding.sparse = True  # a batch touches a tenth of the vocabulary
        self.optimizer = RowAdam(self.module.embedding.weight)
        self.tokens = np.empty(0, dtype=np.int64)
        self.sizes = np.empty(0, dtype=np.int64)

    def register(self, texts: Sequence[str]) -> np.ndarray:
        """Tokenize as StaticEmbedding does, but keep the result."""
        encodings = self.module.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        ids = [np.array(encoding.ids, dtype=np.int64) for encoding in encodings]
        self.tokens = np.concatenate([self.tokens, *ids])
        self.sizes = np.concatenate([self.sizes, [len(each) for each in ids]])
        self.first = np.cumsum(self.sizes) - self.sizes
        return super().register(texts)

    def forward(self, rows: np.ndarray) -> torch.Tensor:
        """Gather the token numbers of many texts in one indexing, then take their means."""
        sizes = self.sizes[rows]
        offsets = np.cumsum(sizes) - sizes
        place = np.arange(sizes.sum()) + np.repeat(self.first[rows] - offsets, sizes)
        features = {"input_ids": self.tokens[place], "offsets": offsets}
        features = {k: torch.from_numpy(v).to(self.device) for k, v in features.items()}
        return self.module(features)["sentence_embedding"]

    def step(self, loss: torch.Tensor, learning_rate: float) -> None:
        """Take one step of the optimizer."""
        loss.backward()
        self.optimizer.step(learning_rate)


class PretrainedEncoder(Encoder):
    """Any sentence-transformers model, from a folder."""

    def __init__(self, path: Path, device: str) -> None:
        super().__init__(device)
        if not path.is_dir():
            raise KitError("no such model", where=str(path), hint="the judge mounts it by digest")
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415  # four seconds

        self.module = SentenceTransformer(str(path), device=device, local_files_only=True)
        self.optimizer = torch.optim.AdamW(self.module.parameters(), lr=0.0, weight_decay=0.01)
        self.module.train()

    def forward(self, rows: np.ndarray) -> torch.Tensor:
        """Tokenize, pad and run one batch."""
        features = self.module.preprocess([self.texts[row] for row in rows])
        features = {k: v.to(self.device) if hasattr(v, "to") else v for k, v in features.items()}
        return self.module(features)["sentence_embedding"]

    def step(self, loss: torch.Tensor, learning_rate: float) -> None:
        """Take one step of the optimizer."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


# ----------------------------------------------------------------------------------- stage train


def train(trial: Trial, parameters: Parameters) -> None:
    """Train on the stream, then write vectors (or a run) of the corpus and of every query set."""
    if trial.device == "cuda" and not torch.cuda.is_available():
        raise KitError("cuda was asked for", where="trial.json", hint="no GPU is visible here")
    seed_everything(trial.seed, threads=trial.threads)
    faiss.omp_set_num_threads(trial.threads)
    data = Data(trial)
    asked, answers = parameters.query_prompt, parameters.document_prompt
    texts = [answers + text for text in data.documents], [asked + text for text in data.queries]
    encoder = (
        PretrainedEncoder(trial.model, trial.device)
        if trial.model
        else StaticEncoder([*texts[0], *texts[1]], parameters, trial.device)
    )
    documents, queries = encoder.register(texts[0]), encoder.register(texts[1])
    learn(trial, parameters, data, encoder, documents=documents, queries=queries)
    corpus = encoder.vectors(documents, chunk=parameters.batch_size * 4)
    if trial.outputs == "vectors":
        write_vectors(trial, "corpus", corpus)
    for name in trial.query_sets:
        split = trial.queries(name)
        rows = encoder.register([asked + query.text for query in split])
        vectors = encoder.vectors(rows, chunk=parameters.batch_size * 4)
        if trial.outputs == "vectors":
            write_vectors(trial, f"queries-{name}", vectors)
        else:
            found, scores = search(corpus, vectors, trial.depth)
            ids = np.array(data.document_ids, dtype=object)[found].tolist()
            results = [list(zip(*row, strict=True)) for row in zip(ids, scores, strict=True)]
            write_run(trial, name, [query.id for query in split], results)


def learn(
    trial: Trial,
    parameters: Parameters,
    data: Data,
    encoder: Encoder,
    *,
    documents: np.ndarray,
    queries: np.ndarray,
) -> None:
    """Follow the stream batch by batch; the learning rate falls to zero in a straight line."""
    bounds, asked, positives, negatives = read_stream(trial, data)
    steps, began = len(bounds) - 1, time.monotonic()
    rng = np.random.default_rng([trial.seed, 2])
    for step in range(steps):
        if parameters.mined and starts_epoch(step, steps, parameters):
            corpus = encoder.vectors(documents, chunk=parameters.batch_size * 4)
            wondering = encoder.vectors(queries, chunk=parameters.batch_size * 4)
            negatives = mine(parameters, data, asked, negatives, corpus, wondering, rng)
        rows = slice(bounds[step], bounds[step + 1])
        batch = np.column_stack([positives[rows], negatives[rows]])
        blocked = (
            data.relevant(asked[rows, None], positives[None, rows]) if parameters.in_batch else None
        )
        vectors = encoder.embed(np.concatenate([queries[asked[rows]], documents[batch.ravel()]]))
        loss = info_nce(vectors, batch.shape, blocked, parameters.temperature)
        encoder.step(loss, parameters.learning_rate * (1 - step / steps))
        if step % max(1, steps // 20) == 0 or step == steps - 1:
            passed = time.monotonic() - began
            log_step(trial, step=step, steps=steps, loss=loss.item(), seconds=passed)


def read_stream(trial: Trial, data: Data) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return where steps begin and end, then queries, positives and (rows, N) negatives."""
    rows = trial.stream()
    query_row = {name: row for row, name in enumerate(data.query_ids)}
    steps = np.array([int(row[0]) for row in rows])
    bounds = np.flatnonzero(np.diff(steps, prepend=-1, append=-1))
    queries = np.array([query_row[row[1]] for row in rows])
    documents = np.array([[data.row_of[name] for name in row[2:]] for row in rows])
    return bounds, queries, documents[:, 0], documents[:, 1:]


def starts_epoch(step: int, steps: int, parameters: Parameters) -> bool:
    """Whether it is time to mine: at the start of every `refresh`-th epoch but the first."""
    if steps % parameters.epochs:
        raise KitError(
            f"{steps} steps are not {parameters.epochs} epochs",
            where="train/stream.tsv",
            hint="mining needs the `epochs` that assign was given",
        )
    epoch, place = divmod(step, steps // parameters.epochs)
    return place == 0 and epoch > 0 and epoch % parameters.refresh == 0


def mine(
    parameters: Parameters,
    data: Data,
    asked: np.ndarray,
    negatives: np.ndarray,
    corpus: np.ndarray,
    queries: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Put what the encoder ranks first, and is not relevant, into the last columns of all rows.

    `mined_with_positives` leaves the relevant ones in: an error to be seen, not a method.
    """
    count = parameters.mined
    exclude = not parameters.negatives.get("mined_with_positives", 0)
    most = max(len(row) for row in data.positives) if exclude else 0
    deep = max(parameters.mined_depth, count)
    kept = negatives[:, :-count]
    found, _ = search(corpus, queries, deep + most + kept.shape[1])
    found = found[asked]
    bad = (found[:, :, None] == kept[:, None, :]).any(axis=2)
    if exclude:
        bad |= data.relevant(asked[:, None], found)
    if (~bad).sum(axis=1).min() < deep:
        raise KitError(
            f"some query has fewer than {deep} documents left to mine",
            where="parameters.negatives",
            hint="ask for fewer negatives, or lower `mined_depth`",
        )
    place = np.argsort(bad, axis=1, kind="stable")[:, :deep]  # the good ones first, best first
    if deep > count:
        place = np.sort(rng.permuted(place, axis=1)[:, :count], axis=1)
    return np.column_stack([kept, np.take_along_axis(found, place, axis=1)])


def search(corpus: np.ndarray, queries: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """Return documents and scores, (queries, depth), best first, by exact inner product."""
    index = faiss.IndexFlatIP(corpus.shape[1])
    index.add(corpus)
    scores, found = index.search(queries, min(depth, len(corpus)))
    return found, scores


def info_nce(
    vectors: torch.Tensor, shape: tuple[int, int], blocked: np.ndarray | None, temperature: float
) -> torch.Tensor:
    """Cross-entropy of the positive against the row's negatives, in-batch also others' positives.

    `vectors`: the queries, then each row's positive and negatives; `shape`: of the latter.
    `blocked`: in-batch only, (rows, rows): whether a row's positive is relevant for a query.
    """
    rows = shape[0]
    queries, documents = vectors[:rows], vectors[rows:].view(*shape, -1)
    scores = torch.einsum("qd,qnd->qn", queries, documents)
    if blocked is not None:
        others = queries @ documents[:, 0].T
        block = torch.from_numpy(blocked).to(others.device)
        scores = torch.cat([scores, others.masked_fill(block, float("-inf"))], dim=1)
    target = torch.zeros(rows, dtype=torch.int64, device=scores.device)
    return functional.cross_entropy(scores / temperature, target)


# ------------------------------------------------------------------------------------------ main


def main() -> None:
    """Run the stage that stands on the command line."""
    stages = {"assign": assign, "train": train}
    trial = read_trial()
    if sys.argv[1:] != [trial.stage] or trial.stage not in stages:
        raise KitError(
            f"stage {trial.stage!r} was asked for, the command line says {sys.argv[1:]}",
            where="trial.json",
            hint=f"stages are {sorted(stages)}",
        )
    stages[trial.stage](trial, Parameters.of(trial))
    finish(trial)


if __name__ == "__main__":
    main()
