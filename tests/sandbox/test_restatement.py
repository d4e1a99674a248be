"""Restatement held against a plain reading of the rule, over random datasets and clocks."""

import csv
import tempfile
from datetime import date, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.dataset.source import DatasetSource

START = date(2026, 11, 1)
COLUMNS = [
    *("platform", "account_id", "account_name", "currency", "timezone", "campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "ad_id", "ad_name"),
    *("date", "impressions", "clicks", "spend", "conversions", "conversions_value", "as_of"),
]

rows = st.lists(
    st.tuples(
        st.sampled_from(["1", "2"]),
        st.sampled_from(["11", "12", ""]),
        st.integers(0, 4),
        st.one_of(st.none(), st.integers(0, 6)),
        st.integers(0, 1000),
        st.decimals(0, 999, places=6),
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda r: r[:4],
)


def reference(data, account, today):
    """Read the rule literally: of each date the rows of the newest as_of that today has reached; none after today."""
    shown = {}
    for day in range(5):
        mine = [r for r in data if r[0] == account and r[2] == day and (r[3] is None or r[3] <= today)]
        if day <= today and mine:
            newest = max(-1 if r[3] is None else r[3] for r in mine)
            for r in mine:
                if (-1 if r[3] is None else r[3]) == newest:
                    shown[START + timedelta(days=day), r[1]] = (r[4], int(r[5] * 1_000_000))
    return shown


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows, st.integers(-1, 7))
def test_the_platform_answers_the_newest_reached_statement_of_each_day(data, today):
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "data.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for account, campaign, day, as_of, clicks, spend in data:
                dates = (START + timedelta(days=day)).isoformat(), "" if as_of is None else (START + timedelta(days=as_of)).isoformat()
                finer = ("", "", "", "")
                writer.writerow(["meta_ads", account, "A", "USD", "UTC", campaign, campaign, *finer, dates[0], 0, clicks, f"{spend:f}", 0, 0, dates[1]])
        source = DatasetSource([path])
    now = START + timedelta(days=today)
    for account in source.accounts:
        seen = source.rows(account, now, now)
        found = {(r["date"], r["campaign_id"]): (r["clicks"], r["spend"]) for r in seen.iter_rows(named=True)}
        assert found == reference(data, account.account_id, today)
        assert seen.height == len(found)
        assert seen["date"].is_sorted()
