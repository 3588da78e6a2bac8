"""Every control at its edge: what just passes, what just fails, and what nobody can switch off."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from verifier.controls import assay as c9
from verifier.controls import determinism as c1
from verifier.controls import floor as c5
from verifier.controls import halves as c4
from verifier.controls import planted as c8
from verifier.controls import rekey as c3
from verifier.controls import respelled as c7
from verifier.controls import seeding as c2
from verifier.controls.battery import (
    BATTERY,
    battery,
    check_controls,
    control_level,
    control_trials,
    second_strikes,
)
from verifier.controls.draws import drawn_arm, drawn_index, repeat_trial
from verifier.controls.isolation import isolation_findings
from verifier.documents.canonical import digest
from verifier.documents.claim import STATIC
from verifier.documents.evidence import Variant
from verifier.documents.ranking import Qrels, Ranking
from verifier.documents.words import Severity
from verifier.pipeline.collect import judgements_of
from verifier.pipeline.freeze import make_frame
from verifier.scoring.measures import Scores
from verifier.stats.design import macro, micro
from verifier.stats.estimate import estimate_contrast, student
from verifier.study.sheet import ScoredTrial, Sheet, seed_noise
from verifier.study.trials import Purpose

LEVEL = 0.001
SEEDS, QUERIES = 5, 64


@pytest.fixture(scope="module")
def world(lab):
    """Frames of one claim, to make rows from; sheets from arrays of scores."""
    return World(lab)


class World:
    def __init__(self, lab):
        self.lab = lab
        self.task = lab.make_task()
        self.frames = {}

    def frame(self, document=None, **reproduction):
        document = document or self.lab.claim_document()
        document = self.lab.with_reproduction(document, **reproduction)
        return make_frame(self.lab.make_case(document, self.task), nonce=self.lab.NONCE, block=0)

    def trial(self, arm, index, scores, *, purpose=None, ranking=None, level=None, frame=None):
        """One scored trial; its ranking is its own unless given."""
        from verifier.study.trials import plan_trial  # noqa: PLC0415

        frame = frame or self.frame()
        level = frame.claim.arms.get(arm, level)
        plan = plan_trial(
            frame, frame.settings[0], "explicit", arm=arm, level=level, index=index,
            purpose=purpose,
        )  # fmt: skip
        if ranking is None:
            ranking = self.ranking(hash((arm, index)) % 40)
        values = np.asarray(scores, dtype=np.float64)
        row = self.lab.row_of(plan, digest(b"ranking"))
        return ScoredTrial(
            row=row, ranking=ranking, scores=Scores(worst=values, expected=values, best=values)
        )

    def ranking(self, shift=0, *, found=None):
        """One document a query; those in `found` get the right one."""
        right = np.arange(QUERIES) % 40
        wrong = (right + 1 + shift) % 40
        wrong = np.where(wrong == right, (wrong + 1) % 40, wrong)
        documents = (
            wrong if found is None else np.where(np.isin(range(QUERIES), found), right, wrong)
        )
        return Ranking(
            starts=np.arange(QUERIES + 1, dtype=np.int64),
            documents=documents.astype(np.int32),
            tied=np.zeros(QUERIES, dtype=np.bool_),
        )

    def sheet(self, new, old, *, controls=(), frame=None):
        """new, old: (seeds, queries) scores; controls: scored trials."""
        frame = frame or self.frame()
        setting = self.lab.load_setting(frame.claim, self.task)
        table = judgements_of(self.task, self.lab.SETTING).query_sets["test"]
        arms = {
            arm: tuple(
                self.trial(arm, i, row, ranking=self.ranking(i), frame=frame)
                for i, row in enumerate(np.atleast_2d(scores))
            )
            for arm, scores in (("old", old), ("new", new))
        }
        return Sheet(
            claim=frame.claim,
            card=setting.card,
            setting=self.lab.SETTING,
            encoder="static",
            regime="explicit",
            queries=table,
            qrels=Qrels.of([tuple(r) for r in table.relevant]),
            positions=np.arange(QUERIES),
            in_stratum=np.ones(QUERIES, dtype=np.bool_),
            design=macro(table.languages, table.clusters),
            arms=arms,
            controls=tuple(controls),
            failed=(),
        )


def noisy(seed, mean=0.5, sd=0.05, seeds=SEEDS):
    """Scores with some noise of seeds: (seeds, queries)."""
    rng = np.random.default_rng(seed)
    return np.clip(mean + rng.normal(0, sd, (seeds, QUERIES)), 0, 1)


NEW, OLD = noisy(1, 0.6), noisy(2, 0.5)


def shifted(scores, by):
    return np.asarray(scores) + by


# C1, determinism


def c1_row(world, change, *, deterministic=False, ranking=None):
    frame = world.frame(deterministic=deterministic)
    purpose = Purpose(role="C1", replicate=1)
    again = world.trial("new", 2, shifted(NEW[2], change), purpose=purpose,
                        ranking=ranking or world.ranking(30), frame=frame)  # fmt: skip
    return c1.DETERMINISM.check(world.sheet(NEW, OLD, controls=[again], frame=frame), 1, LEVEL)


def test_c1_equal_runs_pass(world):
    assert c1_row(world, 0.0, ranking=world.ranking(2)).state == "passed"


def test_c1_needs_the_same_stream_too(world):
    purpose = Purpose(role="C1", replicate=1)
    again = world.trial("new", 2, NEW[2], purpose=purpose, ranking=world.ranking(2))
    row = again.row.model_copy(update={"stream": digest(b"another")})
    sheet = world.sheet(NEW, OLD, controls=[replace(again, row=row)])
    assert c1.DETERMINISM.check(sheet, 1, LEVEL).state == "warning"


def test_c1_unequal_runs_are_a_warning_up_to_the_noise_of_seeds(world):
    noise, df = seed_noise(world.sheet(NEW, OLD), "new")
    assert df == SEEDS - 1
    assert noise == pytest.approx(world.sheet(NEW, OLD).means("new").std(ddof=1))
    bound = student(LEVEL / 2, df) * noise * math.sqrt(2)
    assert c1_row(world, bound * 0.999).state == "warning"
    row = c1_row(world, -bound * 1.001)
    assert row.state == "failed"
    assert row.numbers["bound"] == pytest.approx(bound)


def test_c1_declared_deterministic_allows_a_ten_thousandth(world):
    assert c1_row(world, 0.99e-4, deterministic=True).state == "warning"
    assert c1_row(world, 1.01e-4, deterministic=True).state == "failed"


def test_c1_without_its_trial_is_not_run(world):
    assert c1.DETERMINISM.check(world.sheet(NEW, OLD), 1, LEVEL).state == "not_run"


# C2, seeds matter


def test_c2_two_equal_runs_of_one_arm_fail(world):
    sheet = world.sheet(NEW, OLD)
    assert c2.SEEDING.check(sheet, 1, LEVEL).state == "passed"
    trials = list(sheet.arms["new"])
    trials[4] = replace(trials[4], ranking=trials[1].ranking)
    lazy = replace(sheet, arms={**sheet.arms, "new": tuple(trials)})
    row = c2.SEEDING.check(lazy, 1, LEVEL)
    assert (row.state, row.numbers) == ("failed", {"equal_runs": 2})


@pytest.mark.parametrize(("gap", "state"), [(0.99e-3, "passed"), (1.01e-3, "failed")])
def test_c2_declared_deterministic_seeds_give_one_score(world, gap, state):
    frame = world.frame(deterministic=True)
    new = np.tile(NEW[0], (SEEDS, 1))
    new[3] += gap
    sheet = world.sheet(new, np.tile(OLD[0], (SEEDS, 1)), frame=frame)
    assert c2.SEEDING.check(sheet, 1, LEVEL).state == state


def test_c2_declared_deterministic_scores_may_move_with_nuisance_values(world):
    frame = world.frame(deterministic=True, nuisance={"rate": [1, 2, 3]})
    rows = [frame.claim.reproduction.nuisance["rate"], None]
    drawn = [t.row.parameters["rate"] for t in world.sheet(NEW, OLD, frame=frame).arms["new"]]
    assert set(drawn) == set(rows[0])
    new = NEW[0] + 0.01 * np.asarray(drawn)[:, None]
    old = np.tile(OLD[0], (SEEDS, 1))
    assert c2.SEEDING.check(world.sheet(new, old, frame=frame), 1, LEVEL).state == "passed"
    new[next(i for i in range(1, SEEDS) if drawn[i] in drawn[:i])] += 0.01
    assert c2.SEEDING.check(world.sheet(new, old, frame=frame), 1, LEVEL).state == "failed"


def test_runs_are_equal_when_order_and_ties_are(world):
    """Every part of a ranking counts in its digest; how it was packed does not."""
    two = Ranking(
        starts=np.asarray([0, 2]), documents=np.asarray([1, 2], dtype=np.int32),
        tied=np.asarray([False, False]),
    )  # fmt: skip
    others = [
        two,
        replace(two, tied=np.asarray([False, True])),
        replace(two, documents=np.asarray([2, 1], dtype=np.int32)),
        replace(two, starts=np.asarray([0, 1, 2])),
    ]
    digests = {world.trial("new", 0, NEW[0], ranking=r).ranking_digest for r in (*others, two)}
    assert len(digests) == 4


def test_c2_equal_runs_of_different_arms_are_allowed(world):
    sheet = world.sheet(NEW, OLD)  # the rankings of seed i are equal in both arms
    assert sheet.arms["new"][0].ranking == sheet.arms["old"][0].ranking
    assert c2.SEEDING.check(sheet, 1, LEVEL).state == "passed"


# C3, other keys


def c3_sheet(world, changes, **reproduction):
    frame = world.frame(**reproduction)
    trials = [
        world.trial("new", 2, shifted(NEW.mean(axis=0), change), frame=frame,
                    purpose=Purpose(role="C3", seal=key))
        for key, change in enumerate(changes, start=1)
    ]  # fmt: skip
    return world.sheet(NEW, OLD, controls=trials, frame=frame)


def test_c3_a_new_mean_may_differ_by_what_a_new_seed_may(world):
    noise, df = seed_noise(world.sheet(NEW, OLD), "new")
    bound = student(LEVEL / 4, df) * noise * math.sqrt(1 + 1 / SEEDS)  # two keys share it
    check = c3.REKEY.check
    assert check(c3_sheet(world, [bound * 0.999, -bound * 0.999]), 1, LEVEL).state == "passed"
    row = check(c3_sheet(world, [0.0, -bound * 1.001]), 1, LEVEL)
    assert row.state == "failed"  # one key that fails is enough
    assert row.numbers["bound"] == pytest.approx(bound)
    assert check(c3_sheet(world, [bound * 1.001, 0.0]), 1, LEVEL).state == "failed"


def test_c3_with_nuisance_draws_the_reference_is_the_same_index(world):
    nuisance = {"rate": [1, 2, 3]}
    sheet = c3_sheet(world, [0.0], nuisance=nuisance)
    noise, df = seed_noise(sheet, "new")  # within an index
    twin = sheet.mean(sheet.arms["new"][2])
    row = c3.REKEY.check(sheet, 1, LEVEL)
    assert row.numbers["difference"] == pytest.approx(abs(sheet.means("new").mean() - twin))
    assert row.numbers["bound"] == pytest.approx(student(LEVEL / 2, df) * noise * math.sqrt(2))


def test_c3_deterministic_arms_keep_mean_and_queries(world):
    frame = world.frame(deterministic=True)

    def state(change):
        scores = NEW[2].copy()
        change(scores)
        trial = world.trial("new", 2, scores, purpose=Purpose(role="C3", seal=1), frame=frame)
        return c3.REKEY.check(world.sheet(NEW, OLD, controls=[trial], frame=frame), 1, LEVEL).state

    assert state(lambda s: None) == "passed"

    def one_query(s):
        s[0] += 1e-9

    assert state(one_query) == "failed"  # 1 of 64 is more than 1 %


def test_c3_plans_two_keys_a_claim(world):
    two, one = world.frame(), world.frame(world.lab.claim_document(regimes=[]))
    for strike, first in ((1, 1), (2, 3)):
        both = control_trials(two, strike=strike, only=("C3",))
        assert [(t.regime, t.seal) for t in both] == [("explicit", first), ("in_batch", first)]
        alone = control_trials(one, strike=strike, only=("C3",))
        assert [(t.regime, t.seal) for t in alone] == [("only", first), ("only", first + 1)]
        assert len({(t.arm, t.index) for t in alone}) == 1


# C4, halves

TEN_NEW, TEN_OLD = noisy(3, 0.6, seeds=10), noisy(4, 0.5, seeds=10)


def test_c4_halves_differ_by_no_more_than_their_interval(world):
    """The excess is compared with the half-width at half the level, on the worst arm."""

    def row_of(gap):
        new = TEN_NEW.copy()
        new[0::2] += gap
        sheet = world.sheet(new, TEN_OLD)
        halves = {"even": new[0::2], "odd": new[1::2]}
        estimate = estimate_contrast(halves, {"even": 1.0, "odd": -1.0}, sheet.design, paired=False)
        return c4.HALVES.check(sheet, 1, LEVEL), estimate

    row, estimate = row_of(0.0)
    assert row.state == "passed"
    edge = estimate.half_width(LEVEL / 2)
    assert row_of(edge - estimate.value - 1e-9)[0].state == "passed"
    row, _ = row_of(edge - estimate.value + 1e-9)
    assert row.state == "failed"
    assert row.numbers["bound"] == pytest.approx(edge)
    assert row.detail.startswith("arm new")


def test_c4_needs_ten_seeds_and_chance(world):
    assert c4.HALVES.check(world.sheet(TEN_NEW[:9], TEN_OLD[:9]), 1, LEVEL).state == "not_needed"
    assert c4.HALVES.check(world.sheet(TEN_NEW, TEN_OLD), 1, LEVEL).state == "passed"
    frame = world.frame(deterministic=True)
    sheet = world.sheet(TEN_NEW, TEN_OLD, frame=frame)
    assert c4.HALVES.check(sheet, 1, LEVEL).state == "not_needed"


# C5, floor


def test_c5_the_best_arm_must_be_above_chance_in_every_language(world, monkeypatch):
    """At the edge: a lower bound that equals chance is not above it."""
    sheet = world.sheet(NEW, OLD)
    low = {f.language: f.low for f in c5.language_floors(sheet, LEVEL)}
    here = np.flatnonzero(np.asarray(sheet.queries.languages) == "ne")
    clusters = np.asarray(sheet.queries.clusters)[here]
    estimate = estimate_contrast(
        {"new": NEW[:, here]}, {"new": 1.0}, micro(["ne"] * len(here), clusters.tolist()),
        paired=False,
    )  # fmt: skip
    # The best of two arms was chosen after looking: they share the level.
    assert low["ne"] == pytest.approx(estimate.value - estimate.half_width(LEVEL / 2))
    assert {f.arm for f in c5.language_floors(sheet, LEVEL)} == {"new"}

    def state(**chance):
        monkeypatch.setattr(c5, "chance_of", lambda sheet, arm: chance)
        return c5.FLOOR.check(sheet, 1, LEVEL)

    assert state(ne=low["ne"] - 1e-12, mr=low["mr"] - 1e-12).state == "passed"
    row = state(ne=low["ne"], mr=low["mr"] - 1e-12)
    assert row.state == "not_testable"
    assert row.detail == "at chance: ne"
    assert (row.numbers["languages"], row.numbers["at_chance"]) == (2, 1)
    assert state(ne=1.0, mr=1.0).numbers["at_chance"] == 2
    assert state(ne=math.nan, mr=0.0).state == "not_testable"


def test_c5_chance_is_that_of_the_real_run(world):
    """Judgements dealt out among the queries of a language, over all ways to deal them."""
    sheet = world.sheet(NEW, OLD)
    first = replace(sheet.arms["new"][0], ranking=world.ranking(1))
    sheet = replace(sheet, arms={**sheet.arms, "new": (first, *sheet.arms["new"][1:])})
    chance = c5.chance_of(sheet, "new")
    assert chance.keys() == {"ne", "mr"}
    right = np.arange(QUERIES) % 40
    found = world.ranking(1).documents
    for language in chance:
        here = np.asarray(sheet.queries.languages) == language
        pairs = np.equal.outer(found[here], right[here])
        assert chance[language] == pytest.approx(float(pairs.mean()))
    assert min(chance.values()) > 0


def test_c5_languages_that_are_only_reported_do_not_decide(world, monkeypatch):
    sheet = world.sheet(NEW, OLD)
    only = np.flatnonzero(np.asarray(sheet.queries.languages) == "ne")
    monkeypatch.setattr(c5, "chance_of", lambda sheet, arm: {"ne": 0.0, "mr": 1.0})
    assert c5.FLOOR.check(replace(sheet, positions=only), 1, LEVEL).state == "passed"
    assert c5.FLOOR.check(sheet, 1, LEVEL).state == "not_testable"


# C7, re-spelling


def c7_sheet(world, new, old, frame=None):
    purpose = Purpose(role="C7", variant=Variant())
    base = world.sheet(NEW, OLD)
    means = {"new": NEW, "old": OLD}
    trials = [
        world.trial(arm, 1, shifted(means[arm].mean(axis=0), change), purpose=purpose)
        for arm, change in (("new", new), ("old", old))
        if change is not None
    ]
    return replace(base, controls=tuple(trials))


def arm_bound(world, arm, share):
    """How far an arm's new mean may be from that of its seeds, at a share of the level."""
    noise, df = seed_noise(world.sheet(NEW, OLD), arm)
    return student(LEVEL / share / 2, df) * noise * math.sqrt(1 + 1 / SEEDS)


def test_c7_every_arm_keeps_its_score(world):
    """Two arms and their contrast share the level."""
    new, old = (arm_bound(world, arm, 3) for arm in ("new", "old"))
    check = c7.RESPELLED.check
    assert check(c7_sheet(world, 0.0, -old * 1.001), 1, LEVEL).state == "failed"
    row = check(c7_sheet(world, -new * 1.001, 0.0), 1, LEVEL)
    assert row.state == "failed"
    assert row.detail.startswith("arm new changes by")
    assert row.numbers["bound"] == pytest.approx(new)
    both = c7_sheet(world, -new * 1.001, -new * 1.001)  # together: the contrast stays
    assert check(both, 1, LEVEL).state == "failed"
    assert check(c7_sheet(world, 0.0, 0.0), 1, LEVEL).state == "passed"


def test_c7_every_contrast_is_kept_too(world):
    """Both arms stay inside their bounds, but move apart by more than two of them may."""
    sheet = world.sheet(NEW, OLD)
    new, old = (arm_bound(world, arm, 3) for arm in ("new", "old"))
    before = sheet.mean(sheet.arms["new"][1]) - sheet.mean(sheet.arms["old"][1])
    after = float(sheet.means("new").mean() - sheet.means("old").mean())
    gap = math.hypot(new, old) - (after - before)  # how much further apart is allowed
    share = gap / (new + old)
    assert 0 < share < 0.99
    check = c7.RESPELLED.check
    row = check(c7_sheet(world, new * share + 1e-9, -old * share), 1, LEVEL)
    assert (row.state, row.detail.split(" changes")[0]) == ("failed", "new - old")
    assert check(c7_sheet(world, new * share - 1e-9, -old * share), 1, LEVEL).state == "passed"


def test_c7_must_be_run_in_every_arm(world):
    assert c7.RESPELLED.check(c7_sheet(world, 0.0, None), 1, LEVEL).state == "not_run"
    assert c7.RESPELLED.check(world.sheet(NEW, OLD), 1, LEVEL).state == "not_run"


# C8, planted


@pytest.mark.parametrize(("found", "state"), [(40, "passed"), (39, "failed"), (0, "failed")])
def test_c8_four_of_five_planted_queries_must_be_found(world, found, state):
    planted = tuple(range(3, 53))  # fifty
    frame = world.frame()
    purpose = Purpose(role="C8", variant=Variant(spelling=1, planted=1))
    trial = world.trial("old", 1, OLD[1], purpose=purpose, frame=frame,
                        ranking=world.ranking(found=planted[:found]))  # fmt: skip
    row = trial.row.model_copy(update={"planted": planted})
    result = c8.PLANTED.check(world.sheet(NEW, OLD, controls=[replace(trial, row=row)]), 1, LEVEL)
    assert result.state == state
    assert result.numbers["found"] == pytest.approx(found / 50)


def test_c8_ties_count_in_their_worst_order(world):
    """Giving every document the same score finds nothing."""
    documents = np.tile(np.arange(40, dtype=np.int32), QUERIES)
    tied = np.ones(40 * QUERIES, dtype=np.bool_)
    tied[::40] = False
    all_tied = Ranking(
        starts=np.arange(0, 40 * QUERIES + 1, 40, dtype=np.int64), documents=documents, tied=tied
    )
    purpose = Purpose(role="C8", variant=Variant(spelling=1, planted=1))
    trial = world.trial("old", 1, OLD[1], purpose=purpose, ranking=all_tied)
    row = trial.row.model_copy(update={"planted": tuple(range(10))})
    result = c8.PLANTED.check(world.sheet(NEW, OLD, controls=[replace(trial, row=row)]), 1, LEVEL)
    assert (result.state, result.numbers["found"]) == ("failed", 0.0)


def test_c8_without_planted_queries_is_not_run(world):
    purpose = Purpose(role="C8", variant=Variant(spelling=1, planted=1))
    empty = world.trial("old", 1, OLD[1], purpose=purpose)
    assert c8.PLANTED.check(world.sheet(NEW, OLD, controls=[empty]), 1, LEVEL).state == "not_run"
    assert c8.PLANTED.check(world.sheet(NEW, OLD), 1, LEVEL).state == "not_run"


# C9, assay


def c9_row(world, gap, *, trials=SEEDS, document=None):
    frame = world.frame(document)
    level = {"one_document": 1}
    assays = [
        world.trial("broken", i, OLD[i] + gap, purpose=Purpose(role="C9"), level=level, frame=frame)
        for i in range(trials)
    ]
    return c9.ASSAY.check(world.sheet(NEW, OLD, controls=assays, frame=frame), 1, LEVEL)


def test_c9_a_known_effect_must_show_beyond_the_margin_either_way(world):
    """At the edge: |D| less its half-width must be above the margin of .05."""
    sheet = world.sheet(NEW, OLD)
    coefficients = {"assay": 1.0, "baseline": -1.0}
    half = estimate_contrast(
        {"assay": OLD, "baseline": OLD}, coefficients, sheet.design, paired=False
    ).half_width(LEVEL)
    for sign in (1, -1):
        assert c9_row(world, sign * (half + 0.05 + 1e-9)).state == "passed"
        assert c9_row(world, sign * (half + 0.05 - 1e-9)).state == "failed"
    assert c9_row(world, 0.0).state == "failed"


def test_c9_is_on_demand_and_needs_a_level_that_the_claim_names(world):
    assert c9.ASSAY.on_demand
    assert c9_row(world, 0.3, trials=0).state == "not_needed"
    assert c9_row(world, 0.3, trials=1).state == "not_needed"
    bare = world.lab.claim_document(assay={})
    row = c9_row(world, 0.3, trials=0, document=bare)
    assert row.state == "not_run"
    assert "cannot be refuted" in row.detail
    assert control_trials(world.frame(bare), only=("C9",)) == ()
    trials = control_trials(world.frame(), only=("C9",))
    assert [(t.regime, t.arm, t.index) for t in trials] == [
        (r, "broken", i) for r in ("explicit", "in_batch") for i in range(5)
    ]


def test_c9_goes_through_the_same_code_path_as_the_arms(world):
    """Only its level differs from the baseline's trial."""
    frame = world.frame()
    trial = control_trials(frame, only=("C9",))[0]
    assert trial.parameters == {"epochs": 3, "in_batch": False, "negatives": {"one_document": 1}}
    assert [s.argv for s in trial.stages] == [("python", "a.py"), ("python", "t.py")]
    assert (trial.variant, trial.seal, trial.replicate) == (Variant(spelling=1), 0, 0)


# Isolation


def test_arms_must_train_on_the_same_queries_equally_often(world):
    sheet = world.sheet(NEW, OLD)
    rows = tuple(t.row for arm in sheet.arms.values() for t in arm)
    assert isolation_findings(rows) == ()
    other = rows[7].model_copy(update={"effort": digest(b"more")})
    (finding,) = isolation_findings((*rows[:7], other, *rows[8:]))
    assert (finding.rule, finding.severity) == ("isolation.effort", Severity.INVALID)
    assert f"seed index {other.index}, explicit" in finding.where
    control = other.model_copy(update={"role": "C9"})
    assert isolation_findings((*rows[:7], control, *rows[8:])) == ()
    unknown = other.model_copy(update={"effort": None})
    assert isolation_findings((*rows[:7], unknown, *rows[8:])) == ()


def test_effort_may_differ_between_seeds_regimes_and_settings(world):
    row = world.sheet(NEW, OLD).arms["new"][0].row
    other = digest(b"more")
    for place in ({"index": 1}, {"regime": "in_batch"}, {"setting": "elsewhere"}):
        assert isolation_findings((row, row.model_copy(update={"effort": other, **place}))) == ()
    assert isolation_findings((row, row.model_copy(update={"effort": other, "arm": "old"})))


# The battery


def test_the_battery_is_the_same_for_every_claim_but_for_its_encoder(world):
    """No field of a claim switches a control off; only a pre-trained encoder drops C7."""
    lab = world.lab
    everything = ["C1", "C2", "C3", "C4", "C5", "C7", "C8", "C9"]
    claims = [
        lab.claim_document(),
        lab.claim_document(assay={}, regimes=[], quantifier="this_setting"),
        lab.with_reproduction(lab.claim_document(), deterministic=True, sees_arm=["train"]),
        lab.dose_document(),
    ]
    for document in claims:
        claim = lab.read_claim(document)
        assert [c.id for c in battery(claim, STATIC)] == everything
        assert [c.id for c in battery(claim, "intfloat/e5")] == [c for c in everything if c != "C7"]
    assert [c.id for c in BATTERY] == everything


def test_every_control_of_the_battery_has_its_row(world):
    rows = check_controls(world.sheet(NEW, OLD), level=LEVEL)
    assert [r.id for r in rows] == [c.id for c in BATTERY]
    assert {(r.setting, r.regime) for r in rows} == {(world.lab.SETTING, "explicit")}


def test_controls_share_their_level_among_conditions():
    assert control_level(1) == 0.001
    assert control_level(4) == 0.00025


def test_a_claim_with_two_arms_and_two_regimes_costs_at_most_twelve_trials_more(world):
    trials = control_trials(world.frame())
    assert len(trials) <= 12
    assert {t.role for t in trials} == {"C1", "C3", "C7", "C8"}
    assert len({t.id for t in trials}) == len(trials)
    assert all(t.strike == 1 for t in trials)
    again = control_trials(world.frame(), strike=2, only=("C1", "C3", "C7"))
    assert not {t.id for t in trials} & {t.id for t in again}
    assert {t.strike for t in again} == {2}


def test_controls_repeat_trials_of_the_first_look_that_the_verifier_draws(world):
    frame = world.frame()
    study = {(t.regime, t.arm, t.index): t for t in self_study(frame)}
    for trial in control_trials(frame):
        assert trial.index < 5
        assert trial.seed == study[trial.regime, trial.arm, trial.index].seed
    setting = frame.settings[0]
    draws = {
        (drawn_arm(f, setting, r, role, s), drawn_index(f, setting, r, role, s))
        for f in (frame, replace(frame, nonce=b"x"), replace(frame, decision="sha256:" + "1" * 64))
        for r in frame.regimes
        for role in ("C1", "C3", "C7")
        for s in (1, 2)
    }
    assert {arm for arm, _ in draws} == {"new", "old"}
    assert {index for _, index in draws} == set(range(5))
    with pytest.raises(ValueError, match="belongs to a control"):
        repeat_trial(frame, setting, "explicit", arm="new", purpose=Purpose())


def self_study(frame):
    from verifier.study.plan import study_trials  # noqa: PLC0415

    return study_trials(frame, first=0, last=5)


def test_a_control_looks_like_a_trial_to_the_script(world):
    """Neither role, strike, seal nor variant is in what a stage is told."""
    frame = world.frame()
    study = {(t.regime, t.arm, t.index): t for t in self_study(frame)}
    for trial in control_trials(frame):
        twin = study[trial.regime, trial.arm, trial.index]
        for mine, plain in zip(trial.stages, twin.stages, strict=True):
            assert (mine.parameters, mine.argv) == (plain.parameters, plain.argv)


# Second strikes


def strikes(world, first, second):
    """C3 with one trial a strike, each shifted as given (None: not run)."""
    trials = [
        world.trial("new", 2, shifted(NEW.mean(axis=0), change),
                    purpose=Purpose(role="C3", seal=strike, strike=strike))
        for strike, change in ((1, first), (2, second))
        if change is not None
    ]  # fmt: skip
    rows = check_controls(world.sheet(NEW, OLD, controls=trials), level=LEVEL)
    return next(r for r in rows if r.id == "C3"), rows


def test_a_failure_asks_once_for_fresh_draws_and_the_second_speaks(world):
    row, rows = strikes(world, 0.4, None)
    assert (row.state, row.strike) == ("failed", 1)
    assert second_strikes(rows) == ("C3",)
    row, rows = strikes(world, 0.4, 0.0)
    assert (row.state, row.strike) == ("passed", 2)
    assert second_strikes(rows) == ()
    row, rows = strikes(world, 0.4, 0.4)
    assert (row.state, row.strike) == ("failed", 2)
    assert second_strikes(rows) == ()


def test_a_second_strike_never_overturns_a_pass(world):
    row, _ = strikes(world, 0.0, 0.4)
    assert (row.state, row.strike) == ("passed", 1)


def test_only_statistical_controls_are_repeated():
    assert {c.id for c in BATTERY if c.second_strike} == {"C1", "C3", "C7"}
