"""Strict YAML 1.2: what stands there is what is meant, or it is refused with its place.

Refused: anchors, aliases, merge keys, tags, directives, several documents, repeated, empty,
non-text and non-ASCII keys, raw tabs, unquoted texts over several lines (a list with its dashes
out of line is one), and unquoted scalars in doubt (see `yaml_scalars`).
Built from the parser's events, so nothing is ever expanded, and nothing recurses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from verifier.documents.parsed import Parsed
from verifier.documents.source import Bounds, Source, decode, shown
from verifier.documents.tree import Tree
from verifier.documents.yaml_scalars import resolve_plain

YAML_BOUNDS: Final = Bounds(size_bytes=1 << 20, depth=32, values=100_000)

# Line ends that YAML 1.2 no longer knows, and what it calls not printable.
_UNWANTED = re.compile("\t|\r(?!\n)|[\u2028\u2029\ufeff\ufffe\uffff]")
_LONG_TAG = re.compile(r"(?<!\S)!\S{1000}")  # ruamel reads tags in quadratic time
_BEYOND_UNICODE = re.compile(r"\\U(?!000|0010)")
_DIRECTIVE = re.compile(r"^%", re.MULTILINE)
_AS_WRITTEN = "write the value itself where it is meant; a document of ours has no shortcuts"


def parse_yaml(data: bytes, *, name: str, bounds: Bounds = YAML_BOUNDS) -> Parsed:
    """Read a YAML document; DocumentError with `name:line:column` for anything not strict."""
    source = decode(data, name=name, bounds=bounds)
    if found := _UNWANTED.search(source.text):
        what = "a tab" if found[0] == "\t" else f"U+{ord(found[0]):04X}"
        source.refuse(
            found.start(),
            f"{what} stands here",
            r"indent with blanks; inside a text in double quotes write \t, \r or \u2028",
        )
    if tag := _LONG_TAG.search(source.text):
        source.refuse(tag.start(), "the tag, or word beginning with !, is too long", _AS_WRITTEN)
    tree = Tree(source, bounds)
    documents = 0
    for event in _events(source):
        if isinstance(event, DocumentStartEvent):
            documents += 1
            _check_start(source, _at(event), first=documents == 1)
        elif isinstance(event, NodeEvent):
            _check_node(source, event)
            _add(source, tree, event)
        elif isinstance(event, CollectionEndEvent):
            tree.close()
    if not documents:
        source.refuse(0, "the document is empty", 'begin it with its "schema" line')
    return Parsed(source=source, value=tree.value, scan=lambda: tree.spot)


def _events(source: Source) -> Iterator[Event]:
    """The parser's events; its own errors become DocumentErrors."""
    try:
        yield from YAML(typ="safe", pure=True).parse(source.text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = " ".join(str(part) for part in (error.context, error.problem) if part)
        source.refuse(
            min(mark.index, len(source.text)) if mark else 0,
            f"this is not YAML: {message}",
            "check indentation, quotes and the blank after each colon",
        )
    except (YAMLError, ValueError, OverflowError) as error:
        escape = _BEYOND_UNICODE.search(source.text)
        source.refuse(
            escape.start() if escape else 0,
            "an escape names no character of Unicode" if escape else f"this is not YAML: {error}",
            "write the character itself",
        )


def _at(event: Event) -> int:
    return int(event.start_mark.index)


def _check_start(source: Source, at: int, *, first: bool) -> None:
    if not first:
        source.refuse(at, "a second document begins here", "one document a file")
    if directive := _DIRECTIVE.search(source.text, 0, at):
        source.refuse(directive.start(), "a directive stands here", "remove the line")


def _check_node(source: Source, event: NodeEvent) -> None:
    if isinstance(event, AliasEvent):
        source.refuse(_at(event), f"the alias {shown(str(event.anchor))} stands here", _AS_WRITTEN)
    if event.anchor is not None:
        source.refuse(_at(event), f"the anchor {shown(event.anchor)} stands here", _AS_WRITTEN)
    tag = event.tag if isinstance(event, (ScalarEvent, CollectionStartEvent)) else None
    if tag is not None:
        source.refuse(_at(event), f"the tag {shown(tag)} stands here", _AS_WRITTEN)


def _add(source: Source, tree: Tree, event: NodeEvent) -> None:
    at = _at(event)
    if tree.wants_key:
        tree.key(_key(source, event), at)
    elif isinstance(event, MappingStartEvent):
        tree.open({}, at)
    elif isinstance(event, SequenceStartEvent):
        tree.open([], at)
    elif isinstance(event, ScalarEvent):
        value: str | float | bool | None = str(event.value)
        if event.style is None:
            _check_one_line(source, event)
            owner = at if event.value or tree.pending_key is None else tree.pending_key
            value = resolve_plain(event.value, source=source, at=owner)
        tree.scalar(value, at)


def _check_one_line(source: Source, event: ScalarEvent) -> None:
    if event.end_mark.line > event.start_mark.line and event.value:
        source.refuse(
            _at(event),
            "an unquoted text goes over several lines",
            "quote it, or begin it with >- after its key; or mend the indentation",
        )


def _key(source: Source, event: NodeEvent) -> str:
    at = _at(event)
    if not isinstance(event, ScalarEvent):
        source.refuse(at, "a list or mapping stands where a key must", "a key is text")
    if event.value == "<<":
        source.refuse(at, "the merge key << stands here", _AS_WRITTEN)
    text = str(event.value)
    if event.style is None and not isinstance(resolve_plain(text, source=source, at=at), str):
        source.refuse(at, f"the key {shown(text)} is not text", f'write "{text}"')
    return text
