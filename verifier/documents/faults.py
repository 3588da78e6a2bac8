"""The error that validators of our models raise, so that readers can say what to do."""

from __future__ import annotations


class BadValueError(ValueError):
    """A value that its model refuses.

    hint: what to do about it.
    at: path from the validated value to the part at fault, () for all of it.
    """

    def __init__(self, problem: str, *, hint: str, at: tuple[str | int, ...] = ()) -> None:
        super().__init__(problem)
        self.hint = hint
        self.at = at
