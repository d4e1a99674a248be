"""The report: this period against the equal number of days before it, for one project, per currency."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from babel.dates import format_date

from analyst.changes import Tests, find_changes
from analyst.door import DataMoved, Door, Inquiry
from analyst.grounding import Ground
from analyst.ledger import Ledger
from analyst.panel import Entity, Panel
from analyst.periods import Gap, baseline_covered, default_window, gaps
from analyst.proof import prove
from analyst.settings import ModelSettings
from analyst.significance import FALSE_DISCOVERY_RATE, LEAST_CHANGE
from analyst.stories import Story, Storyteller
from analyst.tables import series, tables
from analyst.wording import GOOD_DIRECTION, finding_texts, label, sentence, summary_text
from domain.clock import Clock
from domain.documents import Document, Kpi, Series, Table
from domain.errors import UnknownName, UsageError
from domain.facts import Fact, Finding
from domain.questions import Scope
from domain.slots import SLOT, clean_name, platform_name
from domain.windows import DateWindow

LANGUAGES = ("ru", "en")
HEADLINE = ("spend", "conversions", "cpa", "roas", "impressions", "clicks", "ctr", "cpc")
HEADLINE_WITHOUT_VALUE = ("spend", "conversions", "cpa", "cvr", "impressions", "clicks", "ctr", "cpc")
CAVEATS = {
    "building": {"en": "A build was running while the report was made.", "ru": "Во время подготовки отчёта шла сборка витрин."},
    "half_built": {"en": "The last build ended midway: run a sync.", "ru": "Последняя сборка витрин прервалась: запустите синхронизацию."},
    "mixed_vat": {"en": "Costs with and without VAT are added up.", "ru": "Складываются расходы с НДС и без НДС."},
    "provisional_days": {"en": "The platforms may still restate the last days.", "ru": "Последние дни платформы ещё могут пересчитать."},
    "incomplete_last_day": {"en": "The last day of the period is not over yet.", "ru": "Последний день периода ещё не закончился."},
}
MODEL_NOTES = {
    "failed": {
        "en": "The language model gave no usable answer ({why}); what it did not word, the template did.",
        "ru": "Языковая модель не дала пригодного ответа ({why}); чего не написала она, написал шаблон.",
    },
    "refused": {
        "en": "Texts of the language model that the check of numbers refused, worded by the template instead: {count}.",
        "ru": "Текстов языковой модели, которые не прошли проверку чисел и заменены шаблонными: {count}.",
    },
}
SUMMARY = ("spend", "conversions", "cpa", "roas")


@dataclass
class Draft:
    """What a report holds before its proof."""

    kpis: list[Kpi] = field(default_factory=list)
    summary: list[str] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)
    """Sentences that no model rewrites: what is missing, and that nothing changed."""
    stories: list[Story] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    used: list[Fact] = field(default_factory=list)
    worded_by: str = "template"


def write_report(
    door: Door,
    scope: Scope,
    *,
    project: str,
    client: str,
    since: date | None = None,
    until: date | None = None,
    language: str,
    model: ModelSettings | None = None,
    clock: Clock,
    told: Callable[[str], object] = lambda why: None,
) -> Document:
    """Write the report of a period; without one, of the last 28 complete days. Every number in it is proved before it is returned.

    Without `model` the template words it and no socket is opened; with one, `told` hears why it failed, or an empty text.
    Raises UsageError for a bad period or language, DataMoved where the data changed twice under the report, DataQualityError where
    a number does not come out again.
    """
    if language not in LANGUAGES:
        raise UnknownName("language", language, LANGUAGES)
    if (since is None) != (until is None):
        raise UsageError("A period needs both its first and its last day", fix="Pass both --since and --until, or neither")
    window = DateWindow(since, until) if since and until else default_window(door, scope, clock)
    try:
        return _Writing(door, scope, window, language, model, told).document(project, client)
    except DataMoved:
        return _Writing(door, scope, window, language, model, told).document(project, client)


class _Writing:
    """One attempt, on one data version."""

    def __init__(self, door: Door, scope: Scope, window: DateWindow, language: str, model: ModelSettings | None, told: Callable[[str], object]) -> None:
        self.door, self.told = door, told
        self.scope = scope
        self.inquiry = Inquiry(door, scope)
        self.panel = Panel(self.inquiry, window)
        self.ledger = Ledger(self.inquiry)
        self.teller = Storyteller(self.panel, self.ledger)
        self.language = language
        self.model = model

    def document(self, project: str, client: str) -> Document:
        """Make the draft, prove it, and return it as a document."""
        draft = self._draft()
        if self.model is not None and self.model.usable and draft.kpis:
            self._let_the_model_word(draft, self.model)
        facts = self.ledger.reachable(fact.id for fact in draft.used + _mentioned(draft, self.ledger))
        prove(self.door, self.scope, facts, self.inquiry.data_version)
        return Document(
            title=f"{sentence('title', self.language)}: {project}",
            client=client,
            language=self.language,
            since=self.panel.window.since,
            until=self.panel.window.until,
            compared_since=self.panel.compared.since,
            compared_until=self.panel.compared.until,
            currency_notes=self._currency_notes(),
            summary="\n".join(draft.summary + draft.fixed),
            kpis=draft.kpis,
            findings=draft.findings,
            facts=facts,
            tables=draft.tables,
            series=draft.series,
            worded_by=draft.worded_by,
            notes=[*draft.notes, *self._caveats()],
            data_version=self.inquiry.data_version,
        )

    def _draft(self) -> Draft:
        draft = Draft()
        found = gaps(self.panel)
        draft.notes += [self._late_note(gap) for gap in found]
        late = [gap for gap in found if not gap.closed]
        currencies = [c for c in self.panel.currencies() if self._delivered(c)]
        if not currencies:
            draft.fixed.append(sentence("no_data", self.language))
            return draft
        comparable = [] if late else [c for c in currencies if baseline_covered(self.panel, c)]
        for currency in currencies:
            self._add_currency(draft, currency, compared=currency in comparable, several=len(currencies) > 1)
        draft.fixed += [sentence("no_data_in", self.language, currency=c) for c in self.panel.currencies() if c not in currencies]
        if late:
            draft.fixed.append(sentence("partial", self.language))
        elif len(comparable) < len(currencies):
            draft.fixed.append(sentence("no_baseline", self.language))
        if comparable:
            self._add_findings(draft, find_changes(self.panel, comparable), several=len(currencies) > 1)
        return draft

    def _add_currency(self, draft: Draft, currency: str, *, compared: bool, several: bool) -> None:
        """Add a currency's headline numbers, its sentence, tables and chart points."""
        total = Entity("total", (currency,))
        now, percents = {}, {}
        valued = any(self.panel.parts(total, w)["conversions_value"] for w in (self.panel.window, self.panel.compared))
        for metric in HEADLINE if valued else HEADLINE_WITHOUT_VALUE:
            end, start = self.teller.pair(total, metric)
            kpi = Kpi(metric=metric, label=label(metric, self.language), fact_id=end.id, good_direction=GOOD_DIRECTION[metric])
            now[metric] = end
            draft.used.append(end)
            if compared:
                _, percents[metric] = self.ledger.change(end, start)
                kpi.previous_fact_id, kpi.change_fact_id = start.id, percents[metric].id
                draft.used += [start, percents[metric]]
            draft.kpis.append(kpi)
        draft.summary.append(summary_text({m: now[m] for m in SUMMARY if m in now}, percents, self.language))
        made, used = tables(self.teller, currency, self.language, compared=compared, several=several)
        draft.tables += made
        draft.used += used
        draft.series += series(self.panel, currency)

    def _add_findings(self, draft: Draft, tests: Tests, *, several: bool) -> None:
        draft.stories = [self.teller.tell(change) for change in tests.changes]
        for story in draft.stories:
            title, text = finding_texts(story, self.language, several_currencies=several)
            kind = f"{story.change.entity.level}_{story.change.metric}"
            ids = tuple(dict.fromkeys(fact.id for fact in story.facts))
            draft.findings.append(Finding(kind=kind, title=title, text=text, fact_ids=ids, importance=round(story.change.importance, 6)))
            draft.used += story.facts
        if not draft.findings:
            draft.fixed.append(sentence("quiet", self.language))
        draft.notes.append(self._rule_note(tests.made))

    def _let_the_model_word(self, draft: Draft, settings: ModelSettings) -> None:
        """Replace the template's texts by the model's where the slot rule lets them pass; say so where it does not."""
        names = [kpi_fact for kpi in draft.kpis for kpi_fact in (kpi.fact_id, kpi.previous_fact_id, kpi.change_fact_id) if kpi_fact]
        headline = [self.ledger.facts[name] for name in names]
        from analyst.author import Brief, author  # the model's client library takes seconds to import

        authored = author(settings, Brief(draft.findings, headline, self._ground()))
        self.told(authored.failed)
        if authored.summary:
            draft.summary = [authored.summary]
        for place, (title, text) in authored.findings.items():
            draft.findings[place] = draft.findings[place].model_copy(update={"title": title, "text": text, "worded_by": settings.model})
        if authored.anything:
            draft.worded_by = settings.model
        if authored.failed:
            draft.notes.append(MODEL_NOTES["failed"][self.language].format(why=authored.failed))
        if authored.refused:
            draft.notes.append(MODEL_NOTES["refused"][self.language].format(count=authored.refused))

    def _ground(self) -> Ground:
        facts = self.ledger.facts
        names = {clean_name(fact.filters["campaign_name"]) for fact in facts.values() if fact.filters.get("campaign_name")}
        days = (self.panel.window.since, self.panel.window.until, self.panel.compared.since, self.panel.compared.until)
        dates = {format_date(day, form, locale=self.language) for day in days for form in ("long", "d MMMM y", "d MMMM", "MMMM d", "yyyy-MM-dd")}
        return Ground(facts, self.language, names=names, dates=dates, codes=self.panel.currencies(), since=self.panel.window.since)

    def _delivered(self, currency: str) -> bool:
        return any(self.panel.parts(Entity("total", (currency,)), self.panel.window).values())

    def _currency_notes(self) -> list[str]:
        found = self.panel.currencies()
        if len(found) < 2:
            return []
        names = ", ".join(found)
        if self.language == "ru":
            return [f"Деньги в разных валютах ({names}) не складываются: каждая показана отдельно."]
        return [f"Money in different currencies ({names}) does not add up: each is shown by itself."]

    def _caveats(self) -> list[str]:
        """Return the door's warnings in the reader's language; what the report says by itself is left out."""
        known = {code: text for code, text in self.inquiry.warnings.items() if code not in {"no_data", "data_end_early"}}
        return [CAVEATS[code][self.language] if code in CAVEATS else text for code, text in known.items()]

    def _late_note(self, gap: Gap) -> str:
        name = platform_name(gap.platform, self.language)
        if gap.data_through is None:
            return f"{name}: полных данных ещё нет." if self.language == "ru" else f"{name}: there are no complete data yet."
        day = format_date(gap.data_through, "d MMMM y", locale=self.language)
        if gap.closed:
            return f"{name}: данные части аккаунтов кончаются {day}." if self.language == "ru" else f"{name}: the data of some accounts end on {day}."
        return f"{name}: данные полны только по {day}." if self.language == "ru" else f"{name}: the data are complete only through {day}."

    def _rule_note(self, made: int) -> str:
        least, rate = round(LEAST_CHANGE * 100), round(FALSE_DISCOVERY_RATE * 100)
        if self.language == "ru":
            return (
                f"Вывод — изменение не меньше {least} %, которое больше обычных колебаний (устойчивый разброс тех же сравнений в прошлые недели, "
                f"недельных и дневных остатков с учётом дня недели). Проверок: {made}, поправка Бенджамини — Хохберга, q = {rate} %."
            )
        return (
            f"A finding is a change of at least {least}% that exceeds the usual ups and downs (robust spread of the same comparison in earlier weeks, "
            f"of weekly and of weekday-seasonal daily residuals). Tests: {made}, Benjamini–Hochberg, q = {rate}%."
        )


def _mentioned(draft: Draft, ledger: Ledger) -> list[Fact]:
    """Return the facts that the texts print."""
    texts = [*draft.summary, *(f.title for f in draft.findings), *(f.text for f in draft.findings)]
    return [ledger.facts[match.group(1)] for text in texts for match in SLOT.finditer(text)]
