"""Words and numbers in the reader's language. A language belongs to a session, never to the process."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from babel.dates import format_date, format_datetime

from domain import slots
from domain.errors import MrmError, UnknownName

LANGUAGES = ("ru", "en")
NOTHING = slots.NO_VALUE
_FORMS = {"count": "int", "money": "money"}


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Load a catalogue; raises UnknownName for a language that has none."""
    if language not in LANGUAGES:
        raise UnknownName("language", language, LANGUAGES)
    loaded: dict[str, str] = json.loads((Path(__file__).parent / "catalogues" / f"{language}.json").read_text(encoding="utf-8"))
    return loaded


@dataclass(frozen=True)
class Language:
    """One language: its words by key, and its way of writing numbers, money and dates."""

    code: str

    def say(self, key: str, **values: object) -> str:
        """Return the words of a key; a missing key is a fault, found by the tests."""
        return catalogue(self.code)[key].format(**values)

    def knows(self, key: str) -> bool:
        """Tell whether the catalogue has the key."""
        return key in catalogue(self.code)

    def label(self, labels: Mapping[str, str], name: str) -> str:
        """Choose a label that the platform delivers in both languages."""
        return labels.get(self.code) or labels.get("en") or name

    def platform(self, name: str) -> str:
        """Name an ad platform as its owner writes it."""
        return slots.platform_name(name, self.code)

    def number(self, value: object, unit: str, currency: str = "") -> str:
        """Write a value by its unit: count, number, money (with its currency), ratio or percent; nothing as a dash.

        The platform's one printer writes it, so a card, a table and a report show the same characters.
        """
        if value is None or value == "":
            return slots.NO_VALUE
        amount = Decimal(str(value))
        if unit == "percent":
            return slots.print_rate(amount, self.code)
        return slots.print_value(amount, _FORMS.get(unit, "number"), currency, self.code)

    def change(self, ratio: float | None) -> str | int | None:
        """Write a relative change for a metric card: None without a base, 0 for none, else `+4.1%` or `-4.1%`."""
        if ratio is None:
            return None
        rounded = round(Decimal(str(ratio)), 3)
        if rounded == 0:
            return 0
        return f"{'+' if rounded > 0 else '-'}{slots.print_value(abs(rounded), 'percent', '', self.code)}"

    def day(self, value: date | str) -> str:
        """Write a date: 5 мар. 2026 г. or Mar 5, 2026."""
        moment = date.fromisoformat(value) if isinstance(value, str) else value
        return format_date(moment, "d MMM y" if self.code == "ru" else "medium", locale=self.code)

    def days(self, since: date, until: date) -> str:
        """Write a window, both ends inclusive."""
        return f"{self.day(since)} – {self.day(until)}" if since != until else self.day(since)

    def moment(self, value: datetime) -> str:
        """Write an instant in UTC."""
        return f"{format_datetime(value, 'short', locale=self.code)} UTC"

    def caveat(self, code: str, message: str) -> str:
        """Say a warning about numbers in the reader's words, all platforms in one sentence; one that has none as it came."""
        return self.say(f"caveat.{code}") if self.knows(f"caveat.{code}") else message

    def error(self, error: MrmError) -> tuple[str, str]:
        """Say what happened and what to do: in the reader's words where the kind is known, else in the platform's."""
        key = f"error.{error.code}"
        return (self.say(key) if self.knows(key) else error.what), (self.say(f"{key}.fix") if self.knows(f"{key}.fix") else error.fix)


def preferred(accepted: str | None) -> str:
    """Choose a language from a browser's locale such as `ru-RU`; English for one that speaks neither."""
    code = (accepted or "").split("-")[0].lower()
    return code if code in LANGUAGES else "en"
