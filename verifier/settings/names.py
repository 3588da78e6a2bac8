"""CLDR's names of things, as the installed Babel gives them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from verifier.errors import VerifierError

KINDS = ("territory", "language", "currency", "script", "unit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names by language and code (`territory:FR`), and where CLDR places each code.

    by_language: language -> code -> name, in NFC; places: code -> territory codes (for a
    unit, its category), most telling first.
    """

    by_language: Mapping[str, Mapping[str, str]]
    places: Mapping[str, tuple[str, ...]]


def require_versions(*, babel: str, cldr: str, where: str) -> None:
    """Refuse any other Babel or CLDR than the card's: VerifierError naming both versions."""
    hint = f"run: python -m pip install 'Babel=={babel}'"
    try:
        import babel as installed  # noqa: PLC0415 (Babel is an extra: only this setting needs it)
        from babel.core import get_cldr_version  # noqa: PLC0415
    except ImportError as error:
        raise VerifierError(f"Babel {babel} is not installed", where=where, hint=hint) from error
    if installed.__version__ != babel:
        raise VerifierError(
            f"want Babel {babel}, found Babel {installed.__version__}", where=where, hint=hint
        )
    if get_cldr_version() != cldr:
        raise VerifierError(
            f"want CLDR {cldr}, found CLDR {get_cldr_version()}: this Babel is not as released",
            where=where,
            hint=f"run: python -m pip install --force-reinstall 'Babel=={babel}'",
        )


def read_names(languages: Sequence[str]) -> Names:
    """Read the names of the five kinds in these languages from the installed Babel."""
    symbols = _unit_symbols()
    by_language = {language: _names_in(language, symbols) for language in languages}
    codes = {code for names in by_language.values() for code in names}
    return Names(by_language=by_language, places=_places(sorted(codes)))


def unit_name(forms: Mapping[str, Any], symbol: str | None) -> str | None:
    """Return a unit's long name, else its short one (CLDR's own fall-back), else None.

    A name equal to the language-neutral symbol is no name: nobody translated it.  `forms`
    is any mapping; Babel's are no dicts.
    """
    name = forms.get("long") or forms.get("short")
    return name if isinstance(name, str) and name != symbol else None


def _unit_symbols() -> dict[str, str]:
    from babel import localedata  # noqa: PLC0415

    root: Mapping[str, Mapping[str, Any]] = localedata.load("root")["unit_display_names"]
    return {code: str(forms["short"]) for code, forms in root.items() if "short" in forms}


def _names_in(language: str, symbols: Mapping[str, str]) -> dict[str, str]:
    from babel import Locale  # noqa: PLC0415

    locale = Locale.parse(language)
    # English is the knowledge base: there a symbol that serves as the name is the name.
    root = {} if language == "en" else symbols
    units = {
        code: unit_name(forms, root.get(code)) for code, forms in locale.unit_display_names.items()
    }
    tables: tuple[Mapping[str, str | None], ...] = (
        locale.territories,
        locale.languages,
        locale.currencies,
        locale.scripts,
        units,
    )
    return {
        f"{kind}:{code}": unicodedata.normalize("NFC", name)
        for kind, table in zip(KINDS, tables, strict=True)
        for code, name in sorted(table.items())
        if name and not name.isspace()
    }


def _places(codes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    from babel.core import get_global  # noqa: PLC0415

    likely: Mapping[str, str] = get_global("likely_subtags")
    aliases: Mapping[str, Sequence[str]] = get_global("territory_aliases")
    users: Mapping[str, Sequence[str]] = get_global("all_currencies")

    def of_subtag(tag: str) -> tuple[str, ...]:
        return (likely[tag].split("_")[-1],) if tag in likely else ()

    def of_language(code: str) -> tuple[str, ...]:
        parts = code.split("_")
        if parts[-1].isupper() or parts[-1].isdigit():  # en_GB, ar_001
            return (parts[-1],)
        return of_subtag(code) or of_subtag(parts[0])

    def of_currency(code: str) -> tuple[str, ...]:
        return (code[:2], *sorted(users.get(code, ())))  # ISO 4217: first two letters, ISO 3166

    place: dict[str, Callable[[str], tuple[str, ...]]] = {
        "territory": lambda code: (code,),
        "language": of_language,
        "currency": of_currency,
        "script": lambda code: of_subtag(f"und_{code}"),
        "unit": lambda code: (code.split("-")[0],),
    }
    found: dict[str, tuple[str, ...]] = {}
    for code in codes:
        kind, _, rest = code.partition(":")
        places = place[kind](rest)
        successors = () if kind == "unit" else tuple(aliases.get(places[0], ())) if places else ()
        found[code] = (*places[:1], *successors[:1], *places[1:])
    return found
