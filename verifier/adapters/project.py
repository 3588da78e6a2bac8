"""The user's project on disk: claims, scripts, cards; read whole, never through links."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from verifier.errors import UsageError, VerifierError

STATE = ".verify"
CLAIMS = "claims"
_MOST_BYTES = 64 << 20
_SKIP = frozenset({"__pycache__", ".git", ".mypy_cache", ".ruff_cache", ".pytest_cache"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A folder with claims and the scripts they name."""

    root: Path

    @property
    def state(self) -> Path:
        """Where the harness keeps its store, environments and verdicts."""
        return self.root / STATE

    def read(self, path: str, *, hint: str) -> bytes:
        """Return a file of the project; UsageError if there is none."""
        place = self.root / path
        try:
            return place.read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise UsageError("there is no such file", where=path, hint=hint) from error
        except OSError as error:
            raise VerifierError(
                f"it cannot be read: {error.strerror}", where=path, hint="check its permissions"
            ) from error

    def closure(self, files: Sequence[str]) -> dict[str, bytes]:
        """Return every file that a claim names, folders included: path -> bytes, by path.

        UsageError for a missing file, a link, anything that is no plain file, too much.
        """
        found: dict[str, bytes] = {}
        for name in files:
            top = self.root / name
            for place in _plain_files(top, name):
                path = place.relative_to(self.root).as_posix()
                found[path] = self.read(path, hint="the claim names it under files:")
                if sum(map(len, found.values())) > _MOST_BYTES:
                    raise UsageError(
                        f"the files of the reproduction exceed {_MOST_BYTES >> 20} MiB",
                        where=name,
                        hint="name only scripts under files:; data come with a setting",
                    )
        return dict(sorted(found.items()))

    def card(self, name: str) -> bytes:
        """Return a setting's card: the project's own, else the one shipped with the harness."""
        own = self.root / "settings" / f"{name}.yaml"
        if own.is_file():
            return own.read_bytes()
        shipped = shipped_cards()
        if name in shipped:
            return shipped[name]
        known = ", ".join(self.cards()) or "none"
        raise UsageError(
            f"there is no setting {name!r}",
            where=f"settings/{name}.yaml",
            hint=f"known settings: {known}",
        )

    def cards(self) -> tuple[str, ...]:
        """Return the names of all settings there are cards of."""
        folder = self.root / "settings"
        own = {p.stem for p in folder.glob("*.yaml")} if folder.is_dir() else set()
        return tuple(sorted(own | set(shipped_cards())))

    def claims(self) -> tuple[str, ...]:
        """Return the claim files of the project."""
        folder = self.root / CLAIMS
        if not folder.is_dir():
            return ()
        return tuple(sorted(f"{CLAIMS}/{p.name}" for p in folder.glob("*.yaml")))


def find_project(start: Path) -> Project:
    """Return the project around a place: the nearest folder upwards with a claims/ folder."""
    for folder in (start, *start.parents):
        if (folder / CLAIMS).is_dir():
            return Project(root=folder)
    raise UsageError(
        "no project here: no folder upwards holds claims/",
        where=str(start),
        hint="go to the project's folder, or start one with `verify new NAME`",
    )


def shipped_cards() -> dict[str, bytes]:
    """Return the cards that came with the harness: name -> bytes.

    In the wheel they are resources; in a checkout they stand beside the package.
    """
    packaged = resources.files("verifier") / "resources" / "settings"
    folder = packaged if packaged.is_dir() else resources.files("verifier") / ".." / "settings"
    if not folder.is_dir():
        return {}
    return {
        entry.name.removesuffix(".yaml"): entry.read_bytes()
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    }


def _plain_files(top: Path, name: str) -> Iterator[Path]:
    if top.is_symlink():
        raise UsageError("it is a link", where=name, hint="name the file itself under files:")
    if top.is_file():
        yield top
        return
    if not top.is_dir():
        raise UsageError(
            "there is no such file or folder", where=name, hint="see files: in the claim"
        )
    for place in sorted(top.iterdir()):
        if place.name in _SKIP or place.suffix == ".pyc":
            continue
        yield from _plain_files(place, f"{name}/{place.name}")
