"""What `train` makes of a stream: the same bytes for a seed, and only what the parameters say."""

from __future__ import annotations

import json
from itertools import groupby

import numpy as np
import pytest

SMALL = {"epochs": 3, "batch_size": 16, "dimensions": 16, "vocabulary": 320}


@pytest.fixture(scope="module")
def stream(bench):
    output = bench.run("assign", {**SMALL, "negatives": {"random": 3}})
    return output / "stream.tsv"


@pytest.fixture(scope="module")
def plain(bench, stream):
    return bench.run("train", SMALL, stream=stream)


def vectors(output, name="corpus", columns=16):
    return np.fromfile(output / "vectors" / f"{name}.f32", "<f4").reshape(-1, columns)


def same(one, other):
    names = ("corpus", "queries-test")
    return all(
        (one / "vectors" / f"{name}.f32").read_bytes()
        == (other / "vectors" / f"{name}.f32").read_bytes()
        for name in names
    )


@pytest.mark.training
def test_output_is_complete_and_normalised(plain, task):
    written = json.loads((plain / "outputs.json").read_text())
    assert written["files"] == {
        "vectors/corpus.f32": {"rows": len(task.documents), "columns": 16},
        "vectors/queries-test.f32": {"rows": 50, "columns": 16},
    }
    assert np.allclose(np.linalg.norm(vectors(plain), axis=1), 1, atol=1e-5)


@pytest.mark.training
def test_training_finds_documents_and_the_loss_falls(plain, task):
    scores = vectors(plain, "queries-test") @ vectors(plain).T
    best = [task.documents[i] for i in scores.argmax(axis=1)]
    hits = [name in q["positives"] for name, q in zip(best, task.queries[:50], strict=True)]
    assert np.mean(hits) > 0.7  # chance is 1 in 60
    lines = [json.loads(line) for line in (plain / "telemetry.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert lines[-1]["step"] == lines[-1]["steps"] - 1


@pytest.mark.training
def test_two_processes_give_equal_bytes_and_another_seed_does_not(bench, stream, plain):
    assert same(plain, bench.run("train", SMALL, stream=stream))
    assert not same(plain, bench.run("train", SMALL, stream=stream, seed=2))


@pytest.mark.training
def test_in_batch_changes_training(bench, stream, plain):
    assert not same(plain, bench.run("train", {**SMALL, "in_batch": True}, stream=stream))


@pytest.mark.training
def test_the_arm_is_not_looked_at_unless_it_mines(bench, stream, plain):
    named = {**SMALL, "negatives": {"hardest": 3}, "near": 4, "beta": 1.0}
    assert same(plain, bench.run("train", named, stream=stream))


@pytest.mark.training
def test_mining_changes_training_and_so_does_leaving_positives_in(bench, stream, plain):
    mined = bench.run("train", {**SMALL, "negatives": {"mined": 3}}, stream=stream)
    wrong = bench.run("train", {**SMALL, "negatives": {"mined_with_positives": 3}}, stream=stream)
    assert not same(plain, mined)
    assert not same(mined, wrong)


@pytest.mark.training
def test_a_run_ranks_as_the_vectors_do(bench, stream, plain, task):
    output = bench.run("train", SMALL, stream=stream, outputs="run", depth=7)
    rows = [line.split(" ") for line in (output / "test.trec").read_text().splitlines()]
    scores = vectors(plain, "queries-test") @ vectors(plain).T
    groups = [list(group) for _, group in groupby(rows, key=lambda row: row[0])]
    assert [group[0][0] for group in groups] == [query["id"] for query in task.queries[:50]]
    for group, expected in zip(groups, scores, strict=True):
        assert [row[3] for row in group] == [str(rank) for rank in range(1, 8)]
        assert len({row[2] for row in group}) == 7
        best = np.sort(expected)[::-1][:7]
        assert np.allclose([float(row[4]) for row in group], best, atol=1e-5)
    assert not (output / "vectors").exists()


@pytest.mark.training
def test_a_pretrained_transformer_goes_through_the_same_loop(bench, stream, tmp_path):
    """Two random layers, saved as any model of the library is."""
    bench.python_says(f"""
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
folder = {str(tmp_path)!r}
words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', *'abcdefghijklmnopqrstuvwxyz0123']
words += ['##' + word for word in words[5:]]
inner = Tokenizer(models.WordPiece(dict(zip(words, range(len(words)))), unk_token='[UNK]'))
inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
PreTrainedTokenizerFast(tokenizer_object=inner, pad_token='[PAD]', unk_token='[UNK]',
    cls_token='[CLS]', sep_token='[SEP]', mask_token='[MASK]').save_pretrained(folder + '/bert')
torch.manual_seed(0)
BertModel(BertConfig(vocab_size=len(words), hidden_size=16, num_hidden_layers=2,
    num_attention_heads=2, intermediate_size=32)).save_pretrained(folder + '/bert')
body = Transformer(folder + '/bert')
SentenceTransformer(modules=[body, Pooling(16)]).save(folder + '/models/tiny')
print(1)
""")
    given = {"model": "models/tiny", "model_folder": tmp_path / "models"}
    parameters = {"epochs": 3, "batch_size": 16, "learning_rate": 0.001, "query_prompt": "query: "}
    one = bench.run("train", parameters, stream=stream, **given)
    assert vectors(one).shape == (60, 16)
    losses = [json.loads(x)["loss"] for x in (one / "telemetry.jsonl").read_text().splitlines()]
    assert losses[-1] < losses[0]


def test_a_gpu_that_is_not_there_is_an_error(bench, stream):
    code = "import torch; print(int(torch.cuda.is_available()))"
    if bench.python_says(code):
        pytest.fail("this test needs a machine, or an environment, without a GPU")
    done, output = bench.attempt("train", SMALL, stream=stream, device="cuda")
    assert done.returncode != 0
    assert "cuda was asked for" in done.stderr
    assert not (output / "outputs.json").exists()


def test_the_command_line_and_the_trial_must_agree(bench):
    done, _ = bench.attempt("build", {})
    assert done.returncode != 0
    assert "stages are ['assign', 'train']" in done.stderr


def test_mining_needs_the_epochs_of_the_stream(bench, stream):
    parameters = {**SMALL, "epochs": 2, "negatives": {"mined": 1}}
    done, _ = bench.attempt("train", parameters, stream=stream)
    assert "are not 2 epochs" in done.stderr


def test_in_batch_adds_others_positives_but_never_a_relevant_one(bench):
    """Against the formula, written out row by row."""
    found = bench.python_says("""
import json, numpy as np, torch, negative_sampling as ns
rng = np.random.default_rng(0)
unit = lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True)
q, d = unit(rng.normal(size=(3, 8))), unit(rng.normal(size=(3, 3, 8)))
vectors = torch.tensor(np.concatenate([q, d.reshape(9, 8)]))
blocked = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1]], dtype=bool)
def by_hand(extra):
    total = 0
    for i in range(3):
        s = list(d[i] @ q[i])
        s += [d[j, 0] @ q[i] for j in range(3) if extra and not blocked[i, j]]
        s = np.exp(np.array(s) / 0.2)
        total -= np.log(s[0] / s.sum()) / 3
    return total
print(json.dumps([[float(ns.info_nce(vectors, (3, 3), b, 0.2)), by_hand(b is not None)]
                  for b in (None, blocked)]))
""")
    for ours, by_hand in found:
        assert ours == pytest.approx(by_hand, rel=1e-9)
    assert found[0][0] < found[1][0]


def test_relevance_is_looked_up_per_query(bench):
    found = bench.python_says("""
import json, numpy as np, negative_sampling as ns
data = ns.Data.__new__(ns.Data)
data.documents = list('abcd')
data._relevant = np.array([0 * 4 + 1, 0 * 4 + 3, 2 * 4 + 0])
print(json.dumps(data.relevant(np.arange(3)[:, None], np.arange(4)[None]).astype(int).tolist()))
""")
    assert found == [[0, 1, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]]


def test_mined_are_the_best_that_are_neither_relevant_nor_in_the_row(bench):
    found = bench.python_says("""
import json, numpy as np, negative_sampling as ns
data = ns.Data.__new__(ns.Data)
data.documents, data.positives = list('abcdef'), [[0, 1], [2]]
data._relevant = np.array([0, 1, 6 + 2])
corpus = np.eye(6, dtype=np.float32)
queries = np.array([[.9, .8, .7, .6, .5, .4], [.1, .2, .9, .3, .4, .5]], dtype=np.float32)
asked, before = np.array([1, 0, 0]), np.array([[5, 0, 1], [3, 4, 5], [2, 4, 5]])
def mine(kind, depth=0):
    p = ns.Parameters(negatives={'random': 1, kind: 2}, mined_depth=depth)
    rng = np.random.default_rng(0)
    return ns.mine(p, data, asked, before, corpus, queries, rng).tolist()
print(json.dumps([mine('mined'), mine('mined_with_positives'), mine('mined', 3)]))
""")
    assert found[0] == [[5, 4, 3], [3, 2, 4], [2, 3, 4]]
    assert found[1] == [[5, 2, 4], [3, 0, 1], [2, 0, 1]]
    for row, allowed in zip(found[2], ({4, 3, 1}, {2, 4, 5}, {3, 4, 5}), strict=True):
        assert set(row[1:]) < allowed


def test_unseen_scripts_fall_back_to_bytes(bench):
    found = bench.python_says("""
import json, negative_sampling as ns
tokenizer = ns.learn_tokenizer(['Addis Ababa', 'Nairobi', 'Abuja', 'Naira'] * 5, 290)
text = 'አዲስ'
one = tokenizer.encode(text, add_special_tokens=False).tokens
again = ns.learn_tokenizer(['Addis Ababa', 'Nairobi', 'Abuja', 'Naira'] * 5, 290)
print(json.dumps([one, list(text.encode()), tokenizer.to_str() == again.to_str()]))
""")
    tokens, data, equal = found
    assert tokens[-len(data) :] == [f"<0x{byte:02X}>" for byte in data]
    assert equal


def test_the_encoder_is_the_librarys_own_and_adam_is_torchs(bench):
    """The short way of importing gives the same file's class; RowAdam gives SparseAdam's steps."""
    found = bench.python_says("""
import inspect, json, torch, negative_sampling as ns
fast = ns.static_embedding()
source = inspect.getsource(fast)
for name in [name for name in sys.modules if name.startswith('sentence_transformers')]:
    del sys.modules[name]
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
torch.manual_seed(0)
one = torch.nn.EmbeddingBag(50, 8, mode='mean', sparse=True)
two = torch.nn.EmbeddingBag(50, 8, mode='mean', sparse=True)
two.load_state_dict(one.state_dict())
ours, theirs = ns.RowAdam(one.weight), torch.optim.SparseAdam(two.parameters(), lr=.1)
for step in range(30):
    ids, offsets = torch.randint(0, 50, (40,)), torch.arange(0, 40, 4)
    goal = torch.randn(10, 8)
    for bag in (one, two):
        ((bag(ids, offsets) - goal) ** 2).sum().backward()
    ours.step(.1 * (1 - step / 60))
    theirs.param_groups[0]['lr'] = .1 * (1 - step / 60)
    theirs.step(); theirs.zero_grad()
gap = (one.weight - two.weight).abs().max().item()
print(json.dumps([fast.__name__, source == inspect.getsource(StaticEmbedding), gap]))
""")
    assert found[:2] == ["StaticEmbedding", True]
    assert found[2] < 1e-5
