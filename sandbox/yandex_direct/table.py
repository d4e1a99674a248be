"""Compute a report: group, filter, derive, sort, cut a page, and print it as TSV."""

from dataclasses import dataclass

import polars as pl

from domain.platforms import Level
from sandbox.accounts import SandboxAccount
from sandbox.facts import DIMENSIONS, MEASURES, MICRO, AccountFacts
from sandbox.yandex_direct.definition import Definition, Filter
from sandbox.yandex_direct.fields import FIELDS, GOAL_FIELDS, HIDDEN_GROUPS, MONEY
from sandbox.yandex_direct.goals import actions_of
from sandbox.yandex_direct.regions import region_id

LEVELS = {"A": Level.ACCOUNT, "U": Level.ACCOUNT, "C": Level.CAMPAIGN, "R": Level.CAMPAIGN, "G": Level.AD_GROUP, "D": Level.AD}
UNDEFINED = "--"
AUTOTARGETING = "---autotargeting"
CAMPAIGN_TYPES = {"master": "UNIFIED_CAMPAIGN", "performance_max": "UNIFIED_CAMPAIGN"}
CENT = 10_000
_SECTION = {"search": "SEARCH"}
_DEVICES = {"": "DESKTOP", "CONNECTED_TV": "SMART_TV", "TV": "SMART_TV", "OTHER": "UNKNOWN"}
_FINER = {
    **dict.fromkeys(("Device", "MobilePlatform"), "device"),
    **dict.fromkeys(("LocationOfPresenceName", "LocationOfPresenceId", "TargetingLocationName", "TargetingLocationId"), "country"),
    **dict.fromkeys(("Criterion", "Criteria", "CriterionId", "CriteriaId", "CriterionType", "CriteriaType", "Keyword"), "keyword"),
    **dict.fromkeys(("MatchedKeyword", "Query"), "search_term"),
}
"""The finer dimension of the facts that a field needs."""


@dataclass(frozen=True)
class Shape:
    """How the file is printed: money in micros, and which of its outer lines are there."""

    micros: bool
    report_header: bool
    column_header: bool
    summary: bool


def compute(definition: Definition, account: SandboxAccount, facts: AccountFacts, vat: float) -> pl.DataFrame:
    """Return the report's rows, a column for each shown field; metrics are numbers or null where undefined."""
    dimensions = _dimensions(account, facts)
    shown = [f for f in definition.fields if FIELDS[f].role != "metric"]
    groups = list(dict.fromkeys([*shown, *HIDDEN_GROUPS.get(definition.type, ())]))
    needed = list(dict.fromkeys([*groups, *(f.field for f in definition.filters if FIELDS[f.field].role != "metric")]))
    level = LEVELS.get(definition.type, Level.AD_GROUP)
    rows = facts.window(level, definition.since, min(definition.until, facts.today), _finer(needed, definition))
    if definition.type == "S":
        rows = rows.filter(pl.col("search_term") != "")
    if not definition.include_vat and vat:
        rows = rows.with_columns((pl.col("spend") / (1 + vat)).round().cast(pl.Int64))
    rows = rows.join(facts.campaigns.select("campaign_id", "kind"), on="campaign_id", how="left", maintain_order="left")
    rows = rows.with_columns(dimensions[name].alias(name) for name in needed)
    for one in definition.filters:
        if FIELDS[one.field].role != "metric":
            rows = rows.filter(_kept(one))
    goals = _goal_columns(definition, rows)
    sums = [pl.col(MEASURES).sum(), *(pl.col(MEASURES[3:]).filter(mask).sum().name.suffix(f"_{goal}") for goal, mask in goals.items())]
    table = rows.group_by(groups, maintain_order=True).agg(sums) if groups else rows.select(sums)
    table = table.filter(pl.any_horizontal(pl.col(m) != 0 for m in MEASURES))
    for one in definition.filters:
        if FIELDS[one.field].role == "metric":
            table = table.with_columns(_metric(one.field, "").alias(one.field)).filter(_kept(one))
    order = [(name, down) for name, down in definition.order if FIELDS[name].role == "metric" or name in table.columns]
    if order:
        keys = [pl.col(n) if FIELDS[n].role != "metric" else _metric(n, "") for n, _ in order]
        table = table.sort(keys, descending=[down for _, down in order], maintain_order=True)
    return table.slice(definition.offset, definition.limit).select(_columns(definition, goals))


def _finer(needed: list[str], definition: Definition) -> list[str]:
    """Name the finer dimensions that the fields, and goals, call for; a search term knows its keyword."""
    asked = {_FINER[name] for name in needed if name in _FINER} | ({"conversion_action"} if definition.goals else set())
    return [name for name in DIMENSIONS if name in asked or (name == "keyword" and "search_term" in asked)]


def _columns(definition: Definition, goals: dict[str, pl.Expr]) -> list[pl.Expr]:
    columns = []
    for name in definition.fields:
        if FIELDS[name].role != "metric":
            columns.append(pl.col(name))
        elif goals and name in GOAL_FIELDS:
            columns += [_metric(name, f"_{goal}").alias(f"{name}_{goal}_{model}") for goal in goals for model in definition.models]
        else:
            columns.append(_metric(name, "").alias(name))
    return columns


def _goal_columns(definition: Definition, rows: pl.DataFrame) -> dict[str, pl.Expr]:
    """Say which rows count for a goal: those of its conversion action; without any, the first goal has them all."""
    split = bool((rows["conversion_action"] != "").any())
    return {goal: pl.col("conversion_action").is_in(actions_of(rows, goal)) if split else pl.lit(number == 0) for number, goal in enumerate(definition.goals)}


def _dimensions(account: SandboxAccount, facts: AccountFacts) -> dict[str, pl.Expr]:
    """Return the expression of each dimension over the facts; what the facts do not know has one constant value."""
    campaigns = _names(facts, Level.CAMPAIGN, "campaign")
    groups = _names(facts, Level.AD_GROUP, "ad_group")
    unknown = {name: pl.lit("UNKNOWN") for name, field in FIELDS.items() if field.role in ("dimension", "filter")}
    date = pl.col("date")
    return {
        **unknown,
        "CampaignUrlPath": pl.lit(UNDEFINED),
        "RlAdjustmentId": pl.lit(UNDEFINED),
        "Placement": pl.lit("yandex.ru"),
        "Date": date.dt.to_string("%Y-%m-%d"),
        "Week": date.dt.truncate("1w").dt.to_string("%Y-%m-%d"),
        "Month": date.dt.truncate("1mo").dt.to_string("%Y-%m-%d"),
        "Quarter": date.dt.truncate("1q").dt.to_string("%Y-%m-%d"),
        "Year": date.dt.truncate("1y").dt.to_string("%Y-%m-%d"),
        "ClientLogin": pl.lit(account.account_id),
        "CampaignId": _or_undefined("campaign_id"),
        "CampaignName": pl.col("campaign_id").replace_strict(campaigns, default=UNDEFINED, return_dtype=pl.String),
        "CampaignType": pl.col("kind").fill_null("search").replace_strict(CAMPAIGN_TYPES, default="TEXT_CAMPAIGN", return_dtype=pl.String),
        "AdGroupId": _or_undefined("ad_group_id"),
        "AdGroupName": pl.col("ad_group_id").replace_strict(groups, default=UNDEFINED, return_dtype=pl.String),
        "AdId": _or_undefined("ad_id"),
        "AdFormat": pl.lit("TEXT"),
        "AdNetworkType": pl.col("kind").fill_null("search").replace_strict(_SECTION, default="AD_NETWORK", return_dtype=pl.String),
        "Device": pl.col("device").str.to_uppercase().replace(_DEVICES),
        "LocationOfPresenceId": _region_id(),
        "TargetingLocationId": _region_id(),
        "LocationOfPresenceName": pl.col("country").replace("", UNDEFINED),
        "TargetingLocationName": pl.col("country").replace("", UNDEFINED),
        "Criterion": pl.col("keyword").replace("", AUTOTARGETING),
        "Criteria": pl.col("keyword").replace("", AUTOTARGETING),
        "CriterionId": criterion_id(),
        "CriteriaId": criterion_id(),
        "CriterionType": pl.when(pl.col("keyword") == "").then(pl.lit("AUTOTARGETING")).otherwise(pl.lit("KEYWORD")),
        "CriteriaType": pl.when(pl.col("keyword") == "").then(pl.lit("AUTOTARGETING")).otherwise(pl.lit("KEYWORD")),
        "Keyword": pl.col("keyword"),
        "MatchedKeyword": pl.col("keyword").replace("", UNDEFINED),
        "Query": pl.col("search_term").replace("", UNDEFINED),
        "Slot": pl.lit("OTHER"),
        "ClickType": pl.lit(UNDEFINED),
        "MatchType": pl.lit("NONE"),
    }


def _names(facts: AccountFacts, level: Level, own: str) -> dict[str, str]:
    listed = facts.entities(level)
    return dict(zip(listed[f"{own}_id"].to_list(), listed[f"{own}_name"].to_list(), strict=True))


def _or_undefined(column: str) -> pl.Expr:
    return pl.col(column).replace("", UNDEFINED)


def criterion_id() -> pl.Expr:
    """Give each keyword of an ad group a number that stays the same."""
    return ((pl.col("ad_group_id") + pl.col("keyword")).hash(seed=7) % 9_000_000_000 + 1_000_000_000).cast(pl.String)


def _region_id() -> pl.Expr:
    def numbers(names: pl.Series) -> pl.Series:
        return names.replace_strict({name: region_id(name) for name in names.unique()}, return_dtype=pl.String)

    return pl.col("country").map_batches(numbers, return_dtype=pl.String)


def _kept(one: Filter) -> pl.Expr:
    column = pl.col(one.field)
    if FIELDS[one.field].role == "metric":
        factor = MICRO if one.field in MONEY else 1
        bound = float(one.values[0]) / factor
        return {"GREATER_THAN": column > bound, "LESS_THAN": column < bound, "EQUALS": column == bound}.get(one.operator, column != bound)
    values = list(one.values)
    if one.field in ("Keyword", "Query", "MatchedKeyword"):
        column, values = column.str.to_lowercase(), [v.lower() for v in values]
    if one.operator in ("EQUALS", "IN"):
        return column.is_in(values)
    if one.operator in ("NOT_EQUALS", "NOT_IN"):
        return ~column.is_in(values)
    if one.operator in ("LESS_THAN", "GREATER_THAN"):
        return column < values[0] if one.operator == "LESS_THAN" else column > values[0]
    starts = pl.any_horizontal(column.str.to_lowercase().str.starts_with(v.lower()) for v in values)
    return ~starts if one.operator.startswith("DOES_NOT") else starts


def _over(above: pl.Expr, below: pl.Expr) -> pl.Expr:
    return pl.when(below != 0).then(above / below)


def _metric(name: str, goal: str) -> pl.Expr:
    """Return a metric: counts as integers, money in the currency's units, null where it is undefined."""
    shows, clicks = pl.col("impressions"), pl.col("clicks")
    cents = ((pl.col("spend") + CENT // 2) // CENT * CENT) / MICRO
    goals, revenue = pl.col(f"conversions{goal}") / MICRO, pl.col(f"conversions_value{goal}") / MICRO
    known: dict[str, pl.Expr] = {
        "Impressions": shows,
        "Clicks": clicks,
        "Cost": cents,
        "Ctr": _over(clicks * 100.0, shows),
        "AvgCpc": _over(cents, clicks),
        "AvgCpm": _over(cents * 1000, shows),
        "AvgEffectiveBid": _over(cents * 1.1, clicks),
        "Conversions": pl.when(goals != 0).then(goals),
        "ConversionRate": pl.when(goals != 0).then(_over(goals * 100, clicks)),
        "CostPerConversion": _over(cents, goals),
        "Revenue": pl.when(revenue != 0).then(revenue),
        "PurchaseRevenue": pl.when(revenue != 0).then(revenue),
        "Profit": pl.when(revenue != 0).then(revenue - cents),
        "PurchaseProfit": pl.when(revenue != 0).then(revenue - cents),
        "GoalsRoi": pl.when(revenue != 0).then(_over(revenue - cents, cents)),
        "PurchaseGoalsRoi": pl.when(revenue != 0).then(_over(revenue - cents, cents)),
        "Sessions": clicks,
        "Bounces": clicks // 6,
        "BounceRate": _over((clicks // 6) * 100.0, clicks),
        "WeightedImpressions": shows,
        "WeightedCtr": _over(clicks * 100.0, shows),
        "ImpressionReach": shows - shows // 5,
    }
    return known.get(name, pl.lit(None, pl.Float64()))


def print_table(table: pl.DataFrame, definition: Definition, shape: Shape) -> bytes:
    """Print the report as TSV without any quoting; `--` stands for undefined."""
    texts = table.select(_text(name, table.schema[name], shape.micros) for name in table.columns)
    lines = []
    if shape.report_header:
        lines.append(f"{definition.name} ({definition.since} - {definition.until})\n")
    if shape.column_header:
        lines.append("\t".join(table.columns) + "\n")
    body = texts.write_csv(separator="\t", include_header=False, quote_style="never") if texts.height else ""
    summary = f"Total rows: {texts.height}\n" if shape.summary else ""
    return "".join([*lines, body, summary]).encode()


def _text(name: str, kind: pl.DataType, micros: bool) -> pl.Expr:
    column = pl.col(name)
    field = name.split("_")[0]
    if kind == pl.String:
        return column.str.replace_all("[\t\r\n]", " ").fill_null(UNDEFINED)
    if field in MONEY:
        rounded = (column * 100).round()
        text = (rounded * CENT).cast(pl.Int64).cast(pl.String) if micros else _two_places(rounded.cast(pl.Int64))
    elif field == "Conversions":
        exact = (column * MICRO).round().cast(pl.Int64)
        fraction = (exact % MICRO).cast(pl.String).str.zfill(6).str.strip_chars_end("0")
        text = (exact // MICRO).cast(pl.String) + pl.when(fraction != "").then("." + fraction).otherwise(pl.lit(""))
    elif kind.is_integer():
        text = column.cast(pl.String)
    else:
        text = _two_places((column * 100).round().cast(pl.Int64))
    return text.fill_null(UNDEFINED).alias(name)


def _two_places(hundredths: pl.Expr) -> pl.Expr:
    sign = pl.when(hundredths < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    size = hundredths.abs()
    return sign + (size // 100).cast(pl.String) + "." + (size % 100).cast(pl.String).str.zfill(2)
