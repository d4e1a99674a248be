"""The report's tables and chart points, printed from proved facts and from the answers that the facts came from."""

from decimal import Decimal

from analyst.door import number, text
from analyst.ledger import Ledger
from analyst.panel import Entity, Panel
from analyst.stories import Storyteller
from analyst.wording import label, number_slot
from domain.documents import Series, Table
from domain.facts import Fact
from domain.slots import fill, print_value, subject

MOST_ROWS = 12
_HEADINGS = {
    "platform": {"en": "By platform", "ru": "По платформам"},
    "campaign": {"en": "Campaigns by spend", "ru": "Кампании по расходу"},
    "Platform": {"en": "Platform", "ru": "Платформа"},
    "Campaign": {"en": "Campaign", "ru": "Кампания"},
    "change": {"en": "Change", "ru": "Изменение"},
    "total": {"en": "Total", "ru": "Всего"},
    "others": {"en": "Other campaigns", "ru": "Остальные кампании"},
}


def tables(teller: Storyteller, currency: str, language: str, *, compared: bool, several: bool) -> tuple[list[Table], list[Fact]]:
    """Make the platform and the campaign table of a currency; also return the facts that they print."""
    made, used = [], []
    for level in ("platform", "campaign"):
        table, facts = _table(teller, level, currency, language, compared=compared)
        if several:
            table.title += f", {currency}"
        made.append(table)
        used += facts
    return made, used


def series(panel: Panel, currency: str) -> list[Series]:
    """Return a currency's points: by day with the compared period beside it, and by platform."""
    return [_daily(panel, currency), _platforms(panel, currency)]


def _table(teller: Storyteller, level: str, currency: str, language: str, *, compared: bool) -> tuple[Table, list[Fact]]:
    words = {key: names[language] for key, names in _HEADINGS.items()}
    panel = teller.panel
    entities = sorted(panel.entities(level, currency), key=lambda e: (-panel.parts(e, panel.window)["spend"], e.key))
    columns, rows, used = [words[level.capitalize()]], [], []
    for metric in ("spend", "conversions", "cpa"):
        columns += [label(metric, language), words["change"]] if compared else [label(metric, language)]
    for entity in [*entities[:MOST_ROWS], Entity("total", (currency,))]:
        cells, facts = _cells(teller, entity, language, compared=compared)
        name = words["total"] if entity.level == "total" else subject(facts[0], language)
        rows.append([name, *cells])
        used += facts
    if len(entities) > MOST_ROWS:
        rows.insert(-1, _rest(teller.panel, entities[MOST_ROWS:], words["others"], language, compared=compared))
    return Table(title=words[level], columns=columns, rows=rows, numeric=[False] + [True] * (len(columns) - 1)), used


def _cells(teller: Storyteller, entity: Entity, language: str, *, compared: bool) -> tuple[list[str], list[Fact]]:
    cells, used = [], []
    for metric in ("spend", "conversions", "cpa"):
        now, before = teller.pair(entity, metric)
        used.append(now)
        cells.append(_print(teller.ledger, now, language))
        if compared:
            _, percent = teller.ledger.change(now, before)
            used.append(percent)
            cells.append(_print(teller.ledger, percent, language, "signed"))
    return cells, used


def _rest(panel: Panel, entities: list[Entity], name: str, language: str, *, compared: bool) -> list[str]:
    """Print the row of the campaigns that are not listed, so that the rows sum to the total."""
    row = [name]
    sums = [{m: sum((panel.parts(e, w)[m] for e in entities), Decimal(0)) for m in ("spend", "conversions")} for w in (panel.window, panel.compared)]
    currency = entities[0].currency
    prices = [period["spend"] / period["conversions"] if period["conversions"] else None for period in sums]
    for unit, now, before in (
        ("money", sums[0]["spend"], sums[1]["spend"]),
        ("number", sums[0]["conversions"], sums[1]["conversions"]),
        ("money", prices[0], prices[1]),
    ):
        row.append(print_value(now, unit, currency, language))
        if compared:
            row.append(print_value(now / before - 1 if now is not None and before else None, "percent", "", language, sign="signed"))
    return row


def _print(ledger: Ledger, fact: Fact, language: str, sign: str = "") -> str:
    return fill(number_slot(fact, sign), ledger.facts, language)


def _daily(panel: Panel, currency: str) -> Series:
    rows = {str(row["date"]): row for row in panel.inquiry.ask(panel.daily_question("total")).rows if text(row["currency"]) == currency}

    def values(metric: str, days: list[str]) -> list[Decimal | None]:
        return [(number(rows[day][metric]) if day in rows else None) or Decimal(0) for day in days]

    now = [day.isoformat() for day in panel.window.dates()]
    before = [day.isoformat() for day in panel.compared.dates()]
    points = {metric: values(metric, now) for metric in ("spend", "conversions")}
    points |= {f"previous_{metric}": values(metric, before) for metric in ("spend", "conversions")}
    return Series(kind="daily", currency=currency, labels=now, values=points)


def _platforms(panel: Panel, currency: str) -> Series:
    found = panel.entities("platform", currency)
    points: dict[str, list[Decimal | None]] = {}
    for prefix, window in (("", panel.window), ("previous_", panel.compared)):
        for metric in ("spend", "conversions"):
            points[prefix + metric] = [panel.parts(entity, window)[metric] for entity in found]
    return Series(kind="platform", currency=currency, labels=[entity.key[1] for entity in found], values=points)
