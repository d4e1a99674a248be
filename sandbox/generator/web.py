"""Sessions and visits of the demo agency, made from the same clicks and orders as its ads, equal for equal (seed, anchor, clock)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from domain.platforms import Platform
from sandbox.accounts import SandboxAccount
from sandbox.analytics import ANALYTICS_SCHEMA, VISITS_SCHEMA, no_analytics, no_visits
from sandbox.facts import MICRO
from sandbox.generator.noise import Floats, Noise, Words, mix
from sandbox.generator.plan import Line
from sandbox.generator.properties import PROPERTIES, TAGS, PropertyPlan

DEVICES = ("mobile", "desktop")
SETTLED_AFTER = 3
"""From this age in days on, a date's sessions no longer change."""
_SESSIONS = np.array([0.45, 0.94, 0.985, 1.0])
_ORDERS = np.array([0.40, 0.86, 0.96, 1.0])
"""The share of sessions and of orders that is known on the day itself and on the days after it."""
_CREDIT = {Platform.META_ADS: 0.62}
"""How many of a platform's own conversions the last click grants it; 0.9 elsewhere."""
_DAY = 86_400
_EPOCH = date(1970, 1, 1).toordinal()

AdFacts = Callable[[Platform, str, date], tuple[Sequence[Line], dict[str, Floats]]]
"""Gives an ad account's lines and their final measures (days by lines) from the first day up to a date."""


@dataclass(frozen=True)
class Stream:
    """Where sessions come from: one column of the day matrices. `credit` is the share of the ads' own conversions that it keeps."""

    code: int
    source: str
    medium: str
    campaign: str
    country: str
    landing_page: str
    goal_id: str
    credit: float = 0.9


@dataclass(frozen=True)
class Streams:
    """Final sessions, orders and cents by day (rows) and stream (columns)."""

    streams: list[Stream]
    sessions: Floats
    orders: Floats
    cents: Floats


class Web:
    """The sites' facts from `since` on; `ads` reads the final facts of the ad accounts that send visitors."""

    def __init__(self, seed: int, since: date, ads: AdFacts) -> None:
        self._seed = seed
        self._since = since
        self._ads = ads
        self._plans = {(p.account.platform, p.account.account_id): p for p in PROPERTIES}

    @property
    def accounts(self) -> list[SandboxAccount]:
        """List the two properties and the counter."""
        return [p.account for p in PROPERTIES]

    def analytics(self, account: SandboxAccount, today: date) -> pl.DataFrame:
        """Return the site's rows as its platform knew them on `today`, sorted by date."""
        rows = self._rows(account, today)
        return no_analytics() if rows is None else _by_goal(rows).select(list(ANALYTICS_SCHEMA))

    def visits(self, account: SandboxAccount, today: date, since: date | None = None) -> pl.DataFrame:
        """Return one row for each session of the analytics rows; goals and revenue come to the same totals."""
        rows = self._rows(account, today) if account.platform is Platform.YANDEX_METRICA else None
        return no_visits() if rows is None else _visits(rows.filter(pl.col("date") >= (since or self._since)), self._seed)

    def _rows(self, account: SandboxAccount, today: date) -> pl.DataFrame | None:
        """Return a row for each day, stream and device with sessions, its goal beside it; None for what is no site of ours."""
        plan = self._plans.get((account.platform, account.account_id))
        if plan is None or today < self._since:
            return None
        days = np.arange(self._since.toordinal(), today.toordinal() + 1, dtype=np.int64)
        paid = self._paid(plan, days, today)
        unpaid = _unpaid(plan, days, paid.sessions.sum(axis=1), self._seed)
        whole = Streams(
            paid.streams + unpaid.streams,
            *(np.hstack([getattr(paid, name), getattr(unpaid, name)]) for name in ("sessions", "orders", "cents")),
        )
        return _lay_out(plan, whole, days, today, self._seed)

    def _paid(self, plan: PropertyPlan, days: NDArray[np.int64], today: date) -> Streams:
        """Turn the clicks of each campaign into sessions, and a part of its conversions into the last click's orders."""
        streams: list[Stream] = []
        columns: list[tuple[Floats, Floats, Floats]] = []
        for platform, account_id in plan.feeders:
            lines, measures = self._ads(platform, account_id, today)
            orders = measures["units"] / (100 if platform is Platform.GOOGLE_ADS else 1)
            for campaign_id in dict.fromkeys(line.campaign_id for line in lines):
                own = [i for i, line in enumerate(lines) if line.campaign_id == campaign_id]
                streams.append(_campaign(plan, platform, lines[own[0]], len(streams)))
                value = (orders[:, own] * measures["order_cents"][:, own]).sum(axis=1)
                columns.append((measures["clicks"][:, own].sum(axis=1), orders[:, own].sum(axis=1), value))
        clicks, orders, value = (np.stack(part, axis=1) for part in zip(*columns, strict=True))
        noise = _noise(self._seed, days, streams)
        sessions = np.floor(clicks * (0.84 + 0.1 * noise.uniform(31)))
        credit = np.array([s.credit for s in streams]) * (0.9 + 0.2 * noise.uniform(32))
        granted = np.minimum(np.floor(orders * credit + noise.uniform(33)) * (orders > 0), sessions)
        return Streams(streams, sessions, granted, np.floor(_share(granted, orders) * value))


def _campaign(plan: PropertyPlan, platform: Platform, line: Line, number: int) -> Stream:
    source, medium = TAGS[platform, line.plan.kind]
    country = plan.countries[-1] if number % 4 == 3 else plan.countries[0]
    page = plan.landing_pages[number % len(plan.landing_pages)]
    goal = plan.order_goal if line.plan.order else plan.lead_goal
    return Stream(int(line.campaign_id), source, medium, line.campaign_name, country, page, goal, _CREDIT.get(platform, 0.9))


def _unpaid(plan: PropertyPlan, days: NDArray[np.int64], paid: Floats, seed: int) -> Streams:
    """Make the traffic that nobody pays for. It is a share of the first month's paid sessions, so that no later event moves it."""
    streams: list[Stream] = []
    shares, rates, prices = [], [], []
    for index, channel in enumerate(plan.channels):
        abroad = plan.countries if channel.medium in ("organic", "(none)") else plan.countries[:1]
        campaign = {"organic": "(organic)", "(none)": "(direct)", "referral": "(referral)"}.get(channel.medium, "Monthly digest")
        for place, country in enumerate(abroad):
            code = int(plan.account.account_id) * 100 + index * 10 + place
            streams.append(Stream(code, channel.source, channel.medium, campaign, country, channel.landing_page, plan.order_goal))
            shares.append(channel.share * (1.0 if len(abroad) == 1 else 0.15 if place else 0.8))
            rates.append(channel.cvr)
            prices.append(channel.order)
    noise = _noise(seed, days, streams)
    rest = 0.62 if plan.rhythm == "saas" else 1.08
    rhythm = (np.where((days - 1) % 7 >= 5, rest, 1.0) * (1 + 0.0004 * (days - 739_000)))[:, None]
    sessions = np.floor(float(paid[:30].mean()) * np.array(shares) * rhythm * np.exp(0.12 * noise.normal(34)))
    orders = np.minimum(np.floor(sessions * np.array(rates) + noise.uniform(36)), sessions)
    return Streams(streams, sessions, orders, np.floor(orders * np.array(prices) * 100 * np.exp(0.15 * noise.normal(37))))


def _lay_out(plan: PropertyPlan, final: Streams, days: NDArray[np.int64], today: date, seed: int) -> pl.DataFrame:
    """Take the final matrices back to what stood there on `today`, split them by device, and list what is not empty."""
    ages = np.minimum(today.toordinal() - days, len(_SESSIONS) - 1)
    mobile = np.clip(plan.mobile + 0.16 * (_noise(seed, days, final.streams).uniform(40) - 0.5), 0, 1)
    sessions = np.floor(final.sessions * _SESSIONS[ages][:, None])
    orders = np.minimum(np.floor(final.orders * _ORDERS[ages][:, None]), sessions)
    cents = np.floor(final.cents * _share(orders, final.orders))
    on_mobile = np.floor(sessions * mobile)
    mobile_orders = np.maximum(np.minimum(np.floor(orders * mobile * 0.8), on_mobile), orders - (sessions - on_mobile))
    mobile_cents = np.floor(cents * _share(mobile_orders, orders))
    split = [
        np.stack(pair, axis=2) for pair in ((on_mobile, sessions - on_mobile), (mobile_orders, orders - mobile_orders), (mobile_cents, cents - mobile_cents))
    ]
    day, stream, device = np.nonzero(split[0])
    counts = [part[day, stream, device].astype(np.int64) for part in split]
    return pl.DataFrame(
        {
            "date": pl.Series(days[day] - _EPOCH, dtype=pl.Int32()).cast(pl.Date()),
            "code": np.array([s.code for s in final.streams], dtype=np.int64)[stream] * 2 + device,
            **{n: pl.Series([getattr(s, n) for s in final.streams], dtype=pl.String()).gather(stream) for n in _OF_STREAM},
            "device": pl.Series(DEVICES, dtype=pl.String()).gather(device),
            "sessions": counts[0],
            "users": _users(counts[0]),
            "conversions": counts[1] * MICRO,
            "conversions_value": counts[2] * (MICRO // 100),
        }
    )


_OF_STREAM = ("source", "medium", "campaign", "country", "landing_page", "goal_id")


def _by_goal(rows: pl.DataFrame) -> pl.DataFrame:
    """Part the rows whose stream has a goal into one of sessions and one of the goal's conversions."""
    if (rows["goal_id"] == "").all():
        return rows
    nothing = pl.lit(0, pl.Int64())
    sessions = rows.with_columns(pl.lit("").alias("goal_id"), nothing.alias("conversions"), nothing.alias("conversions_value"))
    goals = rows.filter(pl.col("conversions") > 0).with_columns(nothing.alias("sessions"), nothing.alias("users"))
    return pl.concat([sessions, goals]).sort("date", maintain_order=True)


def _visits(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Give each session its visit: the first ones of a row reach its goal, and the very first takes what the revenue does not divide into."""
    counts = rows["sessions"].to_numpy()
    row = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    days = rows["date"].to_physical().to_numpy().astype(np.int64)
    key = mix((rows["code"].to_numpy().astype(np.uint64) << np.uint64(20)) ^ days.astype(np.uint64) ^ mix(np.array([seed], dtype=np.uint64)))
    visit, client = _word(key[row], place), _word(key[row] ^ np.uint64(1), _users(place + 1))
    orders = (rows["conversions"].to_numpy() // MICRO)[row]
    value = rows["conversions_value"].to_numpy()[row]
    cent = MICRO // 100
    each = value // np.maximum(orders, 1) // cent * cent
    revenue = np.where(place < orders, each + np.where(place == 0, value - each * np.maximum(orders, 1), 0), 0)
    moment = days[row] * _DAY + (mix(visit) % np.uint64(_DAY)).astype(np.int64)
    picked = rows.select("source", "medium", "campaign", "goal_id")[row]
    frame = picked.with_columns(
        pl.Series("visit_id", visit).cast(pl.String),
        pl.Series("client_id", client).cast(pl.String),
        pl.Series("date_time", moment * MICRO).cast(pl.Datetime("us")),
        pl.when(pl.Series(place < orders)).then(pl.col("goal_id")).otherwise(pl.lit("")).alias("goals"),
        pl.Series("revenue", revenue),
    )
    return frame.select(list(VISITS_SCHEMA)).sort("date_time", "visit_id")


def _users(sessions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many people stand behind the first sessions of a row: 87 in a hundred, rounded up."""
    return (sessions * 87 + 99) // 100


def _word(key: Words, place: NDArray[np.int64]) -> Words:
    return mix(key ^ mix(place.astype(np.uint64)))


def _noise(seed: int, days: NDArray[np.int64], streams: Sequence[Stream]) -> Noise:
    return Noise(seed, days, np.array([s.code for s in streams], dtype=np.int64))


def _share(part: Floats, whole: Floats) -> Floats:
    """Divide, nothing by nothing being nothing."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
