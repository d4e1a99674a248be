"""Quality of what the warehouse holds, checked after each build and stored, so that a number can show its badge.

A check looks at one account (or at an organization's report) and answers with a status: ok, warn or fail, in words, with what
was found and what was expected. All checks are SELECTs over raw and marts; the results are appended to `raw.quality_results`.
"""

# ruff: noqa: S608 - the text is made of our own constants, every value is bound

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from clickhouse_connect.driver.client import Client

from warehouse.failures import translated

FRESH_DAYS = 2
"""The service level: an account's data reach at least the day before yesterday, by the home's clock."""
_FEW, _MANY = 0.2, 5.0
_CORE = "match(report, '__(account|campaign|ad)_daily$')"


@dataclass(frozen=True)
class Check:
    """One kind of check: its SELECT gives (organization_id, platform, account_id, status, detail)."""

    name: str
    description: str
    sql: str


@dataclass(frozen=True)
class Finding:
    """What a check said of one account; `detail` is a sentence with figures."""

    check: str
    organization_id: str
    platform: str
    account_id: str
    status: str
    detail: str
    checked_at: datetime


CHECKS: Sequence[Check] = (
    Check(
        "freshness",
        f"Every account's last complete day is at most {FRESH_DAYS} days old.",
        f"""SELECT organization_id, platform, account_id, if(dateDiff('day', reached, {{today:Date}}) > {FRESH_DAYS}, 'warn', 'ok') AS status,
            concat('complete through ', toString(reached)) AS detail
        FROM (
            SELECT organization_id, platform, account_id, min(reached) AS reached FROM (
                SELECT organization_id, platform, account_id, report, max(least(until, account_today - 1)) AS reached FROM raw.loads
                WHERE {_CORE} GROUP BY organization_id, platform, account_id, report
            ) GROUP BY organization_id, platform, account_id
        )""",
    ),
    Check(
        "volume",
        "The last complete day has neither a fifth nor five times the impressions of its weekday's median over eight weeks.",
        f"""SELECT organization_id, platform, account_id,
            if(length(before) < 3 OR usual = 0 OR (latest >= {_FEW} * usual AND latest <= {_MANY} * usual), 'ok', 'warn') AS status,
            concat(toString(latest), ' impressions on ', toString(last_day), ', usually ', toString(round(usual))) AS detail
        FROM (
            SELECT organization_id, platform, account_id, last_day, sumIf(amount, date_day = last_day) AS latest,
                groupArrayIf(amount, date_day < last_day) AS before, arrayReduce('median', before) AS usual
            FROM (
                SELECT f.organization_id AS organization_id, f.platform AS platform, f.account_id AS account_id, date_day, sum(impressions) AS amount
                FROM marts.fct_ad_performance_daily AS f WHERE date_day >= {{today:Date}} - 70 GROUP BY organization_id, platform, account_id, date_day
            ) AS days
            INNER JOIN (
                SELECT organization_id, platform, account_id, max(date_day) AS last_day FROM marts.mart_provisional_days
                WHERE is_complete GROUP BY organization_id, platform, account_id
            ) AS reached USING (organization_id, platform, account_id)
            WHERE date_day > last_day - 57 AND date_day <= last_day AND toDayOfWeek(date_day) = toDayOfWeek(last_day)
            GROUP BY organization_id, platform, account_id, last_day
        )""",
    ),
    Check(
        "levels",
        "No residual row is negative: parts never add up to more than their whole.",
        """SELECT organization_id, platform, account_id, if(bad > 0, 'warn', 'ok') AS status,
            concat(toString(bad), ' negative residual rows in 90 days') AS detail
        FROM (
            SELECT f.organization_id AS organization_id, f.platform AS platform, f.account_id AS account_id,
                countIf(level_of_row != 'ad' AND (impressions < 0 OR clicks < 0 OR spend < 0 OR conversions < 0)) AS bad
            FROM marts.fct_ad_performance_daily AS f WHERE date_day >= {today:Date} - 90 GROUP BY organization_id, platform, account_id
        )""",
    ),
    Check(
        "breakdowns",
        "A breakdown explains at least nine tenths of its campaigns' clicks.",
        """SELECT organization_id, platform, account_id, if(min(share) < 0.9, 'warn', 'ok') AS status,
            concat(argMin(segment, share), ' explains ', toString(round(100 * min(share))), ' % of clicks in 90 days') AS detail
        FROM (
            SELECT f.organization_id AS organization_id, f.platform AS platform, f.account_id AS account_id, f.segment AS segment,
                if(sum(clicks) = 0, 1, sumIf(clicks, NOT is_residual) / sum(clicks)) AS share
            FROM marts.mart_geo_device AS f WHERE date_day >= {today:Date} - 90 GROUP BY organization_id, platform, account_id, segment
        ) GROUP BY organization_id, platform, account_id""",
    ),
    Check(
        "duplicates",
        "No key stands twice in the ad fact.",
        """SELECT organization_id, platform, account_id, if(copies > keys, 'fail', 'ok') AS status,
            concat(toString(copies - keys), ' rows repeat a key') AS detail
        FROM (
            SELECT f.organization_id AS organization_id, f.platform AS platform, f.account_id AS account_id, count() AS copies,
                uniqExact(integration_id, campaign_id, ad_group_id, ad_id, date_day, level_of_row) AS keys
            FROM marts.fct_ad_performance_daily AS f WHERE date_day >= {today:Date} - 90 GROUP BY organization_id, platform, account_id
        )""",
    ),
    Check(
        "impossible",
        "No ad has more clicks than impressions, negative figures, or a day to come.",
        """SELECT organization_id, platform, account_id, if(bad > 0, 'warn', 'ok') AS status, concat(toString(bad), ' impossible rows in 90 days') AS detail
        FROM (
            SELECT f.organization_id AS organization_id, f.platform AS platform, f.account_id AS account_id,
                countIf(level_of_row = 'ad' AND (clicks > impressions OR impressions < 0 OR clicks < 0 OR spend < 0 OR conversions < 0)
                    OR date_day > {today:Date} + 1) AS bad
            FROM marts.fct_ad_performance_daily AS f WHERE date_day >= {today:Date} - 90 GROUP BY organization_id, platform, account_id
        )""",
    ),
    Check(
        "account_changed",
        "An account's currency and time zone never change.",
        """SELECT organization_id, platform, account_id, if(length(currencies) > 1 OR length(zones) > 1, 'fail', 'ok') AS status,
            concat(arrayStringConcat(currencies, ' then '), ', ', arrayStringConcat(zones, ' then ')) AS detail
        FROM (
            SELECT h.organization_id AS organization_id, h.platform AS platform, h.account_id AS account_id,
                arrayCompact(arrayMap(v -> v.2, arraySort(groupArray((valid_from, currency_code))))) AS currencies,
                arrayCompact(arrayMap(v -> v.2, arraySort(groupArray((valid_from, timezone))))) AS zones
            FROM marts.dim_account_history AS h GROUP BY organization_id, platform, account_id
        )""",
    ),
)


def check_quality(client: Client, today: date, now: datetime) -> list[Finding]:
    """Run every check over all organizations and store what they say; `today` and `now` are the home's clock."""
    found: list[Finding] = []
    with translated():
        for check in CHECKS:
            rows = client.query(check.sql, parameters={"today": today}, settings={"join_use_nulls": 1}).result_rows
            found += [Finding(check.name, str(o), str(p), str(a), str(s), str(d), now) for o, p, a, s, d in rows]
        if found:
            columns = ["checked_at", "check", "organization_id", "platform", "account_id", "status", "detail"]
            data = [[f.checked_at, f.check, f.organization_id, f.platform, f.account_id, f.status, f.detail] for f in found]
            client.insert("quality_results", data, column_names=columns, database="raw")
    return found


def latest_quality(client: Client, organization_id: str, accounts: Iterable[tuple[str, str]] | None = None) -> list[Finding]:
    """Return what the last round of checks found of an organization, of some (platform, account) or of all, the worst first.

    An account that has no rows any more is in no round: what was found of it before is over.
    """
    with translated():
        rows = client.query(
            """SELECT check, organization_id, platform, account_id, argMax(r.status, r.checked_at) AS status,
                argMax(r.detail, r.checked_at) AS detail, max(r.checked_at)
            FROM raw.quality_results AS r WHERE organization_id = {organization:String}
                AND r.checked_at = (SELECT max(q.checked_at) FROM raw.quality_results AS q)
            GROUP BY check, organization_id, platform, account_id
            ORDER BY indexOf(['fail', 'warn', 'ok'], status), check, platform, account_id""",
            parameters={"organization": organization_id},
        ).result_rows
    wanted = None if accounts is None else set(accounts)
    return [Finding(*row) for row in rows if wanted is None or (row[2], row[3]) in wanted]
