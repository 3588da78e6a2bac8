"""pydantic's errors as problems of ours: placed in the document, in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from verifier.documents.faults import BadValueError
from verifier.documents.parsed import Parsed
from verifier.documents.shape import Trace, trace
from verifier.documents.source import shown
from verifier.documents.wording import (
    found,
    nearest,
    nearest_word,
    one_of,
    type_hint,
    unknown_key,
    wanted,
)
from verifier.errors import Problem

MOST_PROBLEMS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    """One error of pydantic's with its place resolved."""

    kind: str
    message: str
    context: dict[str, Any]
    at: Trace


def problems_of(error: ValidationError, model: type[BaseModel], parsed: Parsed) -> list[Problem]:
    """All faults by position, the first MOST_PROBLEMS with a last line that counts the rest."""
    details = error.errors(include_url=False, include_input=False)
    faults = [
        _Fault(
            kind=one["type"],
            message=one["msg"],
            context=one.get("ctx", {}),
            at=trace(model, one["loc"], parsed.value),
        )
        for one in details
    ]
    faults = [fault for fault in faults if not _follows_from_another(fault, parsed)]
    placed = sorted(
        {_problem(fault, parsed) for fault in _settle_unions(faults, 0)},
        key=lambda pair: (pair[0], pair[1].message),
    )
    problems = [problem for _, problem in placed]
    if len(problems) > MOST_PROBLEMS:
        rest = f"{len(problems) - MOST_PROBLEMS} more faults are not shown"
        last = Problem(message=rest, where=problems[-1].where, hint="mend the first ones first")
        problems = [*problems[:MOST_PROBLEMS], last]
    return problems


def _problem(fault: _Fault, parsed: Parsed) -> tuple[int, Problem]:
    at, path = fault.at, fault.at.path
    value = _value(parsed, path)
    offset = parsed.value_offset(path)
    if fault.kind == "extra_forbidden":
        message, hint = unknown_key(str(path[-1]), at.known)
        offset = parsed.key_offset(path)
    elif at.absent and isinstance(value, dict):
        key = shown(str(at.absent[-1]))
        message, hint = f"missing key {key}", f"add {key}"
        offset = parsed.key_offset(path)
    elif at.absent:
        message = f"want at least {int(at.absent[-1]) + 1} entries, found {found(value)}"
        hint = "add the missing entries"
    elif at.on_key:
        offset = parsed.key_offset(path)
        message, hint = _refusal(fault, str(path[-1]))
        message = message.replace("want text", "want a key", 1)
    elif fault.kind.startswith("union_tag_") and isinstance(value, dict):
        return _wrong_tag(fault, value, parsed)
    elif isinstance(own := fault.context.get("error"), BadValueError):
        offset = _inner_offset(parsed, (*path, *own.at)) if own.at else offset
        message, hint = str(own), own.hint
    else:
        message, hint = _refusal(fault, value)
    return offset, Problem(message=message, where=parsed.source.where(offset), hint=hint)


def _refusal(fault: _Fault, value: object) -> tuple[str, str]:
    own = fault.context.get("error")
    if isinstance(own, Exception):
        return str(own), getattr(own, "hint", "correct the value")
    want = fault.context.get("wanted") or wanted(fault.kind, fault.context, fault.at.words)
    if want is None:
        plain = fault.message.replace("Input should be", "want").replace("Input", "the value")
        return f"{plain[:1].lower()}{plain[1:]}, found {found(value)}", "correct the value"
    return f"want {want}, found {found(value)}", type_hint(want, value, fault.at.words)


def _follows_from_another(fault: _Fault, parsed: Parsed) -> bool:
    """Whether mending another fault mends this one.

    So it is with a key that is missing because it is misspelt, and with a list that pydantic
    calls too short because it does not count the entries that have faults of their own.
    """
    value = _value(parsed, fault.at.path)
    if fault.kind == "missing" and isinstance(value, dict):
        known, missing = fault.at.known, fault.at.absent[-1]
        unknown = [key for key in value if key not in known] if known else []
        return any(nearest_word(key, known) == missing for key in unknown)
    if fault.kind == "too_short" and isinstance(value, (dict, list)):
        return len(value) >= int(fault.context["min_length"])
    return False


def _wrong_tag(fault: _Fault, value: dict[str, object], parsed: Parsed) -> tuple[int, Problem]:
    key = str(fault.context["discriminator"]).strip("'")
    path = fault.at.path
    words = fault.at.words
    if key not in value:
        offset, message = parsed.key_offset(path), f"missing key {shown(key)}"
        hint = f"it is {one_of(words)}" if words else f"add {shown(key)}"
    else:
        offset = parsed.value_offset((*path, key))
        tag = value[key]
        message = f"want {one_of(words) if words else 'another word'}, found {found(tag)}"
        hint = nearest(str(tag), words, otherwise="choose one of them")
    return offset, Problem(message=message, where=parsed.source.where(offset), hint=hint)


def _value(parsed: Parsed, path: Sequence[str | int]) -> object:
    value: Any = parsed.value
    for step in path:
        value = value[step]
    return value


def _inner_offset(parsed: Parsed, path: tuple[str | int, ...]) -> int:
    """The offset of a value, or of the nearest one around it that the document has."""
    try:
        return parsed.value_offset(path)
    except (KeyError, IndexError, ValueError):
        return _inner_offset(parsed, path[:-1])


def _settle_unions(faults: Iterable[_Fault], level: int) -> list[_Fault]:
    """Keep, of each plain union, the errors of the member that was meant.

    That is the member which got furthest: one whose errors are all inside the value, and of
    those the one with the fewest.  Where no member got inside, they become one error.
    """
    kept: list[_Fault] = []
    groups: dict[tuple[str | int, ...], dict[str, list[_Fault]]] = {}
    for fault in faults:
        if len(fault.at.unions) <= level:
            kept.append(fault)
            continue
        path, label = fault.at.unions[level]
        groups.setdefault(path, {}).setdefault(label, []).append(fault)
    for path, members in groups.items():
        inside = [m for m in members.values() if all(_is_inside(f, path) for f in m)]
        if inside:
            meant = min(inside, key=len)
            kept += _settle_unions(meant, level + 1)
        else:
            kept.append(_either([m[0] for m in members.values()]))
    return kept


def _is_inside(fault: _Fault, path: tuple[str | int, ...]) -> bool:
    return len(fault.at.path) > len(path) or bool(fault.at.absent) or "error" in fault.context


def _either(faults: Sequence[_Fault]) -> _Fault:
    wants = [wanted(f.kind, f.context, f.at.words) for f in faults]
    names = list(dict.fromkeys(want for want in wants if want))
    first = faults[0]
    if not names:
        return first
    return _Fault(
        kind=first.kind,
        message=first.message,
        context={"wanted": " or ".join(names)},
        at=first.at,
    )
