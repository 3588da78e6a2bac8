"""Label similarity, its taxonomy, and the effective number of labels."""

from __future__ import annotations

import numpy as np
import pytest

from verifier.settings.labels import Label
from verifier.settings.names import read_names
from verifier.settings.regions import region_path
from verifier.settings.similarity import effective_labels, label_similarity, trigram_cosine
from verifier.settings.taxonomy import code_path, path_similarity


def test_regions_go_from_continent_to_territory():
    assert region_path("FR") == ("150", "155", "FR")
    assert region_path("150") == ("150",)
    assert region_path("001") == region_path("ZZ") == ()


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("territory:FR", ("territory", "150", "155", "FR")),
        ("territory:155", ("territory", "150", "155")),
        ("territory:001", ("territory", "001")),
        ("language:en_GB", ("language", "150", "154", "GB", "language:en_GB")),
        ("language:zh_Hans", ("language", "142", "030", "CN", "language:zh_Hans")),
        ("currency:XOF", ("currency", "002", "011", "currency:XOF")),
        ("currency:YUN", ("currency", "150", "039", "YU", "currency:YUN")),
        ("script:Deva", ("script", "142", "034", "IN", "script:Deva")),
        ("script:Zzzz", ("script", "script:Zzzz")),
        ("unit:length-meter", ("unit", "length", "unit:length-meter")),
    ],
)
def test_paths_in_the_taxonomies_of_the_kinds(code, path):
    assert code_path(code, read_names(["en"]).places[code]) == path


def test_taxonomy_similarity_is_shared_depth_over_the_greater_depth():
    places = {
        "territory:FR": ("FR",), "territory:DE": ("DE",), "territory:ES": ("ES",),
        "territory:155": ("155",), "unit:length-m": ("length",),
    }  # fmt: skip
    got = path_similarity([(code,) for code in places], places)
    assert got[0].tolist() == [1.0, 0.75, 0.5, 0.75, 0.0]
    assert np.array_equal(got, got.T)


def test_a_merged_label_counts_by_its_nearest_code():
    places = {"language:x": (), "unit:a-b": ("a",), "unit:a-c": ("a",)}
    got = path_similarity([("language:x", "unit:a-b"), ("unit:a-c",)], places)
    assert got[0, 1] == 2 / 3


def test_cosine_is_one_for_equal_texts_and_zero_for_strangers():
    got = trigram_cosine(["abcd", "ABCD", "xyz"])
    assert got[0, 1] == pytest.approx(1)
    assert got[0, 2] == 0


def test_the_same_label_alone_has_similarity_one():
    labels = [Label(codes=(f"unit:a-{c}",), text="same") for c in "xy"]
    got = label_similarity(labels, {"unit:a-x": ("a",), "unit:a-y": ("a",)})
    assert got.dtype == np.float32
    assert np.diag(got).tolist() == [1, 1]
    assert got[0, 1] == np.float32(0.833)  # (2/3 + 1) / 2, in thousandths


def test_effective_labels_counts_equal_weights():
    alike = np.full((5, 5), 0.5, dtype=np.float32)
    assert effective_labels(alike, 3.0) == pytest.approx(4)
    alike[:, 2:] = 0
    alike[:, 0] = 0.5
    assert effective_labels(alike, 1.0) == pytest.approx((1 + 1 + 2 + 2 + 2) / 5)
    with pytest.raises(ValueError, match="two labels"):
        effective_labels(np.eye(3, dtype=np.float32), 1.0)


def test_the_cards_beta_gives_about_twenty_labels(card, task):
    got = effective_labels(task.similarities, card.similarity.beta)
    assert abs(got - 20) < 1
    assert abs(got - card.similarity.effective_labels) < 0.1


def test_similarities_of_the_task_are_symmetric_thousandths(task):
    s = task.similarities
    assert s.shape == (len(task.documents),) * 2
    assert np.array_equal(s, s.T)
    assert np.array_equal((np.round(s * 1000) / 1000).astype(np.float32), s)
    assert s.min() >= 0
    assert np.all((s == 1) == np.eye(len(s), dtype=bool))
