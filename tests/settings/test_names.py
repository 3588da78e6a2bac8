"""Names from Babel: the version is exact, the units are no dicts."""

from __future__ import annotations

import sys
from types import MappingProxyType

import babel
import pytest

from verifier.errors import VerifierError
from verifier.settings.names import read_names, require_versions, unit_name


def _require(babel_version="2.18.0", cldr="47"):
    require_versions(babel=babel_version, cldr=cldr, where="settings/x.yaml")


def test_the_pinned_babel_is_accepted():
    _require()


def test_another_babel_is_refused_naming_both_and_the_cure(monkeypatch):
    monkeypatch.setattr(babel, "__version__", "2.17.0")
    with pytest.raises(VerifierError) as caught:
        _require()
    assert "want Babel 2.18.0, found Babel 2.17.0" in str(caught.value)
    assert "pip install 'Babel==2.18.0'" in caught.value.hint
    assert caught.value.where == "settings/x.yaml"


def test_another_cldr_is_refused():
    with pytest.raises(VerifierError, match="want CLDR 46, found CLDR 47"):
        _require(cldr="46")


def test_a_missing_babel_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "babel", None)
    with pytest.raises(VerifierError, match=r"Babel 2\.18\.0 is not installed"):
        _require()


def test_units_are_read_from_any_mapping():
    """A type check for dict drops all 188."""
    names = read_names(["en"]).by_language["en"]
    assert sum(code.startswith("unit:") for code in names) == 188
    assert unit_name(MappingProxyType({"long": "metre"}), None) == "metre"


def test_a_unit_without_a_long_name_has_its_short_one_unless_it_is_the_symbol():
    assert unit_name({"short": "mtr"}, "m") == "mtr"
    assert unit_name({"short": "m"}, "m") is None
    assert unit_name({}, "m") is None


def test_names_come_in_five_kinds_in_nfc():
    names = read_names(["yo"]).by_language["yo"]
    assert {code.partition(":")[0] for code in names} == {
        "territory", "language", "currency", "script", "unit",
    }  # fmt: skip
    assert all(not name.isspace() and name for name in names.values())
