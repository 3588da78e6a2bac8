"""Evidence rewritten by somebody who can recompute every manifest: each forgery is found.

Every forger here starts from honest evidence, changes what would serve him, and packs it anew
with a manifest whose digests all hold.  What no judge of a folder alone can find (a folder made
up as a whole) is listed in the last test of what is *not* found, so that nobody forgets it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from verifier.documents.canonical import canonical_bytes, digest, document_digest
from verifier.documents.evidence import Finding, Variant
from verifier.documents.ledger import seal_entry
from verifier.documents.words import Severity
from verifier.errors import EvidenceError
from verifier.judge.bundle import manifest_of, model_bytes
from verifier.judge.judge import judge
from verifier.judge.trials import public_frame
from verifier.study.trials import Purpose, plan_stages

UP, DOWN = {"new": 0.8, "old": 0.5}, {"new": 0.5, "old": 0.8}
Files = dict[str, bytes]
Json = dict[str, Any]
PLANNED = "planned was another|is not one that this try plans|not those that were planned"


def remake(files: Files, **parts: bytes) -> Files:
    """Change files and recompute the manifest, as a forger would."""
    files = {**files, **parts}
    return {**files, "manifest.json": model_bytes(manifest_of(files))}


def rewrite(files: Files, change: Callable[[Json], None], path: str = "study.json") -> Files:
    """Change one JSON document of the folder and recompute the manifest."""
    body = json.loads(files[path])
    change(body)
    return remake(files, **{path: canonical_bytes(body) + b"\n"})


def refused(files: Files, match: str) -> None:
    with pytest.raises(EvidenceError, match=match) as caught:
        judge(files)
    assert caught.value.hint


def trials(study: Json, **wanted: Any) -> list[Json]:
    return [t for t in study["trials"] if all(t[k] == v for k, v in wanted.items())]


def reseal(study: Json, change: Callable[[list[Json]], None]) -> None:
    """Edit the bodies of the ledger and seal the whole chain again."""
    ledger = study["try"]["ledger"]
    change(ledger)
    sealed: list[Json] = []
    for seq, entry in enumerate(ledger):
        previous = sealed[-1]["digest"] if sealed else None
        kind, at, body = entry["kind"], entry["at"], entry["body"]
        sealed.append(dict(seal_entry(seq=seq, kind=kind, at=at, body=body, previous=previous)))
    study["try"]["ledger"] = sealed


def new_ids(lab, study, row):
    """Give a row the ids that its (forged) parts really have, as a careful forger would."""
    evidence = study.evidence()
    frame = public_frame(evidence)
    factor = frame.claim.factor
    common = {k: v for k, v in row.parameters.items() if k != factor}
    purpose = Purpose(
        role=row.role,
        strike=row.strike,
        seal=row.seal,
        replicate=row.replicate,
        variant=row.variant,
    )
    setting = frame.settings[0]
    stages = plan_stages(frame, setting, common, row.parameters[factor], row.seed, purpose)
    runs = tuple(
        run.model_copy(update={"id": stage.id})
        for run, stage in zip(row.stages, stages, strict=True)
    )
    return row.model_copy(update={"id": stages[-1].id, "stages": runs})


def forge_rows(lab, study, pick, *, careful=True, **update):
    """Change the picked rows, with ids recomputed, and pack."""

    def forged(row):
        changed = row.model_copy(update=update)
        return new_ids(lab, study, changed) if careful else changed

    study.rows = [forged(row) if pick(row) else row for row in study.rows]
    return study.files()


@pytest.fixture
def study(lab):
    return lab.finished(**UP)


def test_the_honest_folder_and_an_idle_rewrite_pass(study):
    files = study.files()
    assert rewrite(files, lambda body: None) == files
    assert judge(files).status == "VERIFIED"


# Seeds


def test_seeds_left_out(lab, study):
    study.rows = [r for r in study.rows if not (r.role == "study" and r.index == 4)]
    refused(study.files(), "has 4 seeds, looks are at 5, 10")


def test_a_bad_seed_left_out_and_the_rest_renumbered(lab):
    """Ten honest seeds, of which the five best are shown: the ids do not follow."""
    study = lab.finished(**UP)
    study.rows = [
        r.model_copy(update={"index": r.index - 1}) if r.role == "study" and r.index else r
        for r in study.rows
        if not (r.role == "study" and r.index == 0)
    ]
    refused(study.files(), PLANNED)


def test_a_seed_left_out_of_one_arm_only(lab, study):
    study.rows = [r for r in study.rows if (r.role, r.arm, r.index) != ("study", "new", 2)]
    refused(study.files(), "has 4 seeds|was left out")


def test_a_seed_index_out_of_range(lab, study):
    files = forge_rows(
        lab, study, lambda r: (r.role, r.index) == ("study", 4), careful=False, index=7
    )
    refused(files, PLANNED)


def test_another_seed_number(lab, study):
    pick = lambda r: (r.role, r.arm, r.index) == ("study", "new", 0)  # noqa: E731
    refused(forge_rows(lab, study, pick, careful=False, seed=5), PLANNED)


def test_another_seed_number_with_its_id_is_not_that_of_its_control(lab, study):
    row = next(r for r in study.rows if r.role == "C7" and r.arm == "new")
    pick = lambda r: r.id == row.id  # noqa: E731
    refused(forge_rows(lab, study, pick, seed=5), PLANNED)


def test_two_seeds_of_an_arm_made_equal(lab, study):
    drawn = {(r.arm, r.index, r.regime) for r in study.rows if r.role != "study"}
    one, two = [
        r
        for r in study.rows
        if (r.role, r.arm, r.regime) == ("study", "new", "explicit")
        and (r.arm, r.index, r.regime) not in drawn
    ][:2]
    files = forge_rows(lab, study, lambda r: r.id == two.id, seed=one.seed)
    refused(files, PLANNED + "|a trial stands twice")


# The account of tries


def test_alpha_raised(study):
    refused(rewrite(study.files(), lambda s: s["try"].update(alpha=0.01)), "the ledger gives try 1")


def test_try_number_lowered(lab):
    ledger = lab.MemoryLedger()
    lab.Study(lab.claim_document(assay={}), lab.rates(**DOWN), ledger=ledger)
    study = lab.Study(lab.claim_document(), lab.rates(**UP), ledger=ledger).finish()
    files = study.files()
    assert judge(files).try_.number == 2
    first = {"number": 1, "alpha": 0.01 * 6 / 3.141592653589793**2}
    refused(rewrite(files, lambda s: s["try"].update(**first)), "the ledger gives try 2")

    def also_in_the_ledger(body: Json) -> None:
        body["try"].update(**first)
        reseal(body, lambda entries: entries[-1]["body"].update(**first))

    refused(rewrite(files, also_in_the_ledger), "the ledger gives try 2")


def test_a_ledger_entry_edited(study):
    def edit(body: Json) -> None:
        body["try"]["ledger"][0]["body"]["sha256"] = "sha256:" + "0" * 64

    refused(rewrite(study.files(), edit), "was changed after it was written")


def test_a_ledger_entry_edited_and_resealed_alone(study):
    def edit(body: Json) -> None:
        entry = body["try"]["ledger"][0]
        entry["at"] = "2025-01-01T00:00:00Z"
        del entry["digest"]
        entry["digest"] = document_digest(entry)

    refused(rewrite(study.files(), edit), "does not follow the entry before it")


@pytest.mark.parametrize(
    "key", ["try", "lineage", "decision", "statement", "number", "alpha", "block", "nonce"]
)
def test_a_freeze_that_says_something_else(study, key):
    def edit(body: Json) -> None:
        last = body["try"]["ledger"][-1]["body"]
        others = {"number": 3, "alpha": 0.001, "block": 9, "nonce": "ab" * 32}
        other = others.get(key, "sha256:" + "1" * 64)
        reseal(body, lambda entries: last.update({key: other}))

    refused(rewrite(study.files(), edit), "of another try|the ledger gives|" + PLANNED)


def test_entries_without_what_an_account_needs(study):
    def edit(body: Json) -> None:
        reseal(body, lambda e: e.insert(1, {"kind": "freeze", "at": "x", "body": {}}))

    refused(rewrite(study.files(), edit), "no account of tries can be read")


def test_a_ledger_that_goes_on_after_the_freeze(study):
    def edit(body: Json) -> None:
        reseal(body, lambda e: e.append({"kind": "verdict", "at": "x", "body": {"try": "y"}}))

    refused(rewrite(study.files(), edit), "does not end with this try's freeze")


def test_no_ledger_at_all(study):
    refused(rewrite(study.files(), lambda s: s["try"].update(ledger=[])), "does not end with")


# Claim, card, closure, environment


def test_a_margin_lowered_after_the_fact(study):
    files = study.files()
    claim = json.loads(files["claim.yaml"])
    claim["criterion"]["margin"] = 0.01
    refused(remake(files, **{"claim.yaml": json.dumps(claim).encode()}), "the document digest")

    def with_document(body: Json) -> None:
        body["try"]["document"] = digest(json.dumps(claim).encode())

    forged = remake(files, **{"claim.yaml": json.dumps(claim).encode()})
    refused(rewrite(forged, with_document), "the decision digest")


def test_the_card_swapped(lab, study):
    path = f"cards/{lab.SETTING}.yaml"
    files = study.files()
    card = json.loads(files[path])
    card["languages"]["primary"], card["languages"]["reported"] = ["ne"], []
    del card["languages"]["resource_class"]["mr"]
    data = json.dumps(card).encode()
    refused(remake(files, **{path: data}), "not the one that was frozen")

    def with_digest(body: Json) -> None:
        body["settings"][0]["card"] = digest(data)

    refused(rewrite(remake(files, **{path: data}), with_digest), "the try digest")


def test_the_task_of_another_card(study):
    def edit(body: Json) -> None:
        body["settings"][0]["task"] = "sha256:" + "2" * 64

    refused(rewrite(study.files(), edit), "not the one its card describes")


def test_the_closure_digest_changed(study):
    other = "sha256:" + "3" * 64
    refused(rewrite(study.files(), lambda s: s.update(closure_digest=other)), "the closure digest")
    swapped = lambda s: s["closure"].update({"t.py": other})  # noqa: E731
    refused(rewrite(study.files(), swapped), "the closure digest")


@pytest.mark.parametrize("field", ["instructions", "threads"])
def test_what_trials_ran_on_is_part_of_the_try(study, field):
    value = {"instructions": "other", "threads": 2}[field]
    refused(rewrite(study.files(), lambda s: s.update({field: value})), "the try digest")


def test_another_edition(study):
    refused(rewrite(study.files(), lambda s: s.update(edition="2025.1")), "decided by edition")


def test_another_encoder_than_the_claim_names(study):
    edit = lambda s: s["settings"][0].update(encoder="intfloat/e5")  # noqa: E731
    refused(rewrite(study.files(), edit), "another encoder than the claim names")


def test_a_setting_dropped(lab):
    settings = [{"name": lab.SETTING}, {"name": "other-names"}]
    rate = lambda p: {"new": 0.8 if p.setting == lab.SETTING else 0.5, "old": 0.5}[p.arm]  # noqa: E731
    study = lab.Study(lab.claim_document(settings=settings, assay={}), rate).begin()
    study.rows = [r for r in study.rows if r.setting == lab.SETTING]

    def edit(body: Json) -> None:
        body["settings"] = body["settings"][:1]

    refused(rewrite(study.files(), edit), "its settings are")


def test_no_setting_that_counts(lab):
    settings = [{"name": lab.SETTING, "optional": True}, {"name": "other-names"}]
    whole = lab.make_case(lab.claim_document(settings=settings), lab.make_task())
    study = lab.Study(
        lab.claim_document(settings=settings),
        lab.rates(**UP),
        settings=whole.settings[:1],
        missing=("other-names",),
    )
    study.add(())
    refused(study.files(), "no setting that counts")


# Judgements


def test_judgements_that_do_not_fit_their_card(lab, study):
    path = f"judgements/{lab.SETTING}.json"
    files = study.files()

    def edit(change: Callable[[Json], None]) -> Files:
        def apply(body: Json) -> None:
            change(body["query_sets"]["test"])

        return rewrite(files, apply, path)

    def drop(table: Json) -> None:
        for column in ("ids", "languages", "clusters", "relevant"):
            table[column] = table[column][:-1]
        table["strata"] = {k: v[:-1] for k, v in table["strata"].items()}

    refused(edit(drop), "other test queries than its card counts")
    refused(edit(lambda t: t.update(languages=["mr"] * 64)), "than its card counts")
    one = lambda t: t.update(clusters=[f"own {i}" for i in range(64)])  # noqa: E731
    refused(edit(one), "than its card counts")
    unseen = lambda t: t["strata"]["exposure"].__setitem__(0, "unseen")  # noqa: E731
    refused(edit(unseen), "than its card counts")
    refused(edit(lambda t: t["relevant"].__setitem__(0, [40])), "ascending positions")
    refused(edit(lambda t: t["relevant"].__setitem__(0, [])), "ascending positions")
    refused(edit(lambda t: t["relevant"].__setitem__(0, [2, 1])), "ascending positions")
    refused(edit(lambda t: t["ids"].__setitem__(0, t["ids"][1])), "judged twice")
    refused(edit(lambda t: t["ids"].pop()), "different lengths")
    short = rewrite(files, lambda body: body["documents"].pop(), path)
    refused(short, "another number of documents")
    other = rewrite(files, lambda body: body.update(setting="other"), path)
    refused(other, "those of another setting")
    none = rewrite(files, lambda body: body.update(query_sets={}), path)
    refused(none, "no judgements of the query set")


# Arms, parameters, roles


def test_arms_swapped_by_name(study):
    def edit(body: Json) -> None:
        for row in trials(body, role="study"):
            row["arm"] = {"new": "old", "old": "new"}[row["arm"]]

    refused(rewrite(study.files(), edit), PLANNED)


def test_arms_swapped_with_their_parameters(study):
    """Rankings of one arm under the id of the other: the id is of content, so it gives away."""

    def edit(body: Json) -> None:
        levels = {"new": {"mined": 1}, "old": {"random": 1}}
        for row in trials(body, role="study"):
            row["arm"] = {"new": "old", "old": "new"}[row["arm"]]
            row["parameters"]["negatives"] = levels[row["arm"]]

    refused(rewrite(study.files(), edit), PLANNED)


def test_parameters_that_the_claim_does_not_name(lab, study):
    pick = lambda r: r.role == "study"  # noqa: E731
    more = {"epochs": 9, "in_batch": False, "negatives": {"mined": 1}}
    only = lambda r: pick(r) and r.arm == "new"  # noqa: E731
    refused(forge_rows(lab, study, only, parameters=more), PLANNED)


def test_regimes_swapped(study):
    def edit(body: Json) -> None:
        for row in body["trials"]:
            row["regime"] = {"explicit": "in_batch", "in_batch": "explicit"}[row["regime"]]

    refused(rewrite(study.files(), edit), PLANNED)


def test_a_regime_left_out(lab):
    """Supported without in-batch negatives, refuted with them: half of it is not shown."""

    def rate(plan):
        table = UP if plan.regime == "explicit" else DOWN
        return {**table, "broken": 0.1}[plan.arm]

    study = lab.Study(lab.claim_document(), rate).finish()
    study.rows = [r for r in study.rows if r.regime == "explicit"]
    refused(study.files(), "has 0 seeds")


def test_a_regime_that_the_claim_does_not_have(study):
    def edit(body: Json) -> None:
        body["trials"][0]["regime"] = "only"

    refused(rewrite(study.files(), edit), PLANNED)


def test_a_study_trial_replaced_by_a_respelled_one(lab, study):
    def edit(body: Json) -> None:
        for control in trials(body, role="C7"):
            twin = trials(
                body, role="study", arm=control["arm"], index=control["index"],
                regime=control["regime"],
            )[0]  # fmt: skip
            twin["rankings"], twin["variant"] = control["rankings"], control["variant"]

    refused(rewrite(study.files(), edit), PLANNED)
    pick = lambda r: (r.role, r.arm, r.index) == ("study", "new", 0)  # noqa: E731
    forged = forge_rows(lab, study, pick, variant=Variant(spelling=9))
    refused(forged, PLANNED)


@pytest.mark.parametrize("change", [{"seal": 5}, {"replicate": 4}, {"strike": 2}])
def test_a_study_trial_under_another_seal_or_repeated(lab, study, change):
    pick = lambda r: (r.role, r.arm, r.index) == ("study", "new", 0)  # noqa: E731
    refused(forge_rows(lab, study, pick, **change), PLANNED)


def test_a_trial_twice(study):
    def edit(body: Json) -> None:
        body["trials"].append(body["trials"][0])

    refused(rewrite(study.files(), edit), "a trial stands twice")


def test_a_trial_under_another_id(study):
    edit = lambda s: s["trials"][0].update(id="0" * 64)  # noqa: E731
    refused(rewrite(study.files(), edit), PLANNED)


def test_a_stage_that_was_not_planned(study):
    edit = lambda s: s["trials"][0]["stages"][0].update(id="0" * 64)  # noqa: E731
    refused(rewrite(study.files(), edit), PLANNED)
    dropped = lambda s: s["trials"][0]["stages"].pop(0)  # noqa: E731
    refused(rewrite(study.files(), dropped), PLANNED)


def test_nuisance_values_of_the_forgers_choice(lab):
    document = lab.with_reproduction(lab.claim_document(), nuisance={"rate": [1, 2, 3]})
    for value in (7, None):
        study = lab.Study(document, lab.rates(**UP)).finish()
        row = next(r for r in study.rows if (r.role, r.index) == ("study", 0))
        other = value or next(v for v in (1, 2, 3) if v != row.parameters["rate"])
        files = forge_rows(
            lab, study, lambda r, row=row: r.id == row.id,
            parameters={**row.parameters, "rate": other},
        )  # fmt: skip
        refused(files, PLANNED)


# Controls


@pytest.mark.parametrize("role", ["C1", "C3", "C7", "C8"])
def test_a_control_left_out(study, role):
    study.rows = [r for r in study.rows if r.role != role]
    refused(study.files(), f"control {role} in explicit: a trial of it was left out")


def test_the_worse_of_two_other_keys_left_out(lab):
    study = lab.Study(lab.claim_document(regimes=[]), lab.rates(**UP)).finish()
    study.rows = [r for r in study.rows if (r.role, r.seal) != ("C3", 2)]
    refused(study.files(), "control C3 in only: a trial of it was left out")


def test_some_seeds_of_the_assay_left_out(lab):
    study = lab.finished(**DOWN)
    study.rows = [r for r in study.rows if (r.role, r.index) != ("C9", 3)]
    refused(study.files(), "control C9 in explicit: a trial of it was left out")


def test_a_plain_run_shown_as_the_respelled_one(lab, study):
    """A forger copies the plain trial's ranking, and its variant too: not what C7 plans."""
    files = forge_rows(lab, study, lambda r: r.role == "C7", variant=Variant(spelling=1))
    refused(files, PLANNED + "|a trial stands twice")


def test_a_control_of_a_later_seed(lab):
    study = lab.Study(lab.claim_document(), lab.rates(new=0.56, old=0.5)).finish()
    row = next(r for r in study.rows if (r.role, r.regime) == ("C1", "explicit"))
    twin = next(
        r
        for r in study.rows
        if (r.role, r.regime, r.arm, r.index) == ("study", "explicit", row.arm, 9)
    )
    pick = lambda r: r.id == row.id  # noqa: E731
    refused(forge_rows(lab, study, pick, index=9, seed=twin.seed), PLANNED)


def test_controls_that_the_battery_does_not_have(lab, study):
    first = next(r for r in study.rows if r.role == "C1")
    study.rows.append(new_ids(lab, study, first.model_copy(update={"role": "C6", "replicate": 9})))
    refused(study.files(), PLANNED)
    study.rows.pop()
    planted = next(r for r in study.rows if r.role == "C8")
    again = {"strike": 2, "variant": Variant(spelling=1, planted=2)}
    study.rows.append(new_ids(lab, study, planted.model_copy(update=again)))
    refused(study.files(), PLANNED)


@pytest.mark.parametrize("planted", [(), (0,), tuple(range(63)), (*range(63), 64), (0, *range(63))])
def test_planted_queries_of_the_forgers_choice(lab, study, planted):
    refused(forge_rows(lab, study, lambda r: r.role == "C8", planted=planted), "64 planted queries")


# Results


def test_a_ranking_taken_away(study):
    def edit(body: Json) -> None:
        trials(body, role="C7")[0]["rankings"] = {}

    refused(rewrite(study.files(), edit), "no ranking of every query set")


def test_a_ranking_that_is_not_there(study):
    def edit(body: Json) -> None:
        body["trials"][0]["rankings"] = {"test": "sha256:" + "4" * 64}

    refused(rewrite(study.files(), edit), "its ranking is not in the folder")


def test_a_ranking_of_other_queries(lab, study):
    ranking = lab.ranking_of(lab.make_task(62), 0.9, None or _plan_like(), ())
    data = lab.encode_ranking(ranking)
    study.rankings[digest(data)] = data
    study.rows[0] = study.rows[0].model_copy(update={"rankings": {"test": digest(data)}})
    refused(study.files(), "it ranks 62 queries")


def _plan_like() -> Any:
    class Like:
        arm, regime, index, setting = "new", "explicit", 0, "s"

    return Like()


def test_a_ranking_under_the_name_of_another(study):
    files = study.files()
    names = [p for p in files if p.startswith("rankings/")]
    swapped = {names[0]: files[names[1]], names[1]: files[names[0]]}
    refused(remake(files, **swapped), "is not the one its name says")


def test_a_failed_trial_made_to_look_well(study):
    edit = lambda s: s["trials"][0]["stages"][-1].update(exit_code=1)  # noqa: E731
    refused(rewrite(study.files(), edit), "did not end well")
    killed = lambda s: s["trials"][0]["stages"][0].update(ending="wall_clock")  # noqa: E731
    refused(rewrite(study.files(), killed), "did not end well")


def test_training_streams_hidden(study):
    """Without its digest a stream could not be compared between arms."""
    for field in ("stream", "effort"):
        edit = lambda s, f=field: s["trials"][0].update({f: None})  # noqa: E731
        refused(rewrite(study.files(), edit), "a training stream goes with an assign stage")


def test_a_better_sandbox_than_there_was(study):
    def edit(body: Json) -> None:
        profile = next(iter(body["sandboxes"].values()))
        profile["not_enforced"] = []

    refused(rewrite(study.files(), edit), "not the one that its digest names")
    refused(rewrite(study.files(), lambda s: s.update(sandboxes={})), "not those that the trials")


def test_a_finding_does_not_open_a_back_door(study):
    """Evidence with a finding may be incomplete, but then it never decides anything."""
    study.rows = study.rows[:3]
    finding = Finding(rule="x", severity=Severity.INFO, message="m", where="w")
    study.rows[0] = study.rows[0].model_copy(update={"findings": (finding,)})
    verdict = judge(study.files())
    assert (verdict.outcome, verdict.status) == ("invalid", "UNVERIFIED")


# What remains


def test_what_is_not_found(lab):
    """A folder whose *measurements* are made up hangs together: only a signature can help.

    Whoever holds neither the store's secret nor its nonce cannot tell these apart from honest
    evidence; replaying trials, rebuilding the task from its card, and a signed ledger can.
    """
    made_up = lab.finished(**UP)  # every ranking drawn by the laboratory, no script ever ran
    assert judge(made_up.files()).status == "VERIFIED"

    def other_seal(body: Json) -> None:
        body["trials"][0]["seal_key"] = "5" * 64

    assert judge(rewrite(made_up.files(), other_seal)).status == "VERIFIED"

    def younger(body: Json) -> None:
        body["evaluated_at"] = "2030-01-01T00:00:00Z"

    assert judge(rewrite(made_up.files(), younger)).status == "VERIFIED"
