"""Limits that this process was started with are never taken for faults of a script."""

from __future__ import annotations

import resource

import pytest

from verifier.adapters.sandbox.launcher import check_own_limits
from verifier.documents.limits import Limits
from verifier.errors import VerifierError

MEBIBYTE = 1 << 20
LIMITS = Limits(
    wall_s=60,
    memory_bytes=64 * MEBIBYTE,
    output_bytes=4 * MEBIBYTE,
    output_files=1,
    processes=8,
    shm_bytes=MEBIBYTE,
    tmp_bytes=MEBIBYTE,
)
NEEDED = [
    (resource.RLIMIT_FSIZE, 5 * MEBIBYTE, "file size"),
    (resource.RLIMIT_AS, 64 * MEBIBYTE, "address space"),
    (resource.RLIMIT_DATA, 64 * MEBIBYTE, "data"),
    (resource.RLIMIT_CPU, 60, "CPU seconds"),
]


def bound(monkeypatch: pytest.MonkeyPatch, kind: int, soft: int) -> None:
    free = resource.RLIM_INFINITY
    monkeypatch.setattr(resource, "getrlimit", lambda k: (soft if k == kind else free, free))


@pytest.mark.parametrize(("kind", "least", "name"), NEEDED)
def test_a_limit_below_the_order_is_an_error(
    monkeypatch: pytest.MonkeyPatch, kind: int, least: int, name: str
) -> None:
    bound(monkeypatch, kind, least - 1)
    with pytest.raises(VerifierError, match=name) as caught:
        check_own_limits(LIMITS)
    assert "ulimit" in caught.value.hint


@pytest.mark.parametrize(("kind", "least"), [row[:2] for row in NEEDED])
def test_room_enough_is_enough(monkeypatch: pytest.MonkeyPatch, kind: int, least: int) -> None:
    bound(monkeypatch, kind, least)
    check_own_limits(LIMITS)
