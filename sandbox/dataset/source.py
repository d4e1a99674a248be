"""Answer facts from dataset files: of each account and date, the newest `as_of` that the clock has reached."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl

from domain.platforms import Platform
from sandbox.accounts import SandboxAccount
from sandbox.analytics import no_visits
from sandbox.dataset.reading import read
from sandbox.dataset.web import WebFacts, newest
from sandbox.facts import CAMPAIGNS, DIMENSIONS, MICRO, SCHEMA, empty

COUNTER_DEFAULTS = ("RUB", "Europe/Moscow")
"""Currency and time zone that Metrica gives to a counter; a file of visits alone names none."""


class DatasetSource:
    """Facts from files. Raises DatasetMalformed on a bad one."""

    def __init__(self, paths: Sequence[Path]) -> None:
        frames = read(paths)
        analytics, ads = frames.get("analytics"), frames.get("ads")
        self._web = WebFacts(analytics, frames.get("visits"))
        self._frames: dict[tuple[str, str], pl.DataFrame] = {}
        self._kinds: dict[tuple[str, str], pl.DataFrame] = {}
        self._accounts: list[SandboxAccount] = []
        for frame in (ads, analytics):
            if frame is not None:
                self._list(frame)
        counters = {a.account_id for a in self._accounts if a.platform is Platform.YANDEX_METRICA}
        for account_id in self._web.visited():
            if account_id not in counters:
                self._accounts.append(SandboxAccount(Platform.YANDEX_METRICA, account_id, account_id, *COUNTER_DEFAULTS, account_id))
        if ads is not None:
            self._split(ads)

    @property
    def accounts(self) -> Sequence[SandboxAccount]:
        """List the accounts in the order of their first row."""
        return self._accounts

    def _list(self, frame: pl.DataFrame) -> None:
        listed = frame.group_by("platform", "account_id", maintain_order=True).agg(pl.col("account_name", "currency", "timezone").last())
        for row in listed.iter_rows(named=True):
            name = row["account_name"] or row["account_id"]
            number = 1_000_001 + len(self._accounts)
            self._accounts.append(SandboxAccount(Platform(row["platform"]), row["account_id"], name, row["currency"], row["timezone"], name, number=number))

    def _split(self, ads: pl.DataFrame) -> None:
        filled = ads.with_columns(
            *(pl.lit("").alias(c) for c in DIMENSIONS if c not in ads.columns),
            *([] if "as_of" in ads.columns else [pl.lit(None, pl.Date()).alias("as_of")]),
        ).with_columns(pl.col(c).fill_null("") for c in DIMENSIONS)
        for (platform, account_id), part in filled.group_by("platform", "account_id", maintain_order=True):
            key = (str(platform), str(account_id))
            rows = part.sort("date", "as_of", maintain_order=True).select(*SCHEMA, "as_of")
            self._frames[key] = rows
            adless = (pl.col("ad_id") == "").all().alias("adless")
            days = rows.filter(pl.col("campaign_id") != "").group_by("campaign_id", "date", "as_of", maintain_order=True).agg(adless, pl.col("spend").sum())
            most = (pl.col("spend").max() + (MICRO - 1)) // MICRO * MICRO
            self._kinds[key] = days.group_by("campaign_id", maintain_order=True).agg(
                pl.lit("enabled").alias("status"),
                pl.when(pl.col("adless").all()).then(pl.lit("performance_max")).otherwise(pl.lit("search")).alias("kind"),
                most.alias("budget"),
            )

    def rows(self, account: SandboxAccount, observed: date, today: date) -> pl.DataFrame:
        """Return the account's facts as known on the day `observed`, dated up to `today`."""
        frame = self._frames.get((account.platform.value, account.account_id))
        if frame is None:
            return empty()
        return newest(frame, observed, today)

    def analytics(self, account: SandboxAccount, observed: date, today: date) -> pl.DataFrame:
        """Return the account's analytics as known on the day `observed`, dated up to `today`."""
        return self._web.analytics(account.platform.value, account.account_id, observed, today)

    def visits(self, account: SandboxAccount, observed: date, today: date, since: date | None = None) -> pl.DataFrame:
        """Return the counter's visits from `since` (all when None) up to `today`; a file tells them once and for all."""
        if account.platform is not Platform.YANDEX_METRICA:
            return no_visits()
        return self._web.visits(account.account_id, since or date.min, today)

    def finer(self, account: SandboxAccount, rows: pl.DataFrame, dimensions: Sequence[str]) -> pl.DataFrame:
        """Return the rows as they are: a file's rows have their dimensions from the beginning."""
        return rows

    def campaigns(self, account: SandboxAccount, today: date) -> pl.DataFrame:
        """Return the account's campaigns, all enabled; one without any ad is a Performance Max or master campaign.

        The daily budget is the most that a day has cost, rounded up to a whole unit of the currency.
        """
        frame = self._kinds.get((account.platform.value, account.account_id))
        return pl.DataFrame(schema=CAMPAIGNS) if frame is None else frame

    def span(self, today: date) -> tuple[date | None, date | None]:
        """Return the first and last date of ads, analytics and visits, none after `today`."""
        ends = self._web.dates(today)
        for frame in self._frames.values():
            dates = frame["date"].filter(frame["date"] <= today)
            ends += dates.head(1).to_list() + dates.tail(1).to_list()
        return (min(ends), max(ends)) if ends else (None, None)
