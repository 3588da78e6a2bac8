"""The form of a run's lines, checked on the bytes before any library reads them."""

from __future__ import annotations

import numpy as np

from verifier.errors import OutputError

MAX_LINE_BYTES = 1024
_NEWLINE, _BLANK, _TAB = 10, 32, 9


def refuse(rule: str, problem: str, *, where: str, line: int, hint: str) -> OutputError:
    """Make the error that refuses a run at a line (from 1)."""
    return OutputError(problem, where=f"{where}:{line}", hint=hint, rule=f"run.{rule}")


def check_lines(data: bytes, *, columns: int, where: str) -> None:
    """Refuse bytes that are not lines of `columns` fields with one blank or tab between them.

    OutputError naming the line for: nothing at all, a byte order mark, bytes that are not
    UTF-8, carriage returns and null bytes, lines over MAX_LINE_BYTES, and any other number of
    columns, an empty one included.  The last line may lack its newline.
    """
    if not data:
        raise OutputError(
            "the run is empty",
            where=where,
            hint="write at least one result, or exit with an error",
            rule="run.empty",
        )
    _check_text(data, where=where)
    codes = np.frombuffer(data if data.endswith(b"\n") else data + b"\n", dtype=np.uint8)
    ends = np.flatnonzero(codes == _NEWLINE)
    lengths = np.diff(ends, prepend=-1) - 1
    if int(lengths.max()) > MAX_LINE_BYTES:
        line = int(np.argmax(lengths > MAX_LINE_BYTES)) + 1
        raise refuse(
            "line_length",
            f"the line has {int(lengths[line - 1])} bytes, at most {MAX_LINE_BYTES} are read",
            where=where,
            line=line,
            hint="write one result a line and a short tag",
        )
    cuts = np.flatnonzero((codes == _BLANK) | (codes == _TAB) | (codes == _NEWLINE))
    last = np.searchsorted(cuts, ends)
    empty = np.diff(cuts, prepend=-1) == 1
    bad = np.diff(last, prepend=-1) != columns
    bad[np.searchsorted(last, np.flatnonzero(empty))] = True
    if bool(bad.any()):
        raise refuse(
            "columns",
            f"want {columns} columns with one blank or tab between them",
            where=where,
            line=int(np.argmax(bad)) + 1,
            hint="write lines like: query Q0 document 1 12.5 tag",
        )


def _check_text(data: bytes, *, where: str) -> None:
    if data.startswith(b"\xef\xbb\xbf"):
        raise refuse(
            "mark",
            "the file begins with a byte order mark",
            where=where,
            line=1,
            hint="write the file with encoding='utf-8', not 'utf-8-sig'",
        )
    for mark, name in ((b"\r", "carriage return"), (b"\0", "null byte")):
        place = data.find(mark)
        if place >= 0:
            raise refuse(
                "newline" if mark == b"\r" else "null",
                f"the line holds a {name}",
                where=where,
                line=data.count(b"\n", 0, place) + 1,
                hint="end lines with a newline alone and write plain text",
            )
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refuse(
            "utf8",
            "the line is not UTF-8",
            where=where,
            line=data.count(b"\n", 0, error.start) + 1,
            hint="write the file with encoding='utf-8'",
        ) from error
