"""Our JSON Schemas: generated, the same bytes every time, and the same as the files."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import jsonschema
import pytest

from verifier.documents.base import Model
from verifier.documents.measures import Measure
from verifier.documents.schemas import SCHEMAS, schema_bytes, schema_files

ROOT = Path(__file__).parents[2]


def tool() -> ModuleType:
    """The command as a module, without it being part of a package."""
    spec = importlib.util.spec_from_file_location(
        "generate_schemas", ROOT / "tools" / "generate_schemas.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Sample(Model):
    name: str
    measures: tuple[Measure, ...] = ()


def test_the_files_are_those_the_models_give():
    """Run `python tools/generate_schemas.py` where this fails."""
    present = {path.name: path.read_bytes() for path in (ROOT / "schemas").glob("*.json")}
    assert present
    assert present == schema_files()


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_is_a_schema_of_draft_2020_12_with_its_own_name(name):
    schema = json.loads(schema_files()[f"{name}.json"])
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:verifier:schema:{name}"
    assert schema["additionalProperties"] is False


def test_a_schema_says_what_its_model_takes():
    schema = json.loads(schema_bytes("sample-v1", Sample))
    check = jsonschema.Draft202012Validator(schema)
    assert check.is_valid({"name": "x", "measures": ["RR@10", "AP", "P@5"]})
    for bad in ("RR@0", "RR@010", "rr@10", "P"):
        assert not check.is_valid({"name": "x", "measures": [bad]})
    assert not check.is_valid({"name": "x", "extra": 1})
    assert schema_bytes("sample-v1", Sample) == schema_bytes("sample-v1", Sample)


def test_check_tells_a_stale_a_missing_and_a_superfluous_file(tmp_path, capsys):
    command = tool()
    assert command.main(["--check"], folder=tmp_path) == 1
    assert not list(tmp_path.iterdir())
    assert command.main([], folder=tmp_path) == 0
    assert command.main(["--check"], folder=tmp_path) == 0
    capsys.readouterr()
    (tmp_path / "claim-v1.json").write_bytes(b"{}\n")
    (tmp_path / "card-v1.json").unlink()
    (tmp_path / "other-v1.json").write_bytes(b"{}\n")
    assert command.main(["--check"], folder=tmp_path) == 1
    told = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in told] == [
        "schemas/card-v1.json",
        "schemas/claim-v1.json",
        "schemas/other-v1.json",
    ]
    assert command.main([], folder=tmp_path) == 0
    assert command.main(["--check"], folder=tmp_path) == 0
