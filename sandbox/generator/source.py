"""Facts of the demo agency: vectorised over days and ads, restated with the clock, equal for equal (seed, anchor, clock)."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from hashlib import sha256

import numpy as np
import polars as pl
from numpy.typing import NDArray

from domain.platforms import Platform
from sandbox.accounts import SandboxAccount
from sandbox.facts import CAMPAIGNS, DIMENSIONS, MICRO, SCHEMA, empty
from sandbox.generator.agency import AGENCY, AccountPlan
from sandbox.generator.detail import detailed
from sandbox.generator.noise import Floats, Noise
from sandbox.generator.plan import Line, lay_out
from sandbox.generator.web import Web

DAYS = 400
SETTLED = 22
"""From this age in days on, a date no longer changes."""
_LATE = np.array([0.30, 0.55, 0.65, 0.70, 0.74, 0.77, 0.79, 0.81, 0.83, 0.85, 0.865, 0.88, 0.89, 0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.965, 0.98, 1.0])
_QUICK = np.array([0.40, 0.80, 0.93, 1.0])
_WEEK = {"retail": np.array([0.92, 0.93, 0.95, 0.98, 1.04, 1.13, 1.10]), "saas": np.array([1.10, 1.15, 1.14, 1.10, 0.98, 0.50, 0.52])}


class GeneratorSource:
    """The agency's facts from `anchor` − 399 days on; moving the clock on changes only the last days.

    The anchor is the day on which the sandbox was first started: planted events count from it, and stay where they are.
    """

    def __init__(self, seed: int, anchor: date) -> None:
        self.seed = seed
        self.anchor = anchor
        self.since = anchor - timedelta(days=DAYS - 1)
        self._plans = {(p.account.platform, p.account.account_id): p for p in AGENCY}
        self._lines = {key: lay_out(plan, seed) for key, plan in self._plans.items()}
        self._web = Web(seed, self.since, self._ads)

    @property
    def accounts(self) -> Sequence[SandboxAccount]:
        """List the eight advertising accounts and the three sites."""
        return [*(p.account for p in AGENCY), *self._web.accounts]

    def rows(self, account: SandboxAccount, observed: date, today: date) -> pl.DataFrame:
        """Return the account's facts as its platform knew them on its own `today`; `observed` adds nothing here."""
        if today < self.since or (account.platform, account.account_id) not in self._plans:
            return empty()
        return _settle(self._final(account, today), account, today)

    def finer(self, account: SandboxAccount, rows: pl.DataFrame, dimensions: Sequence[str]) -> pl.DataFrame:
        """Split rows of the account by some of DIMENSIONS; every row's parts add up to it exactly."""
        return detailed(self._plans[account.platform, account.account_id], self.seed, rows, dimensions)

    def campaigns(self, account: SandboxAccount, today: date) -> pl.DataFrame:
        """Return the account's campaigns; one whose end has come is paused."""
        lines = {line.campaign_id: line for line in self._lines.get((account.platform, account.account_id), ())}
        rows = []
        for campaign_id, line in lines.items():
            ended = line.plan.ends is not None and today > self.anchor - timedelta(days=line.plan.ends)
            rows.append((campaign_id, "paused" if ended else "enabled", line.plan.kind, round(line.plan.budget * MICRO)))
        return pl.DataFrame(rows, schema=CAMPAIGNS, orient="row")

    def analytics(self, account: SandboxAccount, observed: date, today: date) -> pl.DataFrame:
        """Return a site's sessions as its platform knew them on its own `today`; `observed` adds nothing here."""
        return self._web.analytics(account, today)

    def visits(self, account: SandboxAccount, observed: date, today: date, since: date | None = None) -> pl.DataFrame:
        """Return a counter's visits from `since` (all when None) up to `today`, one for each session of its analytics."""
        return self._web.visits(account, today, since)

    def span(self, today: date) -> tuple[date | None, date | None]:
        """Return the first and last date with facts."""
        return (self.since, today) if today >= self.since else (None, None)

    def _ads(self, platform: Platform, account_id: str, today: date) -> tuple[Sequence[Line], dict[str, Floats]]:
        final = _final(self.seed, self.anchor, self.since, today, self._plans[platform, account_id])
        return final.lines, final.measures

    def _final(self, account: SandboxAccount, today: date) -> "Final":
        return _final(self.seed, self.anchor, self.since, today, self._plans[account.platform, account.account_id])


class Final:
    """What a matrix of days and ads comes to in the end, and the noise that spreads it over time."""

    def __init__(self, days: NDArray[np.int64], lines: Sequence[Line], noise: Noise, measures: dict[str, Floats]) -> None:
        self.days = days
        self.lines = lines
        self.noise = noise
        self.measures = measures


@lru_cache(maxsize=32)
def _final(seed: int, anchor: date, since: date, today: date, plan: AccountPlan) -> Final:
    days = np.arange(since.toordinal(), today.toordinal() + 1, dtype=np.int64)
    lines = lay_out(plan, seed)
    noise = Noise(seed, days, np.array([line.code for line in lines], dtype=np.int64))
    before = (anchor.toordinal() - days)[:, None]
    budget, cpc, cvr = (np.ones((len(days), len(lines))) for _ in range(3))
    for column, line in enumerate(lines):
        for event in line.plan.events:
            running = before[:, 0] <= event.from_day
            budget[running, column] *= event.budget
            cpc[running, column] *= event.cpc
            cvr[running, column] *= event.cvr
    alive = (before <= np.array([line.first for line in lines])) & (before >= np.array([line.last for line in lines]))
    pace = _pace(plan.rhythm, days)[:, None]
    own = {name: np.array([getattr(line.plan, name) for line in lines]) for name in ("budget", "cpc", "ctr", "cvr", "order")}
    shares = np.array([line.share for line in lines])
    quality = np.array([line.quality for line in lines])
    spend = alive * own["budget"] * shares * budget * pace * np.exp(0.16 * noise.normal(1))
    price = own["cpc"] * cpc * np.exp(0.10 * noise.normal(3))
    clicks = np.floor(spend / price + noise.uniform(5))
    impressions = np.maximum(np.floor(spend / price / (own["ctr"] * quality) * np.exp(0.12 * noise.normal(6)) + noise.uniform(8)), clicks)
    paid = spend if plan.account.platform is Platform.META_ADS else clicks * price
    cents = np.where(impressions > 0, np.round(paid * 100), 0)
    orders = np.floor(clicks * own["cvr"] * quality * cvr * np.exp(0.22 * noise.normal(9)) + noise.uniform(11) * (clicks > 0))
    unit = 100 if plan.account.platform is Platform.GOOGLE_ADS else 1
    units = np.where(orders > 0, orders * unit - np.floor(noise.uniform(12) * 0.4 * unit), 0)
    order_cents = np.round(own["order"] * 100 * np.exp(0.18 * noise.normal(13)))
    return Final(days, lines, noise, {"impressions": impressions, "clicks": clicks, "cents": cents, "units": units, "order_cents": order_cents})


def _pace(rhythm: str, days: NDArray[np.int64]) -> Floats:
    """Return the factor of each day: season, weekday, slow growth. A function of the date alone."""
    season = 0.16 * np.cos(2 * np.pi * (days % 365.25 - 330) / 365.25) if rhythm == "retail" else 0.07 * np.sin(2 * np.pi * (days % 365.25 - 60) / 365.25)
    pace: Floats = (1 + season) * _WEEK[rhythm][(days - 1) % 7] * (1 + 0.00035 * (days - 739_000))
    return pace


def _settle(final: Final, account: SandboxAccount, today: date) -> pl.DataFrame:
    """Take the final facts back to what stood there on `today`, and lay them out as rows without the empty ones."""
    ages = today.toordinal() - final.days
    first_day = 1.015 if account.platform is Platform.YANDEX_DIRECT else 0.985
    delivered = np.where(ages == 0, 0.45, np.where(ages == 1, first_day, 1.0))[:, None]
    m, noise = final.measures, final.noise
    late = np.where(Noise(noise_seed(account), final.days, np.array([1])).uniform(1)[:, 0] < 0.4, 1, 0)
    known = np.where(late == 1, _LATE[np.minimum(ages, len(_LATE) - 1)], _QUICK[np.minimum(ages, len(_QUICK) - 1)])[:, None]
    unit = 100 if account.platform is Platform.GOOGLE_ADS else 1
    clicks = np.where(delivered == 1.0, m["clicks"], np.floor(m["clicks"] * delivered + noise.uniform(20)) * (m["clicks"] > 0))
    impressions = np.maximum(np.where(delivered == 1.0, m["impressions"], np.floor(m["impressions"] * delivered)), clicks)
    cents = np.where(delivered == 1.0, m["cents"], np.floor(m["cents"] * delivered))
    units = np.where(known == 1.0, m["units"], np.floor(m["units"] * known + noise.uniform(21)) * (m["units"] > 0))
    units = np.minimum(units, m["units"])
    value_cents = np.floor(units * m["order_cents"] / unit)
    day, line = np.nonzero((impressions > 0) | (units > 0))
    picked = {name: matrix[day, line].astype(np.int64) for name, matrix in (("i", impressions), ("c", clicks), ("s", cents), ("u", units), ("v", value_cents))}
    texts = {
        name: pl.Series([getattr(x, name) for x in final.lines], dtype=pl.String()).gather(line)
        for name in ("campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "ad_id", "ad_name")
    }
    return (
        pl.DataFrame(
            {
                "date": pl.Series(final.days[day] - date(1970, 1, 1).toordinal(), dtype=pl.Int32()).cast(pl.Date()),
                **texts,
                "impressions": picked["i"],
                "clicks": picked["c"],
                "spend": picked["s"] * (MICRO // 100),
                "conversions": picked["u"] * (MICRO // unit),
                "conversions_value": picked["v"] * (MICRO // 100),
            }
        )
        .with_columns(pl.lit("").alias(name) for name in DIMENSIONS)
        .select(list(SCHEMA))
    )


def noise_seed(account: SandboxAccount) -> int:
    """Return a number that stands for an account in the noise."""
    return int.from_bytes(sha256(account.account_id.encode()).digest()[:7], "big")
