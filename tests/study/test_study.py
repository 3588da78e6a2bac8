"""What is planned and frozen: identity is content, seeds are the verifier's, tries are counted."""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.documents.evidence import Variant
from verifier.documents.measures import Measure
from verifier.documents.words import Stage
from verifier.pipeline.freeze import make_frame
from verifier.stats.alpha import ledger_alpha
from verifier.study.frame import regime_parameters, study_depth
from verifier.study.plan import looks, study_trials
from verifier.study.seeds import nuisance_values
from verifier.study.trials import Purpose, plan_trial
from verifier.study.tries import (
    Machine,
    account,
    decision_digest,
    lineage_digest,
    statement_digest,
    try_digest,
)

NUISANCE = {"rate": [1, 2, 3], "epochs_more": [4, 5, 6]}


@pytest.fixture(scope="module")
def frame(lab):
    document = nuisance_document(lab, nuisance=NUISANCE)
    return make_frame(lab.make_case(document, lab.make_task()), nonce=lab.NONCE, block=0)


def plan(frame, regime="explicit", arm="new", index=0, purpose=None, setting=None):
    return plan_trial(
        frame, setting or frame.settings[0], regime, arm=arm, level=frame.claim.arms[arm],
        index=index, purpose=purpose,
    )  # fmt: skip


def nuisance_document(lab, **changes):
    return lab.with_reproduction(lab.claim_document(seeds={"looks": [10, 20]}), **changes)


def changed_claim(lab, frame, **reproduction):
    document = nuisance_document(lab, **{"nuisance": NUISANCE, **reproduction})
    return replace(frame, claim=lab.read_claim(document))


# Identity


def test_equal_content_has_an_equal_id_whoever_asks(lab, frame):
    """Another sentence, source, name or decision about the same trial: the same trial."""
    document = lab.with_reproduction(
        lab.claim_document(id="other", record="else", statement="Other words.", assay={}),
        nuisance=NUISANCE,
    )
    document["criterion"] |= {"margin": 0.2, "candidate": "new"}
    document["seeds"] = {"looks": [12]}
    other = replace(frame, claim=lab.read_claim(document), decision="sha256:" + "9" * 64)
    assert plan(other) == plan(frame)
    assert plan(frame).id == plan(frame).stages[-1].id


def test_an_arm_has_no_name_in_a_trial(lab, frame):
    """Swapping arm names is vacuous: the level is what counts, and what scripts are told."""
    factors = {"negatives": {"old": {"mined": 1}, "new": {"random": 1}}}
    swapped = changed_claim(lab, frame, factors=factors)
    one, other = plan(frame, arm="new"), plan(swapped, arm="old")
    assert (one.id, one.seed, one.stages) == (other.id, other.seed, other.stages)
    for stage in one.stages:
        assert "new" not in str(stage.parameters)


@pytest.mark.parametrize(
    "change",
    [
        lambda lab, f: replace(f, closure="sha256:" + "1" * 64),
        lambda lab, f: replace(f, environment="sha256:" + "1" * 64),
        lambda lab, f: replace(f, threads=2),
        lambda lab, f: replace(f, device="cuda"),
        lambda lab, f: replace(f, instructions="other"),
        lambda lab, f: replace(f, nonce=b"m" * 32),
        lambda lab, f: replace(f, block=1),
        lambda lab, f: replace(f, settings=(replace(f.settings[0], card="sha256:" + "1" * 64),)),
        lambda lab, f: replace(f, settings=(replace(f.settings[0], task="sha256:" + "1" * 64),)),
        lambda lab, f: replace(f, settings=(replace(f.settings[0], depth=11),)),
        lambda lab, f: replace(f, settings=(replace(f.settings[0], model="sha256:" + "1" * 64),)),
        lambda lab, f: changed_claim(lab, f, outputs="run"),
        lambda lab, f: changed_claim(lab, f, fixed={"epochs": 4}),
        lambda lab, f: changed_claim(lab, f, stages={"assign": ["x"], "train": ["python", "t.py"]}),
        lambda lab, f: changed_claim(lab, f, stages={"assign": ["python", "a.py"], "train": ["x"]}),
        lambda lab, f: changed_claim(
            lab, f, stages={"train": ["python", "t.py"]}, sees_arm=["train"]
        ),
        lambda lab, f: changed_claim(lab, f, sees_arm=["assign", "train"]),
        lambda lab, f: replace(
            f, claim=f.claim.model_copy(
                update={"limits": f.claim.limits.model_copy(update={"wall": "11 min"})})
        ),
        lambda lab, f: replace(
            f, claim=f.claim.model_copy(
                update={"limits": f.claim.limits.model_copy(update={"memory": "5 GiB"})})
        ),
    ],
    ids=range(19),
)  # fmt: skip
def test_every_part_of_the_content_is_in_the_id(lab, frame, change):
    assert plan(change(lab, frame)).id != plan(frame).id


@pytest.mark.parametrize(
    "other",
    [
        {"index": 1},
        {"arm": "old"},
        {"regime": "in_batch"},
        {"purpose": Purpose(seal=1)},
        {"purpose": Purpose(replicate=1)},
        {"purpose": Purpose(variant=Variant(spelling=5))},
        {"purpose": Purpose(variant=Variant(spelling=1, planted=1))},
        {"purpose": Purpose(variant=Variant())},
    ],
)
def test_every_part_of_the_place_is_in_the_id(frame, other):
    assert plan(frame, **other).id != plan(frame).id


def test_why_a_trial_is_run_is_not_in_its_id(frame):
    asked = plan(frame, purpose=Purpose(role="C9", strike=2))
    assert (asked.role, asked.strike) == ("C9", 2)
    assert asked.id == plan(frame).id


def test_a_replicate_has_the_seal_of_what_it_repeats_and_another_key_has_not(frame):
    again = plan(frame, purpose=Purpose(role="C1", replicate=1))
    rekeyed = plan(frame, purpose=Purpose(role="C3", seal=1))
    plain = plan(frame)
    assert [s.seal for s in again.stages] == [s.seal for s in plain.stages]
    assert [s.id for s in plain.stages] == [s.seal for s in plain.stages]
    assert not {s.id for s in again.stages} & {s.id for s in plain.stages}
    assert not {s.seal for s in rekeyed.stages} & {s.seal for s in plain.stages}
    assert again.seed == rekeyed.seed == plain.seed


def test_stages_hang_together(lab, frame):
    assign, train = plan(frame).stages
    assert (assign.stage, train.stage) == (Stage.ASSIGN, Stage.TRAIN)
    assert train.key["after"] == [assign.id]
    alone = plan(changed_claim(lab, frame, stages={"train": ["python", "t.py"]},
                               sees_arm=["train"]))  # fmt: skip
    assert [s.stage for s in alone.stages] == [Stage.TRAIN]


def test_only_stages_that_see_the_arm_get_the_factor(lab, frame):
    """`train` gets byte-identical parameters in all arms; what it is asked to do is in its stream.

    Its id still differs, because it follows another stream.
    """
    new, old = plan(frame, arm="new"), plan(frame, arm="old")
    assert new.stages[0].parameters["negatives"] == {"mined": 1}
    assert old.stages[0].parameters["negatives"] == {"random": 1}
    assert new.stages[1].parameters == old.stages[1].parameters
    assert "negatives" not in new.stages[1].parameters
    assert new.stages[1].id != old.stages[1].id
    seeing = changed_claim(lab, frame, sees_arm=["train"])
    assign, train = plan(seeing, arm="new").stages
    assert "negatives" not in assign.parameters
    assert train.parameters["negatives"] == {"mined": 1}
    assert plan(frame).parameters["negatives"] == {"mined": 1}  # the row tells it always


# Seeds


@settings(deadline=None, max_examples=30)
@given(block=st.integers(0, 1000), index=st.integers(0, 199))
def test_seeds_are_the_verifiers(frame, block, index):
    """Below 2**31, the same again, another for every arm, regime, index, block and nonce."""
    there = replace(frame, block=block)
    places = [
        (there, "explicit", "new", index),
        (there, "explicit", "old", index),
        (there, "in_batch", "new", index),
        (there, "explicit", "new", index + 1),
        (replace(there, block=block + 1), "explicit", "new", index),
        (replace(there, nonce=b"x"), "explicit", "new", index),
        (replace(there, closure="sha256:" + "8" * 64), "explicit", "new", index),
    ]
    seeds = [plan(f, r, a, i).seed for f, r, a, i in places]
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert len(set(seeds)) == len(seeds)
    assert seeds == [plan(f, r, a, i).seed for f, r, a, i in places]


def test_seeds_of_two_arms_are_not_tied_together(frame):
    pairs = [(plan(frame, index=i).seed, plan(frame, arm="old", index=i).seed) for i in range(40)]
    above = sum(a > b for a, b in pairs)
    assert 8 < above < 32
    assert len({(a - b) % 2**31 for a, b in pairs}) == 40


def test_the_seed_of_an_arm_does_not_depend_on_nuisance_values(lab, frame):
    """Seeds are of the arm's own parameters, so that claims can share trials."""
    other = changed_claim(lab, frame, nuisance={"rate": [7, 8, 9]})
    assert plan(other).seed == plan(frame).seed
    assert plan(other).id != plan(frame).id


@settings(deadline=None, max_examples=30)
@given(index=st.integers(0, 199))
def test_nuisance_values_are_equal_in_all_arms_and_regimes_of_an_index(frame, index):
    """One seed index, one draw: the arms differ in nothing but their factor."""
    drawn = nuisance_values(frame, frame.settings[0], index)
    assert drawn.keys() == NUISANCE.keys()
    assert all(drawn[name] in values for name, values in NUISANCE.items())
    for regime in frame.regimes:
        for arm in frame.claim.arms:
            parameters = plan(frame, regime, arm, index).parameters
            assert {name: parameters[name] for name in NUISANCE} == drawn


@settings(deadline=None, max_examples=20)
@given(block=st.integers(0, 50), cycle=st.integers(0, 5))
def test_every_round_of_seeds_meets_every_combination_once(frame, block, cycle):
    """Nine combinations, nine seeds: none is missed, and none comes twice."""
    there = replace(frame, block=block)
    draws = [nuisance_values(there, frame.settings[0], i) for i in range(9 * cycle, 9 * cycle + 9)]
    assert len({(d["rate"], d["epochs_more"]) for d in draws}) == 9


def test_the_order_of_combinations_is_the_verifiers(frame):
    def order(frame, cycle=0):
        draws = [nuisance_values(frame, frame.settings[0], 9 * cycle + i) for i in range(9)]
        return tuple((d["rate"], d["epochs_more"]) for d in draws)

    orders = {order(replace(frame, block=b), c) for b in range(5) for c in range(3)}
    orders |= {order(replace(frame, nonce=bytes([n]))) for n in range(5)}
    assert len(orders) == 20


# Study


def test_the_study_is_balanced_wherever_it_is_cut(frame):
    trials = study_trials(frame, first=2, last=5)
    assert len(trials) == 3 * 2 * 2
    assert len({t.id for t in trials}) == len(trials)
    assert [t.index for t in trials] == [i for i in (2, 3, 4) for _ in range(4)]
    for start in range(0, len(trials), 4):
        cut = trials[start : start + 4]
        assert {(t.regime, t.arm) for t in cut} == {
            (r, a) for r in ("explicit", "in_batch") for a in ("new", "old")
        }
    assert all((t.role, t.seal, t.replicate, t.variant) == ("study", 0, 0, Variant(spelling=1))
               for t in trials)  # fmt: skip


def test_looks_add_the_seeds_between_them(frame):
    assert looks(frame) == ((0, 10), (10, 20))
    assert study_trials(frame, first=5, last=5) == ()


@pytest.mark.parametrize(
    ("measure", "depth"), [("RR@10", 10), ("Success@3", 10), ("nDCG@50", 50), ("AP", 1000)]
)
def test_the_depth_of_a_study(measure, depth):
    assert study_depth(Measure.parse(measure)) == depth


def test_regimes_set_their_parameter_and_nothing_else(lab, frame):
    assert regime_parameters("only") == {}
    assert regime_parameters("explicit") == {"in_batch": False}
    assert regime_parameters("in_batch") == {"in_batch": True}
    bare = replace(frame, claim=lab.read_claim(lab.claim_document(regimes=[])))
    assert bare.regimes == ("only",)
    assert "in_batch" not in plan(bare, "only").parameters


# The decision


def decision(lab, **changes):
    return decision_digest(lab.read_claim(lab.claim_document(**changes)))


def test_words_do_not_move_the_decision(lab):
    source = {**lab.claim_document()["source"], "work": "w", "locator": "l"}
    source["reported"] = [{"measure": "RR@10", "arm": "new", "value": "0.5"}]
    words = {"statement": "x", "id": "y", "record": "z", "source": source}
    for name, value in words.items():
        assert decision(lab, **{name: value}) == decision(lab)
    reasons = [
        decision(lab, requires="analogue", requires_reason=why) for why in ("one", "another")
    ]
    assert reasons[0] == reasons[1]


def test_spelling_and_comments_do_not_move_the_decision(lab):
    from verifier.documents.claim import Claim  # noqa: PLC0415
    from verifier.documents.reading import read_document  # noqa: PLC0415

    data = lab.claim_bytes(lab.claim_document())
    commented = b"# a comment\n" + data.replace(b"0.05", b"5.0e-2")
    assert commented != data
    assert decision_digest(read_document(Claim, commented, name="c.yaml")) == decision(lab)
    written = lab.claim_document(limits={"wall": "10 min", "memory": "4 GiB"})
    assert decision_digest(lab.read_claim(written)) == decision(lab)  # defaults are effective


def criterion(**changes):
    def change(document):
        document["criterion"] |= changes

    return change


def reproduction(**changes):
    def change(document):
        document["reproduction"] |= changes

    return change


@pytest.mark.parametrize(
    "change",
    [
        criterion(margin=0.06),
        criterion(measure="RR@5"),
        criterion(weights="micro"),
        criterion(margin=0, direction_only=True),
        criterion(candidate="old", baseline="new"),
        reproduction(fixed={"epochs": 4}),
        reproduction(deterministic=True),
        reproduction(files=["a.py"]),
        reproduction(sees_arm=["assign", "train"]),
        reproduction(nuisance={"rate": [1, 2, 3]}),
        reproduction(factors={"negatives": {"new": {"mined": 2}, "old": {"random": 1}}}),
        lambda d: d.update(seeds={"looks": [5, 20]}),
        lambda d: d.update(regimes=["explicit"]),
        lambda d: d.update(quantifier="this_setting"),
        lambda d: d.update(requires="reproduction"),
        lambda d: d.update(assay={}),
        lambda d: d.update(limits={"wall": "1 h"}),
        lambda d: d["source"].update(states_size=False),
        lambda d: d["source"].update(task="passage retrieval"),
        lambda d: d["source"].update(encoders=["e5"]),
        lambda d: d["source"].update(data=["a set"]),
        lambda d: d.update(settings=[{"name": "other-names"}]),
    ],
    ids=range(22),
)
def test_what_can_move_the_decision_moves_its_digest(lab, change):
    document = copy.deepcopy(lab.claim_document())
    change(document)
    assert decision_digest(lab.read_claim(document)) != decision(lab)


def test_a_try_is_all_that_can_move_the_decision():
    one = {"card": "c", "task": "t", "encoder": "static", "model": None}
    here = Machine(threads=1, device="cpu", instructions="i")
    base = {"decision": "d", "closure": "c", "environment": "e", "settings": [one],
            "machine": here}  # fmt: skip
    others = [
        {**base, "decision": "x"},
        {**base, "closure": "x"},
        {**base, "environment": "x"},
        {**base, "settings": []},
        *({**base, "settings": [{**one, key: "x"}]} for key in one),
        {**base, "machine": replace(here, threads=2)},
        {**base, "machine": replace(here, device="cuda")},
        {**base, "machine": replace(here, instructions="j")},
    ]
    digests = {try_digest(**b) for b in (base, *others)}
    assert len(digests) == 12


def test_a_lineage_is_work_locator_and_test_split(lab):
    def lineage(tasks, **changes):
        return lineage_digest(lab.read_claim(lab.claim_document(**changes)), tasks)

    here = {lab.SETTING: "a"}
    plain = lineage(here)
    assert lineage(here, statement="x", id="other", quantifier="this_setting") == plain
    assert lineage({lab.SETTING: "b"}) != plain
    source = lab.claim_document()["source"]
    for same in (
        {"work": "ArXiv:0000.00000"},
        {"work": "arxiv:0000.00000v3"},
        {"locator": "  Table   1 "},
    ):
        assert lineage(here, source={**source, **same}) == plain
    for other in ({"work": "arxiv:0000.00001"}, {"locator": "table 2"}):
        assert lineage(here, source={**source, **other}) != plain
    both = [{"name": lab.SETTING}, {"name": "other-names", "optional": True}]
    assert lineage({**here, "other-names": "b"}, settings=both) == plain
    both[1] = {"name": "other-names"}
    assert lineage({**here, "other-names": "b"}, settings=both) != plain


def test_a_statement_is_its_words(lab):
    def statement(text):
        return statement_digest(lab.read_claim(lab.claim_document(statement=text)))

    assert statement("New beats old.") == statement("New  beats\n old. ")
    assert statement("New beats old.") != statement("Old beats new.")


# Tries


def freeze(name, lineage="L", number=1, block=0, alpha=0.5):
    body = {"try": name, "lineage": lineage, "number": number, "alpha": alpha, "block": block}
    return {"kind": "freeze", "body": body}


def ended(kind, name, finished=0):
    return {"kind": kind, "body": {"try": name, "finished": finished}}


def test_the_first_try_of_an_empty_account():
    first = account([{"kind": "nonce", "body": {}}], lineage="L", attempt="a")
    assert (first.number, first.block, first.known) == (1, 0, False)
    assert first.alpha == pytest.approx(0.01 * 6 / math.pi**2)


def test_every_try_of_a_lineage_gets_the_next_number_and_every_freeze_the_next_block():
    entries = [freeze("a"), ended("verdict", "a"), freeze("b", "other"), freeze("c", number=2)]
    third = account(entries, lineage="L", attempt="d")
    assert (third.number, third.block, third.known) == (3, 3, False)
    assert third.alpha == ledger_alpha(0.01, 3)
    assert account(entries, lineage="other", attempt="d").number == 2
    assert account(entries, lineage="new", attempt="d").number == 1
    assert account(entries, lineage="new", attempt="d").block == 3


def test_a_try_that_never_became_scorable_spends_nothing_but_keeps_its_block():
    entries = [freeze("a"), ended("unscorable", "a")]
    again = account(entries, lineage="L", attempt="b")
    assert (again.number, again.block) == (1, 1)
    entries = [freeze("a"), ended("unscorable", "a", finished=1)]  # it has seen a result
    assert account(entries, lineage="L", attempt="b").number == 2


def test_three_tries_of_a_lineage_fail_for_nothing_and_no_more():
    entries = []
    for name in "abcde":
        entries += [freeze(name), ended("unscorable", name)]
    assert account(entries[:6], lineage="L", attempt="x").number == 1
    assert account(entries[:8], lineage="L", attempt="x").number == 2
    assert account(entries, lineage="L", attempt="x").number == 3
    assert account(entries, lineage="M", attempt="x").number == 1


def test_a_known_try_keeps_what_it_was_frozen_with():
    entries = [freeze("a", number=7, block=5, alpha=0.002), freeze("b"), ended("unscorable", "b")]
    known = account(entries, lineage="L", attempt="a")
    assert (known.number, known.alpha, known.block, known.known) == (7, 0.002, 5, True)


@settings(deadline=None)
@given(events=st.lists(st.tuples(st.sampled_from("LM"), st.booleans()), max_size=12))
def test_a_lineage_never_spends_more_than_alpha(events):
    """However tries come and fail, what the scorable ones of a lineage got sums to below .01."""
    entries, spent = [], {"L": 0.0, "M": 0.0}
    for name, (lineage, scorable) in enumerate(events):
        found = account(entries, lineage=lineage, attempt=str(name))
        assert not found.known
        assert found.block == name
        entries.append(freeze(str(name), lineage, found.number, found.block, found.alpha))
        entries.append(ended("verdict" if scorable else "unscorable", str(name)))
        spent[lineage] += found.alpha if scorable else 0
    assert max(spent.values()) < 0.01
