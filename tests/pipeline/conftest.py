"""The laboratory of planted studies, shared by several folders of tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

LAB = Path(__file__).parents[1] / "planted" / "lab.py"


@pytest.fixture(scope="session")
def lab() -> ModuleType:
    """The module tests/planted/lab.py."""
    if "planted_lab" not in sys.modules:
        spec = importlib.util.spec_from_file_location("planted_lab", LAB)
        assert spec is not None
        assert spec.loader is not None
        sys.modules["planted_lab"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["planted_lab"])
    return sys.modules["planted_lab"]
