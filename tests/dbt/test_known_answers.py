"""Seeds whose answers are known: Fivetran's connector rows through our marts, and paths through the touches to attribution."""

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

STARTS = [date(year, month, 1) for year in (2020, 2021, 2025) for month in range(1, 13)]
MONTHS = [(start, (start + timedelta(days=31)).replace(day=1) - timedelta(days=1)) for start in STARTS]
MEASURES = "sum(impressions), sum(clicks), sum(spend), sum(conversions), sum(conversions_value)"
GOOGLE = {  # report: seed, the seed's id, our id, how a fact's rows are chosen
    "account_daily": ("account_stats", "customer_id", "customer_id", "account_id", "int_ads__account_daily"),
    "campaign_daily": ("campaign_stats", "id", "campaign_id", "campaign_id", "int_ads__campaign_daily"),
    "ad_group_daily": ("ad_group_stats", "id", "ad_group_id", "ad_group_id", "int_ads__ad_group_daily"),
    "ad_daily": ("ad_stats", "ad_id", "ad_group_ad_ad_id", "ad_id", "int_ads__ad_daily"),
    "keyword_daily": ("keyword_stats", "ad_group_criterion_criterion_id", "ad_group_criterion_criterion_id", "keyword_id", "int_ads__keyword_daily"),
    "search_term_daily": ("search_term_keyword_stats", "search_term", "search_term_view_search_term", "search_term", "int_ads__search_term_daily"),
}


def _seed(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _google(mart: Any, report: str, rows: list[dict[str, str]], source: str, target: str) -> None:
    """Load a seed's report as a dataset of its own, an organization by its name: device and network rows of a day add up."""
    sums: dict[tuple[str, str, str], dict[str, Any]] = defaultdict(lambda: defaultdict(Decimal))
    for row in rows:
        total = sums[row["customer_id"], row["date"][:10], row[source]]
        for ours, theirs in (("impressions", "impressions"), ("clicks", "clicks"), ("cost_micros", "cost_micros")):
            total[f"metrics_{ours}"] += int(Decimal(row[theirs] or 0))
        for name in ("conversions", "conversions_value"):
            total[f"metrics_{name}"] += Decimal(row.get(name) or 0)
        total["campaign_id"] = row.get("campaign_id") or (row[source] if target == "campaign_id" else "")
        total["ad_group_id"] = row.get("ad_group_id") or (row[source] if target == "ad_group_id" else "")
    for since, until in MONTHS:
        found = [
            {"segments_date": date.fromisoformat(day), "customer_currency_code": "USD", **values, **({} if target == "customer_id" else {target: key})}
            for (_, day, key), values in sums.items()
            if since <= date.fromisoformat(day) <= until
        ]
        if found:
            account = rows[0]["customer_id"]
            mart.load(f"raw_google_ads__{report}", account, [_whole(row) for row in found], (since, until), organization=report)


def _whole(row: dict[str, Any]) -> dict[str, Any]:
    integers = {"metrics_impressions", "metrics_clicks", "metrics_cost_micros"}
    return {name: int(value) if name in integers else value for name, value in row.items()}


def _facebook(mart: Any, folder: Path) -> None:
    """Load basic_ad with its actions as Meta would send them; actions on days without delivery stand in rows of their own."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for seed in _seed(folder / "facebook_ads_basic_ad_data.csv"):
        delivery = {"impressions": int(seed["impressions"]), "clicks": int(seed["inline_link_clicks"] or 0), "spend": Decimal(seed["spend"])}
        rows[seed["ad_id"], seed["date"][:10]] = delivery
    for name, column in (("actions", "actions"), ("action_values", "action_values")):
        told = defaultdict(list)
        for seed in _seed(folder / f"facebook_ads_basic_ad_{name}_data.csv"):
            told[seed["ad_id"], seed["date"][:10]].append({"action_type": seed["action_type"], "value": seed["value"]})
        for key, actions in told.items():
            rows.setdefault(key, {})[column] = json.dumps(actions)
    days = [date.fromisoformat(day) for _, day in rows]
    for day in sorted(set(days)):
        page = [
            {"date_start": day, "account_id": "a", "account_currency": "USD", "ad_id": ad, "adset_id": "g", "campaign_id": "c", **values}
            for (ad, of_day), values in rows.items()
            if date.fromisoformat(of_day) == day
        ]
        mart.load("raw_meta_ads__ad_daily", "a", page, (day, day), organization="facebook")


def _paths(mart: Any, file: Path) -> Iterator[tuple[str, str, date]]:
    """Load each path as one visitor's visits, an hour apart, its conversions as goals of the last."""
    start = datetime(2025, 3, 1, tzinfo=UTC)
    visits = []
    with gzip.open(file, "rt", encoding="utf-8") as opened:
        for number, path in enumerate(csv.DictReader(opened)):
            channels = path["path"].split(" > ")
            goals = ",".join(["1"] * int(path["total_conversions"]))
            for step, channel in enumerate(channels):
                at = start + timedelta(hours=step)
                last = step == len(channels) - 1
                visits.append(
                    {
                        "visitID": f"{number}-{step:03}",
                        "clientID": str(number),
                        "date": at.date(),
                        "dateTime": f"{at:%Y-%m-%d %H:%M:%S}",
                        "UTMSource": channel,
                        "UTMMedium": "cpc",
                        "goalsID": f"[{goals}]" if last else "[]",
                    }
                )
    until = max(visit["date"] for visit in visits)
    mart.load("raw_yandex_metrica__visits", "9", visits, (start.date(), until), organization="paths")
    yield "paths", "9", until


@pytest.fixture(scope="module")
def known(mart: Any, fixtures: Path) -> Any:
    """A warehouse with the seeds of every source in organizations of their own, built once."""
    folder = fixtures / "fivetran" / "dbt_ad_reporting"
    for report, (seed, source, target, *_) in GOOGLE.items():
        _google(mart, report, _seed(folder / f"google_ads_{seed}_data.csv"), source, target)
    _facebook(mart, folder)
    list(_paths(mart, fixtures / "datasets" / "mta" / "data.csv.gz"))
    mart.build("+fct_ad_performance_daily", "+int_ads__keyword_daily", "+int_ads__search_term_daily", "+mart_attribution", tested=False)
    mart.expected = json.loads((fixtures / "fivetran" / "expected_totals.json").read_text())["platforms"]
    mart.attribution = json.loads((fixtures / "datasets" / "mta" / "expected_attribution.json").read_text())
    return mart


@pytest.mark.parametrize("report", GOOGLE)
def test_googles_seeds_come_out_as_they_went_in_per_day_and_key(known: Any, report: str) -> None:
    seed, _, _, column, model = GOOGLE[report]
    expected = known.expected["google_ads (dbt_ad_reporting seeds)"][seed]
    found = known.rows(f"SELECT toString(date_day), {column}, {MEASURES} FROM intermediate.{model} WHERE organization_id = '{report}' GROUP BY 1, 2")
    ours = {(day, key): tuple(round(float(value), 6) for value in values) for day, key, *values in found}
    measures = ("impressions", "clicks", "spend", "conversions", "conversions_value")
    theirs = {(row["date_day"], str(row[expected["by"][1]])): tuple(round(float(row[name]), 6) for name in measures) for row in expected["rows"]}
    assert ours == theirs


def test_fractions_stay_fractions_in_the_fact(known: Any) -> None:
    assert known.rows("SELECT sum(conversions), sum(spend) FROM marts.fct_ad_performance_daily WHERE organization_id = 'ad_group_daily'") == [
        (Decimal("14.483334"), Decimal("3156.84"))
    ]


def test_facebooks_conversions_without_delivery_are_kept(known: Any) -> None:
    assert known.rows(f"SELECT {MEASURES} FROM marts.fct_ad_performance_daily WHERE organization_id = 'facebook'")[0][:4] == (
        37275,
        149,
        Decimal("643.63"),
        Decimal(19),
    )


def test_every_attribution_model_gives_19785_conversions_and_four_are_known_by_channel(known: Any) -> None:
    totals = known.rows("SELECT model, sum(conversions) FROM marts.mart_attribution WHERE organization_id = 'paths' GROUP BY 1")
    assert {model for model, _ in totals} == {"first", "last", "last_non_direct", "linear", "position", "time_decay"}
    assert {total for _, total in totals} == {Decimal(19785)}
    names = {"first": "first_touch", "last": "last_touch", "linear": "linear", "position": "position_40_20_40 (L=2 -> 50/50, L=1 -> 100)"}
    for model, name in names.items():
        by_channel = "SELECT source, sum(conversions) FROM marts.mart_attribution WHERE organization_id = 'paths' AND model = {m:String} GROUP BY 1"
        found = known.rows(by_channel, m=model)
        assert {channel: float(round(value, 6)) for channel, value in found if value} == pytest.approx(known.attribution[name], abs=1e-6)
