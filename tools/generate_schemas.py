"""Write schemas/*.json from the document models; with --check only say whether they differ."""  # noqa: INP001

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from verifier.documents.schemas import schema_files

FOLDER = Path(__file__).resolve().parent.parent / "schemas"


def stale(folder: Path) -> list[str]:
    """Names of files that differ from what is generated, are missing, or have no model."""
    wanted = schema_files()
    present = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    return sorted(n for n in wanted | present if wanted.get(n) != present.get(n))


def write(folder: Path) -> None:
    """Make the folder's generated files what the models say; files without a model go."""
    wanted = schema_files()
    for path in folder.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, data in wanted.items():
        (folder / name).write_bytes(data)


def main(arguments: list[str] | None = None, *, folder: Path = FOLDER) -> int:
    """Return 0 when the files are (now) as generated, 1 when --check found a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if different")
    check = parser.parse_args(arguments).check
    different = stale(folder)
    if not check:
        write(folder)
    for name in different:
        verb = "differs from its model" if check else "written"
        sys.stdout.write(f"schemas/{name}: {verb}\n")
    return 1 if check and different else 0


if __name__ == "__main__":
    sys.exit(main())
