"""The template: good plain sentences in Russian and English, every number a slot."""

from collections.abc import Mapping, Sequence

from analyst.stories import Story
from domain.facts import Fact

LABELS: Mapping[str, Mapping[str, str]] = {
    "spend": {"en": "Spend", "ru": "Расход"},
    "impressions": {"en": "Impressions", "ru": "Показы"},
    "clicks": {"en": "Clicks", "ru": "Клики"},
    "conversions": {"en": "Conversions", "ru": "Конверсии"},
    "conversions_value": {"en": "Conversion value", "ru": "Ценность конверсий"},
    "ctr": {"en": "CTR", "ru": "CTR"},
    "cpc": {"en": "CPC", "ru": "Цена клика"},
    "cpm": {"en": "CPM", "ru": "CPM"},
    "cvr": {"en": "Conversion rate", "ru": "Коэффициент конверсии"},
    "cpa": {"en": "CPA", "ru": "Цена конверсии"},
    "roas": {"en": "ROAS", "ru": "ROAS"},
}
GOOD_DIRECTION: Mapping[str, str] = {
    "spend": "neutral",
    "impressions": "neutral",
    "clicks": "up",
    "conversions": "up",
    "conversions_value": "up",
    "ctr": "up",
    "cpc": "down",
    "cpm": "down",
    "cvr": "up",
    "cpa": "down",
    "roas": "up",
}
_PLURAL_RU = frozenset({"impressions", "clicks", "conversions"})
_FEMININE_RU = frozenset({"conversions_value", "cpc", "cpa"})
_FACTORS: Mapping[str, Mapping[str, str]] = {
    "en": {"cpc": "CPC", "cvr": "the conversion rate", "aov": "the average value of a conversion", "cpm": "CPM", "ctr": "CTR"},
    "ru": {"cpc": "цену клика", "cvr": "коэффициент конверсии", "aov": "среднюю ценность конверсии", "cpm": "CPM", "ctr": "CTR"},
}
SENTENCES: Mapping[str, Mapping[str, str]] = {
    "no_data": {"en": "There are no data for this period.", "ru": "За этот период данных нет."},
    "no_data_in": {"en": "There are no data in {currency} for this period.", "ru": "За этот период данных в {currency} нет."},
    "partial": {
        "en": "The data of this period are not complete, so nothing is compared.",
        "ru": "Данные за этот период неполные, поэтому сравнение не делается.",
    },
    "no_baseline": {
        "en": "The period before is not fully covered by data, so nothing is compared.",
        "ru": "Предыдущий период покрыт данными не полностью, поэтому сравнение не делается.",
    },
    "quiet": {"en": "Nothing changed beyond the usual ups and downs.", "ru": "Изменений сверх обычных колебаний нет."},
    "title": {"en": "Advertising report", "ru": "Отчёт о рекламе"},
}


def number_slot(fact: Fact, sign: str = "") -> str:
    """Write the slot of a fact in the format that suits it; `sign` is "", "abs" or "signed"."""
    if fact.unit == "money":
        base = "money"
    elif fact.unit in {"percent", "points"}:
        base = fact.unit
    elif fact.unit == "ratio":
        base = "number" if fact.metric == "roas" else "percent"
    else:
        base = "int" if fact.unit == "count" else "number"
    return f"{{{{{fact.id}|{base}{'_' + sign if sign else ''}}}}}"


def name_slot(fact: Fact) -> str:
    """Write the slot that prints whom a fact is about."""
    return f"{{{{{fact.id}|name}}}}"


def label(metric: str, language: str) -> str:
    """Return a metric's name."""
    return LABELS[metric][language]


def moved(metric: str, up: bool, language: str) -> str:
    """Return the verb of a change, agreeing with the metric's Russian gender and number."""
    if language == "en":
        return "rose" if up else "fell"
    if metric in _PLURAL_RU:
        return "выросли" if up else "снизились"
    if metric in _FEMININE_RU:
        return "выросла" if up else "снизилась"
    return "вырос" if up else "снизился"


def finding_texts(story: Story, language: str, *, several_currencies: bool) -> tuple[str, str]:
    """Word a story: its title and its text."""
    change = story.change
    about = name_slot(story.now) if change.entity.level != "total" else change.entity.currency if several_currencies else ""
    if change.metric in {"started", "stopped"}:
        return _life(story, about, language)
    up = change.size > 0
    name = label(story.metric, language)
    claim = f"{_inside(name, bool(about))} {moved(story.metric, up, language)}"
    percent, now = number_slot(story.percent, "abs"), number_slot(story.now)
    title = f"{claim} by {percent} to {now}" if language == "en" else f"{claim} на {percent} — до {now}"
    title = f"{about}: {title}" if about else title
    return title, " ".join([_opening(story, language), *_reasons(story, language)])


def summary_text(now: Mapping[str, Fact], percents: Mapping[str, Fact], language: str) -> str:
    """Word one currency's totals: spend, conversions and their price, each with its change where there is one."""
    parts = {
        metric: number_slot(fact) + _compared(percents.get(metric), language, first=metric == "spend") for metric, fact in now.items() if fact.value is not None
    }
    if language == "en":
        words = {"spend": "Spend was {}", "conversions": "conversions were {}", "cpa": "CPA was {}", "roas": "ROAS was {}"}
    else:
        words = {"spend": "Расход — {}", "conversions": "конверсии — {}", "cpa": "цена конверсии — {}", "roas": "ROAS — {}"}
    return ", ".join(words[metric].format(part) for metric, part in parts.items() if metric in words) + "."


def sentence(key: str, language: str, **words: str) -> str:
    """Return a fixed sentence."""
    return SENTENCES[key][language].format(**words)


def _compared(percent: Fact | None, language: str, *, first: bool) -> str:
    if percent is None or percent.value is None:
        return ""
    against = (" against the period before" if language == "en" else " к предыдущему периоду") if first else ""
    return f" ({number_slot(percent, 'signed')}{against})"


def _inside(name: str, inside: bool) -> str:
    """Lower the first letter of a name inside a sentence, abbreviations excepted."""
    return name if not inside or name.isupper() else name[0].lower() + name[1:]


def _life(story: Story, about: str, language: str) -> tuple[str, str]:
    started = story.change.metric == "started"
    if language == "en":
        return (f"{about} started to spend" if started else f"{about} stopped spending"), _opening(story, language)
    what = "кампания" if story.change.entity.level == "campaign" else "реклама"
    return (f"{about}: {what} запущена" if started else f"{about}: {what} остановлена"), _opening(story, language)


def _opening(story: Story, language: str) -> str:
    name, now, before = label(story.metric, language), number_slot(story.now), number_slot(story.before)
    if language == "en":
        return f"{name}: {now} against {before} in the period before."
    return f"{name}: {now} против {before} в предыдущем периоде."


def _reasons(story: Story, language: str) -> list[str]:
    english = language == "en"
    found = []
    if story.factors:
        opening, verb = ("Of the change, ", "accounts for") if english else ("Из этого изменения на ", "приходится")
        rest = "for" if english else "—"
        parts = [f"{_FACTORS[language][name]} {rest if place else verb} {number_slot(fact, 'signed')}" for place, (name, fact) in enumerate(story.factors)]
        found.append(_sentence(opening, parts if english else [parts[0], *(f"на {part}" for part in parts[1:])]))
    if story.drivers:
        found.append(_sentence("The change comes from " if english else "Вклад в изменение: ", _listed(story.drivers)))
    if story.rates:
        found.append(
            _sentence(f"From their own {_inside(label(story.metric, language), inside=True)}: " if english else _own(story.metric), _listed(story.rates))
        )
    if story.mixes:
        found.append(_sentence("From the mix: " if english else "Сдвиг долей: ", _listed(story.mixes)))
    if story.beside:
        dash = ":" if english else " —"
        parts = [
            f"{_inside(label(now.metric, language), bool(i))}{dash} {number_slot(now)} ({number_slot(percent, 'signed')})"
            for i, (now, percent) in enumerate(story.beside)
        ]
        found.append(_sentence("", parts))
    return found


def _own(metric: str) -> str:
    ending = "ые" if metric in _PLURAL_RU else "ая" if metric in _FEMININE_RU else "ый"
    return f"Собственн{ending} {_inside(label(metric, 'ru'), inside=True)}: "


def _listed(facts: Sequence[Fact]) -> list[str]:
    return [f"{name_slot(fact)} {number_slot(fact, 'signed')}" for fact in facts]


def _sentence(opening: str, parts: Sequence[str]) -> str:
    return f"{opening}{', '.join(parts)}."
