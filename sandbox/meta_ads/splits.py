"""Spread sums over breakdowns that the dataset does not hold: parts add up to the whole to the last unit, and stay the same for ever.

Devices and countries come from the facts; ages, genders, placements, regions and hours are shares of ours.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zlib import crc32

import polars as pl

from sandbox.facts import MICRO

SCALE = 10_000
Parts = Sequence[tuple[tuple[str, ...], int]]
"""Values of the breakdowns and their weight."""

_CENT = MICRO // 100
UNITS = {"spend": _CENT, "conversions": MICRO, "conversions_value": _CENT, "leads": MICRO, "leads_value": _CENT}
"""What a measure is cut into, in the facts' millionths; counts into ones."""

_AGES = (("18-24", 9), ("25-34", 27), ("35-44", 28), ("45-54", 18), ("55-64", 11), ("65+", 7))
_GENDERS = (("female", 56), ("male", 42), ("unknown", 2))
_PLACES = (
    (("facebook", "feed"), 33),
    (("facebook", "facebook_reels"), 9),
    (("facebook", "facebook_stories"), 5),
    (("facebook", "marketplace"), 4),
    (("facebook", "right_hand_column"), 1),
    (("instagram", "feed"), 20),
    (("instagram", "instagram_stories"), 13),
    (("instagram", "instagram_reels"), 10),
    (("audience_network", "an_classic"), 3),
    (("messenger", "messenger_stories"), 2),
)
_REGIONS = {
    "RU": (("Moscow", 38), ("Saint Petersburg", 17), ("Moscow Oblast", 15), ("Krasnodar Krai", 11), ("Sverdlovsk Oblast", 10), ("Novosibirsk Oblast", 9)),
    "US": (("California", 31), ("Texas", 21), ("New York", 19), ("Florida", 15), ("Illinois", 8), ("Washington", 6)),
    "DE": (("North Rhine-Westphalia", 28), ("Bavaria", 25), ("Baden-Württemberg", 19), ("Berlin", 14), ("Hesse", 9), ("Hamburg", 5)),
}
_ZONES = {"Europe/Moscow": "RU", "America/New_York": "US", "Europe/Berlin": "DE"}
_DEVICES = {
    "mobile": (("android_smartphone", 61), ("iphone", 39)),
    "tablet": (("ipad", 58), ("android_tablet", 42)),
    "desktop": (("desktop", 1),),
}
_SURFACES = {"mobile": (("mobile_app", 86), ("mobile_web", 14)), "tablet": (("mobile_app", 81), ("mobile_web", 19)), "desktop": (("desktop", 1),)}
_HOURS = tuple((f"{hour:02d}:00:00 - {hour:02d}:59:59", 2 + (hour > 6) * 3 + (hour > 17) * 3) for hour in range(24))


@dataclass(frozen=True)
class Family:
    """Breakdowns that are spread together. `parent` is the facts' column that the shares depend on."""

    names: tuple[str, ...]
    parts: Callable[[str], Parts]
    parent: str = ""


def families(breakdowns: Sequence[str], timezone: str) -> list[Family]:
    """Return what the breakdowns need besides the facts' own columns, in the order in which it is spread."""
    home = _ZONES.get(timezone, "")
    known = (
        Family(("region",), lambda value: _single(_REGIONS.get(value or home, (("Unknown", 1),))), "country"),
        Family(("age", "gender"), lambda _: [((age, gender), a * g) for age, a in _AGES for gender, g in _GENDERS]),
        Family(("publisher_platform", "platform_position"), lambda _: _PLACES),
        Family(("impression_device",), lambda value: _single(_DEVICES.get(value.lower(), ((value or "unknown", 1),))), "device"),
        Family(("device_platform",), lambda value: _single(_SURFACES.get(value.lower(), ((value or "unknown", 1),))), "device"),
        Family(("hourly_stats_aggregated_by_advertiser_time_zone",), lambda _: _single(_HOURS)),
        Family(("hourly_stats_aggregated_by_audience_time_zone",), lambda _: _single(_HOURS)),
    )
    return [family for family in known if set(family.names) & set(breakdowns)]


def _single(parts: Sequence[tuple[str, int]]) -> Parts:
    return [((value,), weight) for value, weight in parts]


def spread(rows: pl.DataFrame, family: Family, keys: Sequence[str], measures: Sequence[str]) -> pl.DataFrame:
    """Cut each row's measures into parts. `keys` tell rows apart; where small numbers fall depends on them and the date."""
    parent = family.parent or "_any"
    rows = rows if family.parent else rows.with_columns(pl.lit("").alias(parent))
    table = _table(family, parent, rows[parent].unique().sort().to_list())
    own = pl.concat_str([pl.col(k) for k in keys], separator=" ") if keys else pl.lit("")
    rows = rows.with_columns(own.alias("_own"))
    numbers = {text: crc32(f"{family.names[0]} {text}".encode()) % SCALE for text in rows["_own"].unique().to_list()}
    start = rows["_own"].replace_strict(numbers, return_dtype=pl.Int64).cast(pl.Int64)  # without rows it stays text
    rows = rows.with_columns(((start + pl.col("_from").cast(pl.Int32).cast(pl.Int64) * 3_571) % SCALE).alias("_start"))
    cut = rows.join(table, on=parent, how="left", maintain_order="left").with_columns(_part(m, UNITS.get(m, 1)).alias(m) for m in measures)
    left = cut.filter(pl.any_horizontal(pl.col(m) != 0 for m in measures))
    return left.drop("_own", "_start", "_low", "_high", *([] if family.parent else [parent]), strict=False)


def _table(family: Family, parent: str, values: Sequence[str]) -> pl.DataFrame:
    """Lay the shares out: for each value of the parent, its parts and where each begins and ends on a scale of 10,000."""
    rows = []
    for value in values:
        parts = family.parts(value)
        total, passed = sum(weight for _, weight in parts), 0
        for names, weight in parts:
            rows.append((value, *names, passed * SCALE // total, (passed + weight) * SCALE // total))
            passed += weight
    schema = {parent: pl.String(), **{name: pl.String() for name in family.names}, "_low": pl.Int64(), "_high": pl.Int64()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _part(measure: str, unit: int) -> pl.Expr:
    """Return what falls between two marks of the scale; what is finer than the unit goes to the first part."""
    whole, rest = pl.col(measure) // unit, pl.col(measure) % unit
    part = (whole * pl.col("_high") + pl.col("_start")) // SCALE - (whole * pl.col("_low") + pl.col("_start")) // SCALE
    return part * unit + pl.when(pl.col("_low") == 0).then(rest).otherwise(0)
