"""The report as one HTML file: no script, no request, every number a link to its fact."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from babel.dates import format_date, format_interval
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from domain.documents import Document, Kpi
from domain.facts import Fact, Finding
from domain.slots import NO_VALUE, natural_format, pieces, print_fact, subject
from reports.charts import illustrated
from reports.svg import draw
from reports.words import WORDS

_TEMPLATES = Environment(
    loader=PackageLoader("reports", "templates"), autoescape=select_autoescape(default=True), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


@dataclass(frozen=True)
class Card:
    """A headline number as it is shown."""

    label: str
    value: Markup
    change: Markup
    previous: str
    tone: str
    """good, bad or still."""
    arrow: str


def render(document: Document) -> str:
    """Return the report as self-contained HTML. Everything that people or platforms wrote is escaped.

    Raises KeyError where a text names a fact that the document lacks.
    """
    page = _Page(document if document.charts else illustrated(document))
    return _TEMPLATES.get_template("report.html.j2").render(page=page, document=page.document, words=page.words)


class _Page:
    """What the template asks for."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.language = document.language
        self.words = WORDS[document.language]
        self.facts = {fact.id: fact for fact in document.facts}
        self.labels = {kpi.metric: kpi.label for kpi in document.kpis}

    @property
    def period(self) -> str:
        """Print the period."""
        return self.interval(self.document.since, self.document.until)

    @property
    def compared(self) -> str:
        """Print the compared period."""
        return self.interval(self.document.compared_since, self.document.compared_until)

    @property
    def days(self) -> int:
        """Count the days of the period."""
        return (self.document.until - self.document.since).days + 1

    @property
    def groups(self) -> list[tuple[str, list[Card]]]:
        """Return the headline cards by currency."""
        found: dict[str, list[Card]] = {}
        for kpi in self.document.kpis:
            found.setdefault(self.facts[kpi.fact_id].filters.get("currency", ""), []).append(self._card(kpi))
        return list(found.items())

    @cached_property
    def charts(self) -> list[tuple[str, Markup]]:
        """Draw the charts."""
        return [(chart.title, draw(chart.spec, chart.title)) for chart in self.document.charts]

    @property
    def lines(self) -> list[Markup]:
        """Print the summary, a paragraph per line."""
        return [self.text(line) for line in self.document.summary.splitlines() if line.strip()]

    def tone(self, finding: Finding) -> str:
        """Say whether a finding is good or bad news, by its relative change and the metric's good direction."""
        changes = [self.facts[name] for name in finding.fact_ids if self.facts[name].unit == "percent"]
        directions = {kpi.metric: kpi.good_direction for kpi in self.document.kpis}
        if not changes or changes[0].value is None:
            return "still"
        return tone(changes[0].value, directions.get(changes[0].metric, "neutral"))

    def text(self, text: str) -> Markup:
        """Print a text with slots: each number a link to its fact."""
        return Markup("").join(
            self.link(piece.text, piece.fact_id) if piece.fact_id else escape(piece.text) for piece in pieces(text, self.facts, self.language)
        )

    def link(self, text: str, fact_id: str) -> Markup:
        """Return a printed number as a link to the appendix; hovering tells where it comes from."""
        fact = self.facts[fact_id]
        return Markup('<a class="fact" href="#{}" title="{}">{}</a>').format(fact_id, self.source(fact), text)

    def source(self, fact: Fact) -> str:
        """Tell in one line where a number comes from."""
        where = f"{fact.since} … {fact.until} · {self.words['data_version']} {fact.data_version}"
        if fact.question is None:
            return f"{fact.id} = {self.derivation(fact)} · {where}"
        return f"{fact.id} · {self.question(fact)} · {where} · {self.words['query']} {fact.query_hash} · {self.words['rows']}: {fact.row_count}"

    def interval(self, since: date, until: date) -> str:
        """Print an inclusive range of dates."""
        if since == until:
            return str(format_date(since, "long", locale=self.language))
        return str(format_interval(since, until, "yMMMMd" if self.language == "ru" else "yMMMd", locale=self.language))

    def value(self, fact: Fact) -> str:
        """Print a fact's value for the appendix."""
        form = natural_format(fact)
        return print_fact(fact, form if fact.question else f"{form}_signed" if fact.operation != "rank" else form, self.language)

    def exact(self, fact: Fact) -> str:
        """Print a fact's value with every digit that it has."""
        return NO_VALUE if fact.value is None else f"{fact.value.normalize():f}" if fact.value else "0"

    def name(self, fact: Fact) -> str:
        """Name a fact: the metric and whom it is about."""
        about = subject(fact, self.language)
        metric = self.labels.get(fact.metric, fact.metric.upper())
        return f"{metric} · {about}" if about else metric

    def question(self, fact: Fact) -> str:
        """Print a measured fact's question."""
        assert fact.question is not None
        by = ", ".join(fact.question.by) or "—"
        return f"{fact.metric} {self.words['by']} {by}"

    def derivation(self, fact: Fact) -> str:
        """Print a derived fact's operation over its facts."""
        return f"{fact.operation}({', '.join(fact.inputs)})"

    def filters(self, fact: Fact) -> str:
        """Print which row of the answer it is."""
        return ", ".join(f"{name} = {value}" for name, value in fact.filters.items() if name != "campaign_name")

    def _card(self, kpi: Kpi) -> Card:
        fact, change = self.facts[kpi.fact_id], self.facts.get(kpi.change_fact_id)
        previous = self.facts.get(kpi.previous_fact_id)
        shown = self.link(print_fact(fact, natural_format(fact), self.language), fact.id)
        if change is None or change.value is None:
            return Card(kpi.label, shown, escape(NO_VALUE), self._was(previous), "still", "")
        return Card(
            kpi.label,
            shown,
            self.link(print_fact(change, "percent_signed", self.language), change.id),
            self._was(previous),
            tone(change.value, kpi.good_direction),
            "▲" if change.value > 0 else "▼" if change.value < 0 else "",
        )

    def _was(self, previous: Fact | None) -> str:
        return "" if previous is None else f"{self.words['was']} {print_fact(previous, natural_format(previous), self.language)}"


def tone(change: Decimal, good_direction: str) -> str:
    """Say whether a change is good, bad, or still: without direction, or none."""
    directions: Mapping[str, int] = {"up": 1, "down": -1}
    sign = (change > 0) - (change < 0)
    weight = directions.get(good_direction, 0) * sign
    return "good" if weight > 0 else "bad" if weight < 0 else "still"
