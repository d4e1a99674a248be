"""Slots: the only way a number gets into a text.

A text holds `{{f12|money}}`; the printer takes the number from the facts and formats it for the reader's language.
Formats: money, percent, points, int, number, each also as `_abs` (no sign: a direction word says it) or `_signed` (+ or −);
`name` prints the quoted name of the campaign or platform that the fact is about.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from babel.numbers import format_currency, format_decimal

from domain.facts import Fact

SLOT = re.compile(r"\{\{\s*(f\d{1,6})\s*\|\s*([a-z_]{1,20})\s*\}\}")
NO_VALUE = "—"
MINUS = "−"
NAME_LENGTH = 80
PLATFORM_NAMES: Mapping[str, Mapping[str, str]] = {
    "google_ads": {"en": "Google Ads", "ru": "Google Ads"},
    "meta_ads": {"en": "Meta Ads", "ru": "Meta Ads"},
    "yandex_direct": {"en": "Yandex Direct", "ru": "Яндекс Директ"},
    "ga4": {"en": "Google Analytics", "ru": "Google Analytics"},
    "yandex_metrica": {"en": "Yandex Metrica", "ru": "Яндекс Метрика"},
}
UNITS_OF_FORMAT: Mapping[str, frozenset[str]] = {
    "money": frozenset({"money"}),
    "percent": frozenset({"percent", "ratio"}),
    "points": frozenset({"points"}),
    "int": frozenset({"count", "number"}),
    "number": frozenset({"count", "number", "ratio"}),
}
"""Which units a format may print; `name` prints any fact's subject."""


@dataclass(frozen=True)
class Piece:
    """A stretch of printed text; `fact_id` is empty for the words between slots."""

    text: str
    fact_id: str = ""


def formats() -> frozenset[str]:
    """Return every format that a slot may ask for."""
    return frozenset(f"{base}{suffix}" for base in UNITS_OF_FORMAT for suffix in ("", "_abs", "_signed")) | {"name"}


def fits(fact: Fact, form: str) -> bool:
    """Say whether a format can print this fact: money never as percent, nothing without a value."""
    if form == "name":
        return bool(subject(fact, "en"))
    base = form.removesuffix("_abs").removesuffix("_signed")
    return form in formats() and fact.unit in UNITS_OF_FORMAT.get(base, ())


def clean_name(text: str, length: int = NAME_LENGTH) -> str:
    """Make an outsider's name harmless: no control or invisible characters, no slot braces, at most `length` characters."""
    visible = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", text))
    visible = "".join(c for c in visible if unicodedata.category(c) not in {"Cf", "Cc", "Co", "Cs"})
    flat = " ".join(visible.replace("{", "(").replace("}", ")").split())
    return flat if len(flat) <= length else flat[: length - 1].rstrip() + "…"


def quoted(name: str, language: str) -> str:
    """Quote a name as the language does."""
    inner = clean_name(name)
    return f"«{inner}»" if language == "ru" else f"“{inner}”"


def platform_name(platform: str, language: str) -> str:
    """Return the platform's own name in the reader's language."""
    names = PLATFORM_NAMES.get(platform)
    return names[language] if names else clean_name(platform)


def subject(fact: Fact, language: str) -> str:
    """Name what the fact is about: a campaign in quotes, a platform, or nothing for a total."""
    campaign = fact.filters.get("campaign_name") or fact.filters.get("campaign")
    if campaign is not None:
        return quoted(campaign or NO_VALUE, language)
    platform = fact.filters.get("platform")
    return platform_name(platform, language) if platform else ""


def print_value(value: Decimal | None, unit: str, currency: str, language: str, *, sign: str = "") -> str:
    """Print a number for a reader: `sign` is "", "abs" or "signed". Percent and points are stored as fractions.

    `unit` is money, percent, points, int, number (up to two decimals) or factor (always two, such as ROAS).
    """
    if value is None:
        return NO_VALUE
    shown = abs(value)
    if unit == "money":
        text = _money(shown, currency, language)
    elif unit == "percent":
        text = _decimal(shown * 100, "#,##0.0", language) + ("\u00a0%" if language == "ru" else "%")
    elif unit == "points":
        text = _decimal(shown * 100, "#,##0.00", language) + ("\u00a0п.\u00a0п." if language == "ru" else "\u00a0pp")
    elif unit == "int":
        text = _decimal(shown, "#,##0", language)
    else:
        text = _decimal(shown, "#,##0.00" if unit == "factor" else "#,##0.##", language)
    return text if sign == "abs" else _sign(value, text, always=sign == "signed") + text


def _sign(value: Decimal, text: str, *, always: bool) -> str:
    """Return the sign; a number that rounds to nothing has none."""
    if not any(c.isdigit() and c != "0" for c in text):
        return ""
    if value < 0:
        return MINUS
    return "+" if always else ""


def print_fact(fact: Fact, form: str, language: str) -> str:
    """Print a fact in a format; a fact without a value prints a dash.

    Raises ValueError where the format does not fit the fact's unit.
    """
    if form == "name":
        return subject(fact, language)
    if not fits(fact, form):
        raise ValueError(f"{fact.id} is {fact.unit} and cannot be printed as {form}")
    base, _, sign = form.partition("_")
    if base == "percent" and fact.unit == "ratio":
        return print_rate(fact.value, language, sign)
    unit = "factor" if base == "number" and fact.metric == "roas" else base
    return print_value(fact.value, unit, fact.currency, language, sign=sign)


def print_rate(value: Decimal | None, language: str, sign: str = "") -> str:
    """Print a rate such as CTR in percent with two decimals, or three significant digits below one percent."""
    if value is None:
        return NO_VALUE
    percent = abs(value) * 100
    places = 2 if percent >= 1 or percent == 0 else min(8, 2 - percent.adjusted())
    text = _decimal(percent, "#,##0." + "0" * places, language) + ("\u00a0%" if language == "ru" else "%")
    return text if sign == "abs" else _sign(value, text, always=sign == "signed") + text


def natural_format(fact: Fact) -> str:
    """Return the format that suits a fact when nobody chose one."""
    if fact.unit == "ratio":
        return "number" if fact.metric == "roas" else "percent"
    return {"money": "money", "percent": "percent", "points": "points", "count": "int"}.get(fact.unit, "number")


def pieces(text: str, facts: Mapping[str, Fact], language: str) -> Iterator[Piece]:
    """Split a text into words and printed slots, in order. Raises KeyError for a fact that is not in the ledger.

    A printed unit that ends in a full stop, such as `п. п.`, takes the place of the sentence's own.
    """
    place = 0
    for match in SLOT.finditer(text):
        if match.start() > place:
            yield Piece(text[place : match.start()])
        fact_id, form = match.groups()
        printed = print_fact(facts[fact_id], form, language)
        yield Piece(printed, fact_id)
        place = match.end() + (printed.endswith(".") and text.startswith(".", match.end()))
    if place < len(text):
        yield Piece(text[place:])


def fill(text: str, facts: Mapping[str, Fact], language: str) -> str:
    """Print a text: every slot replaced by its number."""
    return "".join(piece.text for piece in pieces(text, facts, language))


def _money(value: Decimal, currency: str, language: str) -> str:
    """Print an amount; a currency that the language writes as a code keeps a space before the number."""
    if not currency:
        return _decimal(value, "#,##0.00", language)
    return re.sub(r"([A-Z])(?=\d)", "\\1\u00a0", str(format_currency(value, currency, locale=language)))


def _decimal(value: Decimal, pattern: str, language: str) -> str:
    places = len(pattern.partition(".")[2])
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    return str(format_decimal(rounded, pattern, locale=language))
