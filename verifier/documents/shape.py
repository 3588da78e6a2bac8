"""Where in a document a validation error is, and which keys and words its model knows there.

pydantic names the place of an error by a path that also holds labels of union members, which
are not in the document; walking the model's core schema beside the value tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

_Schema = Mapping[str, Any]
_CONTAINERS = frozenset({"model-fields", "tagged-union", "union", "list", "tuple", "dict"})
_INNER = {"lax-or-strict": "strict_schema", "json-or-python": "json_schema"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One error path, resolved.

    path: keys and indices that are in the document.  absent: the rest of the error path,
    which is not.  on_key: the error is about the key at `path`, not its value.
    known: keys of the mapping that holds the last step.  words: texts allowed at the place.
    unions: (path, label) of the plain unions passed on the way, outermost first.
    """

    path: tuple[str | int, ...]
    absent: tuple[str | int, ...]
    on_key: bool
    known: tuple[str, ...]
    words: tuple[str, ...]
    unions: tuple[tuple[tuple[str | int, ...], str], ...]


def trace(model: type[BaseModel], loc: Sequence[str | int], value: object) -> Trace:
    """Resolve the error path `loc` of `model` in the document `value`."""
    walk = _Walk(model, value)
    absent: list[str | int] = []
    for step in loc:
        if absent or not walk.take(step):
            absent.append(step)
    on_key = absent == ["[key]"]
    return Trace(
        path=tuple(walk.path),
        absent=() if on_key else tuple(absent),
        on_key=on_key,
        known=walk.known(missing=bool(absent)),
        words=tuple(_words(walk.key_schema() if on_key else walk.schema)),
        unions=tuple(walk.unions),
    )


class _Walk:
    """A value and its schema, descended together; the schema is None once it is not known."""

    def __init__(self, model: type[BaseModel], value: object) -> None:
        self._definitions: dict[str, _Schema] = {}
        self.schema = self._unwrap(model.__pydantic_core_schema__)
        self._outer: _Schema | None = None
        self._value = value
        self.path: list[str | int] = []
        self.unions: list[tuple[tuple[str | int, ...], str]] = []

    def take(self, step: str | int) -> bool:
        """Go one step of an error path; False where the document has nothing there."""
        kind = self.schema["type"] if self.schema else None
        if self.schema and kind in {"union", "tagged-union"}:
            if kind == "union":
                self.unions.append((tuple(self.path), str(step)))
            self.schema = self._unwrap(_member(self.schema, step))
            return True
        if isinstance(self._value, dict) and step in self._value:
            self._value = self._value[step]
        elif isinstance(self._value, list) and step in range(len(self._value)):
            self._value = self._value[int(step)]
        else:
            return False
        self._outer, self.schema = self.schema, self._unwrap(_inside(self.schema, step))
        self.path.append(step)
        return True

    def known(self, *, missing: bool) -> tuple[str, ...]:
        """The keys of the mapping that holds, or should hold, the last step."""
        schema = self.schema if missing else self._outer
        if not schema or schema["type"] != "model-fields":
            return ()
        return tuple(_name(name, field) for name, field in schema["fields"].items())

    def key_schema(self) -> _Schema | None:
        """What the keys must be in the mapping that holds the last step."""
        is_dict = self._outer is not None and self._outer["type"] == "dict"
        return self._unwrap(self._outer.get("keys_schema")) if self._outer and is_dict else None

    def _unwrap(self, schema: _Schema | None) -> _Schema | None:
        while schema and schema["type"] not in _CONTAINERS:
            if schema["type"] == "definitions":
                self._definitions.update((d["ref"], d) for d in schema["definitions"])
            if schema["type"] == "definition-ref":
                schema = self._definitions.get(schema["schema_ref"])
            elif (inner := schema.get(_INNER.get(schema["type"], "schema"))) is not None:
                schema = inner
            else:
                break
        return schema


def _name(name: str, field: _Schema) -> str:
    alias = field.get("validation_alias", name)
    return alias if isinstance(alias, str) else name


def _member(schema: _Schema, label: str | int) -> _Schema | None:
    if schema["type"] == "tagged-union":
        choices: Mapping[Any, _Schema] = schema["choices"]
        return next((c for tag, c in choices.items() if str(tag) == str(label)), None)
    for choice in schema["choices"]:
        member: _Schema = choice[0] if isinstance(choice, tuple) else choice
        named = member.get("cls") or member.get("schema_ref", "").split(":")[0].rpartition(".")[2]
        if label in {named, getattr(named, "__name__", None)}:
            return member
    return None


def _inside(schema: _Schema | None, step: str | int) -> _Schema | None:
    if schema is None:
        return None
    found: _Schema | None = None
    if schema["type"] == "model-fields":
        fields = schema["fields"].items()
        found = next((f["schema"] for name, f in fields if step in {name, _name(name, f)}), None)
    elif schema["type"] == "dict":
        found = schema.get("values_schema")
    elif schema["type"] == "list":
        found = schema.get("items_schema")
    elif schema["type"] == "tuple":
        items = schema["items_schema"]
        found = items[min(int(step), len(items) - 1)] if items else None
    return found


def _words(schema: _Schema | None) -> Iterator[str]:
    kind = schema["type"] if schema else ""
    lists = {"literal": "expected", "enum": "members", "tagged-union": "choices"}
    for word in schema.get(lists.get(kind, ""), ()) if schema else ():
        text = getattr(word, "value", word)
        if isinstance(text, str):
            yield text
