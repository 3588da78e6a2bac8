"""The evidence folder as bytes: packed with a manifest, opened only when every digest holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from verifier.documents.canonical import canonical_bytes, digest
from verifier.documents.card import Card
from verifier.documents.claim import Claim
from verifier.documents.evidence import EvidenceManifest, Judgements, ManifestFile, Study
from verifier.documents.reading import read_document
from verifier.errors import DocumentError, EvidenceError

CLAIM = "claim.yaml"
STUDY = "study.json"
MANIFEST = "manifest.json"
_RESTORE = "restore the folder from its publisher; changed evidence carries no verdict"

Files = Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything a verdict rests on, read.  rankings: digest -> encoded ranking."""

    name: str
    claim: Claim
    claim_bytes: bytes
    cards: Mapping[str, Card]
    card_bytes: Mapping[str, bytes]
    judgements: Mapping[str, Judgements]
    study: Study
    rankings: Mapping[str, bytes]


def pack(evidence: Evidence) -> dict[str, bytes]:
    """Return an evidence folder: path -> bytes, with its manifest."""
    files = {
        CLAIM: evidence.claim_bytes,
        STUDY: model_bytes(evidence.study),
        **{f"cards/{name}.yaml": data for name, data in evidence.card_bytes.items()},
        **{judgement_file(n): model_bytes(j) for n, j in evidence.judgements.items()},
    }
    used = {d for row in evidence.study.trials for d in row.rankings.values()}
    files |= {ranking_file(d): evidence.rankings[d] for d in sorted(used)}
    files[MANIFEST] = model_bytes(manifest_of(files))
    return files


def judgement_file(setting: str) -> str:
    """Return where a setting's judgements stand in an evidence folder."""
    return f"judgements/{setting}.json"


def ranking_file(ranking: str) -> str:
    """Return where the ranking with a digest stands in an evidence folder."""
    return f"rankings/{ranking.removeprefix('sha256:')}.bin"


def model_bytes(model: Study | Judgements | EvidenceManifest) -> bytes:
    """Return the canonical bytes of a document: RFC 8785 and a newline."""
    return canonical_bytes(model.model_dump(mode="json", by_alias=True)) + b"\n"


def manifest_of(files: Files) -> EvidenceManifest:
    """Return the manifest of an evidence folder's files."""
    return EvidenceManifest(
        files={
            path: ManifestFile(sha256=digest(data), bytes=len(data))
            for path, data in sorted(files.items())
            if path != MANIFEST
        }
    )


def evidence_digest(files: Files) -> str:
    """Return the digest of an evidence folder: that of its manifest."""
    return digest(files[MANIFEST])


def check_files(files: Files, *, name: str) -> None:
    """Raise EvidenceError unless the folder holds exactly the bytes its manifest names."""
    if MANIFEST not in files:
        raise EvidenceError("the manifest is missing", where=f"{name}/{MANIFEST}", hint=_RESTORE)
    listed = read_document(EvidenceManifest, files[MANIFEST], name=MANIFEST).files
    for path in sorted(set(listed) | (set(files) - {MANIFEST})):
        where = f"{name}/{path}"
        if path not in files:
            raise EvidenceError("a file of the evidence is missing", where=where, hint=_RESTORE)
        if path not in listed:
            raise EvidenceError("a file is not in the manifest", where=where, hint=_RESTORE)
        found = digest(files[path])
        if found != listed[path].sha256:
            raise EvidenceError(
                f"its digest is {found[:19]}…, the manifest says {listed[path].sha256[:19]}…",
                where=where,
                hint=_RESTORE,
            )


def open_bundle(files: Files, *, name: str) -> Evidence:
    """Check and read an evidence folder; EvidenceError names what is wrong with it."""
    check_files(files, name=name)
    for path in (CLAIM, STUDY):
        if path not in files:
            raise EvidenceError("it is missing", where=f"{name}/{path}", hint=_RESTORE)
    try:
        return _read(files, name)
    except DocumentError as error:  # not the user's document: evidence that cannot be relied on
        raise EvidenceError(error.problem, where=error.where, hint=_RESTORE) from error


def _read(files: Files, name: str) -> Evidence:
    claim = read_document(Claim, files[CLAIM], name=f"{name}/{CLAIM}")
    study = read_document(Study, files[STUDY], name=f"{name}/{STUDY}")
    card_bytes = {}
    judgements = {}
    for setting in study.settings:
        for path in (f"cards/{setting.name}.yaml", setting.judgements):
            if path not in files:
                raise EvidenceError("it is missing", where=f"{name}/{path}", hint=_RESTORE)
        card_bytes[setting.name] = files[f"cards/{setting.name}.yaml"]
        judgements[setting.name] = read_document(
            Judgements, files[setting.judgements], name=f"{name}/{setting.judgements}"
        )
    cards = {
        setting: read_document(Card, data, name=f"{name}/cards/{setting}.yaml")
        for setting, data in card_bytes.items()
    }
    return Evidence(
        name=name,
        claim=claim,
        claim_bytes=files[CLAIM],
        cards=cards,
        card_bytes=card_bytes,
        judgements=judgements,
        study=study,
        rankings={
            "sha256:" + path.removeprefix("rankings/").removesuffix(".bin"): data
            for path, data in files.items()
            if path.startswith("rankings/")
        },
    )
