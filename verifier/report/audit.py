"""An audit as plain text."""

from __future__ import annotations

from verifier.documents.verdict import Verdict
from verifier.report.terminal import last_line, paragraph


def render_audit(
    published: Verdict,
    computed: Verdict,
    differences: tuple[str, ...],
    notes: tuple[str, ...],
    *,
    width: int = 80,
) -> str:
    """Return what was checked and whether the verdict is what its evidence says."""
    evidence = published.evidence
    lines = [
        f"evidence {evidence.digest}",  # 80 columns, on one line to copy
        f"          {evidence.files} files, {evidence.trials} trials: every digest holds",
        *paragraph("edition", published.format.edition, width=width),
        *paragraph("claim", published.subject.id, width=width),
        *paragraph("computed", computed.plain, width=width),
    ]
    for note in notes:
        lines += paragraph("note", note, width=width)
    if not differences:
        lines.append("The published verdict is, byte for byte, what its evidence says.")
        lines.append(last_line(computed, width=width))
        return "\n".join(lines)
    lines.append("The published verdict is NOT what its evidence says:")
    for difference in differences:
        lines += paragraph("", difference, width=width)
    lines.append(f"AUDIT FAILED  published {published.status}, computed {computed.status}")
    return "\n".join(lines)
