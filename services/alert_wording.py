"""The words of alerts, in the reader's language. What outsiders wrote (names) stands in them as plain text."""

import unicodedata
from collections.abc import Mapping

from domain.alerts import Message, RuleKind
from store.records import Alert

_TITLES: Mapping[str, Mapping[RuleKind, str]] = {
    "en": {
        RuleKind.STALE_SOURCE: "Data are stale: {subject}",
        RuleKind.FAILED_SYNC: "Sync failed: {subject}",
        RuleKind.FAILED_CHECK: "A data check failed: {subject}",
        RuleKind.SPEND_STOPPED: "Spend stopped: {subject}",
        RuleKind.ZERO_CONVERSIONS: "No conversions: {subject}",
        RuleKind.PACING: "Budget off pace: {subject}",
        RuleKind.CPA_JUMP: "CPA jumped: {subject}",
        RuleKind.MODEL_API_FAILING: "The model API fails: {subject}",
    },
    "ru": {
        RuleKind.STALE_SOURCE: "Данные устарели: {subject}",
        RuleKind.FAILED_SYNC: "Синхронизация не удалась: {subject}",
        RuleKind.FAILED_CHECK: "Проверка данных не пройдена: {subject}",
        RuleKind.SPEND_STOPPED: "Расход прекратился: {subject}",
        RuleKind.ZERO_CONVERSIONS: "Нет конверсий: {subject}",
        RuleKind.PACING: "Бюджет расходуется не по плану: {subject}",
        RuleKind.CPA_JUMP: "CPA вырос: {subject}",
        RuleKind.MODEL_API_FAILING: "API модели не отвечает: {subject}",
    },
}
_PREFIXES = {"en": {"fired": "", "woken": "Still: ", "recovered": "Recovered: "}, "ru": {"fired": "", "woken": "По-прежнему: ", "recovered": "Восстановлено: "}}
_WORDS = {
    "en": {
        "through": "data through {0}",
        "expected": "expected through {0}",
        "why": "{0}",
        "spend": "spend {0}",
        "before": "before {0} a day",
        "conversions": "conversions {0}",
        "cpa": "CPA {0}",
        "cpa_before": "before {0}",
        "pace": "{0} of plan",
        "days": "days {0}",
        "check": "check {0}",
        "since": "since {0}",
    },
    "ru": {
        "through": "данные по {0}",
        "expected": "ожидались по {0}",
        "why": "{0}",
        "spend": "расход {0}",
        "before": "раньше {0} в день",
        "conversions": "конверсии {0}",
        "cpa": "CPA {0}",
        "cpa_before": "раньше {0}",
        "pace": "{0} плана",
        "days": "дни {0}",
        "check": "проверка {0}",
        "since": "с {0}",
    },
}


def message(kind: str, alert: Alert, what: str, language: str) -> Message:
    """Word what a rule found; `what` is fired, woken or recovered."""
    title = _PREFIXES[language][what] + _title(kind, alert, language)
    return Message(f"{alert.id}:{what}", title[:200], _findings(alert, language)[:2000])


def summary(kind: str, alert: Alert, language: str = "en") -> str:
    """Word an alert in a line, for lists: "CPA jumped: Bright Oak. CPA 125.17 EUR; before 115.27 EUR; days …"."""
    return ". ".join(part for part in (_title(kind, alert, language), _findings(alert, language)) if part)


def _title(kind: str, alert: Alert, language: str) -> str:
    return _TITLES[language][RuleKind(kind)].format(subject=_plain(alert.details.get("name") or alert.subject))


def _findings(alert: Alert, language: str) -> str:
    """Word what was found, in the order of the words: the store keeps no order of details."""
    return "; ".join(said.format(_plain(str(alert.details[key]))) for key, said in _WORDS[language].items() if alert.details.get(key))


def _plain(text: str) -> str:
    """Take control characters and line breaks, Unicode's own too, out of what an outsider may have written."""
    return "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text).strip()[:300]
