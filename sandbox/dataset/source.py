"""Answer facts from dataset files: of each account and date, the newest `as_of` that the clock has reached."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl

from domain.platforms import Platform
from sandbox.accounts import SandboxAccount
from sandbox.dataset.reading import read
from sandbox.facts import CAMPAIGNS, DIMENSIONS, MICRO, SCHEMA, empty


class DatasetSource:
    """Facts from files. Raises DatasetMalformed on a bad one."""

    def __init__(self, paths: Sequence[Path]) -> None:
        frames = read(paths)
        self.analytics = frames.get("analytics")
        self.visits = frames.get("visits")
        ads = frames.get("ads")
        self._frames: dict[tuple[str, str], pl.DataFrame] = {}
        self._kinds: dict[tuple[str, str], pl.DataFrame] = {}
        self._accounts: list[SandboxAccount] = []
        for frame in (ads, self.analytics):
            if frame is not None:
                self._list(frame)
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
        seen = frame.filter((pl.col("date") <= today) & (pl.col("as_of").is_null() | (pl.col("as_of") <= observed)))
        if seen["as_of"].null_count() < seen.height:
            seen = seen.filter(pl.col("as_of").eq_missing(pl.col("as_of").max().over("date")))
        return seen.drop("as_of")

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
        """Return the first and last date of the ad facts, none after `today`."""
        ends: list[date] = []
        for frame in self._frames.values():
            dates = frame["date"].filter(frame["date"] <= today)
            ends += dates.head(1).to_list() + dates.tail(1).to_list()
        return (min(ends), max(ends)) if ends else (None, None)
