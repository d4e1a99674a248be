"""Insights: add the facts up as asked, spread them over breakdowns, and print pages as the Graph API does."""

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, timedelta

import polars as pl

from domain.platforms import Level
from sandbox.accounts import SandboxAccount
from sandbox.facts import ENTITY_KEYS, MEASURES, AccountFacts
from sandbox.meta_ads.asking import Ask, Condition
from sandbox.meta_ads.fields import OFF_META
from sandbox.meta_ads.printing import print_rows
from sandbox.meta_ads.splits import families, spread
from sandbox.meta_ads.videos import with_plays

OUR_LEVEL = {"account": Level.ACCOUNT, "campaign": Level.CAMPAIGN, "adset": Level.AD_GROUP, "ad": Level.AD}
BLOCK = 5_000
LEADS = r"(?i)lead|лид|заявк|замер"
"""Conversion actions with such a name are leads, every other one is a purchase."""
FIGURES = (*MEASURES, "leads", "leads_value", "plays", "thruplays")
"""What is added up: the facts' measures and those that are told apart here, where an account has them."""
_TOLD = frozenset(("actions", "action_values", "video_thruplay_watched_actions"))
_BOUGHT = ("conversions", "conversions_value", "leads", "leads_value")

_ahead = ThreadPoolExecutor(1, thread_name_prefix="sandbox-print")


def frame(ask: Ask, facts: AccountFacts, timezone: str) -> pl.DataFrame:
    """Add the facts up as asked; rows without delivery and without conversions are absent."""
    level = OUR_LEVEL[ask.level]
    spreads = families(ask.breakdowns, timezone)
    parents = {family.parent for family in spreads if family.parent} | ({"country"} & set(ask.breakdowns))
    rows = _chosen(ask, facts, level, parents)
    keys = [*ENTITY_KEYS[level], *sorted(parents)]
    parts = [_sums(ask, rows, keys, since, min(until, facts.today), until) for since, until in ask.ranges]
    summed = pl.concat(parts)
    measures = [m for m in FIGURES if m in summed.columns]
    summed = _broken_down(ask, summed, level, measures, timezone)
    for measure, comparison, bound in ask.limits:
        summed = summed.filter(getattr(pl.col(measure), comparison)(bound))
    if ask.sort:
        summed = summed.sort([m for m, _ in ask.sort], descending=[d for _, d in ask.sort], maintain_order=True)
    if level is not Level.ACCOUNT:
        names = facts.entities(level).drop("first_date", "last_date")
        summed = summed.join(names, on=list(ENTITY_KEYS[level]), how="left", maintain_order="left")
    return summed


def _chosen(ask: Ask, facts: AccountFacts, level: Level, parents: set[str]) -> pl.DataFrame:
    """Return the facts within the dates and conditions, as fine as the breakdowns need; leads and plays get columns of their own."""
    rows = facts.window(level, ask.since, min(ask.until, facts.today))
    for condition in ask.conditions:
        rows = rows.filter(_holds(condition, facts))
    detail = [*sorted(parents), *(("conversion_action",) if set(ask.fields) & _TOLD else ())]
    rows = facts.finer(rows, detail) if detail and facts.finer else rows
    rows = with_plays(rows) if set(ask.fields) & _TOLD else rows
    if not rows["conversion_action"].str.contains(LEADS).any():
        return rows
    lead = pl.col("conversion_action").str.contains(LEADS)
    return rows.with_columns(
        *(pl.when(lead).then(pl.col(m)).otherwise(0).alias(n) for m, n in (("conversions", "leads"), ("conversions_value", "leads_value"))),
        *(pl.when(lead).then(0).otherwise(pl.col(m)).alias(m) for m in ("conversions", "conversions_value")),
    )


def _holds(condition: Condition, facts: AccountFacts) -> pl.Expr:
    values = list(condition.values)
    if condition.column.endswith(".status"):
        paused = facts.campaigns.filter(pl.col("status") != "enabled")["campaign_id"].to_list()
        below = "PAUSED" if condition.column.startswith("campaign") else "CAMPAIGN_PAUSED"
        status = pl.when(pl.col("campaign_id").is_in(paused)).then(pl.lit(below)).otherwise(pl.lit("ACTIVE"))
        return status.is_in(values) if condition.operator == "IN" else ~status.is_in(values)
    column = pl.col(condition.column)
    part = column.str.contains(values[0] if values else "", literal=True)
    found = part if condition.operator.endswith("CONTAIN") else column.is_in(values)
    return ~found if condition.operator.startswith("NOT_") else found


def _sums(ask: Ask, rows: pl.DataFrame, keys: list[str], since: date, last: date, until: date) -> pl.DataFrame:
    """Add up one range of dates, cut by the time increment; `_from` and `_to` are a row's first and last date."""
    measures = [m for m in FIGURES if m in rows.columns]
    if len(ask.ranges) > 1:
        rows = rows.filter(pl.col("date").is_between(since, last))
    bucketed = rows.with_columns(_bucket(ask, since).alias("_from"))
    summed = bucketed.group_by([*keys, "_from"], maintain_order=True).agg(pl.col(measures).sum())
    return summed.filter(pl.any_horizontal(pl.col(m) != 0 for m in measures)).with_columns(_bucket_end(ask, until).alias("_to"))


def _broken_down(ask: Ask, summed: pl.DataFrame, level: Level, measures: list[str], timezone: str) -> pl.DataFrame:
    if not ask.breakdowns:
        return summed
    keys = list(ENTITY_KEYS[level])
    if set(ask.breakdowns) & OFF_META:
        summed = summed.with_columns(pl.lit(0, pl.Int64()).alias(m) for m in measures if m in _BOUGHT)
    made: list[str] = ["country"] if "country" in summed.columns else []
    for family in families(ask.breakdowns, timezone):
        summed = spread(summed, family, [*keys, *made], measures)
        made += family.names
    summed = summed.with_columns(pl.lit("unknown").alias(name) for name in ask.breakdowns if name not in summed.columns)
    again = summed.group_by([*keys, *ask.breakdowns, "_from", "_to"], maintain_order=True).agg(pl.col(measures).sum())
    return again.filter(pl.any_horizontal(pl.col(m) != 0 for m in measures))


def _bucket(ask: Ask, since: date) -> pl.Expr:
    """Return the first date of the row that a date falls into."""
    if ask.step is None:
        return pl.lit(since)
    if ask.step == "monthly":
        return pl.max_horizontal(pl.col("date").dt.truncate("1mo"), pl.lit(since))
    if ask.step == 1:
        return pl.col("date")
    step = int(ask.step)
    passed = (pl.col("date") - pl.lit(since)).dt.total_days() // step * step
    return (pl.lit(since) + pl.duration(days=passed)).cast(pl.Date)


def _bucket_end(ask: Ask, until: date) -> pl.Expr:
    if ask.step is None:
        return pl.lit(until)
    if ask.step == "monthly":
        return pl.min_horizontal(pl.col("_from").dt.month_end(), pl.lit(until))
    return pl.min_horizontal(pl.col("_from") + timedelta(days=int(ask.step) - 1), pl.lit(until))


class Answered:
    """The rows of an answer, and the print of those asked for last: the following block is printed while a client reads."""

    def __init__(self, ask: Ask, account: SandboxAccount, rows: pl.DataFrame, today: date) -> None:
        self.ask = ask
        self._account = account
        self._rows = rows
        self._today = today
        self._printed: dict[int, Future[pl.Series]] = {}
        self.height = rows.height

    def page(self, start: int, limit: int) -> bytes:
        """Print rows from `start` on as a JSON array in UTF-8."""
        end, pieces = min(start + limit, self.height), []
        while start < end:
            block = start // BLOCK
            printed = self._block(block).result()[start % BLOCK : end - block * BLOCK]
            pieces.append(printed.str.join(",").cast(pl.Binary()).item())
            start = (block + 1) * BLOCK
        following = end // BLOCK
        if following * BLOCK < self.height:
            self._block(following)
        return b"[" + b",".join(pieces) + b"]"

    def summary(self, fields: tuple[str, ...]) -> str:
        """Print the sum of all rows as a JSON object."""
        measures = [m for m in FIGURES if m in self._rows.columns]
        total = self._rows.select(*(pl.col(m).sum() for m in measures), pl.lit(self.ask.since).alias("_from"), pl.lit(self.ask.until).alias("_to"))
        return str(print_rows(self.ask, self._account, total, self._today, fields)[0])

    def _block(self, number: int) -> "Future[pl.Series]":
        """Print a block, or take its print; the last two are kept."""
        known = self._printed.get(number)
        if known is None:
            known = _ahead.submit(print_rows, self.ask, self._account, self._rows.slice(number * BLOCK, BLOCK), self._today)
            self._printed[number] = known
            for old in sorted(self._printed)[:-2] if len(self._printed) > 2 else ():
                self._printed.pop(old, None)
        return known
