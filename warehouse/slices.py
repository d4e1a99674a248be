"""The winner of a slice, as SQL: the committed load with the greatest (observed_at, load_id), as a whole.

Every reader of slices uses the expressions of this module, and all of these one order.
"""

# ruff: noqa: S608 - the text is made of our own constants, every value is bound

from collections.abc import Mapping, Sequence

from clickhouse_connect.driver.client import Client

AS_OF = "{as_of:DateTime64(6, 'UTC')}"
ORGANIZATION = "{organization_id:String}"
NEWEST = "(observed_at, load_id)"
"""The order by which a load wins its slices."""
SINCE = "{since:Date}"
UNTIL = "{until:Date}"
ACCOUNT_WINNERS = f"""SELECT report, date, argMax((rows_load, row_count, content_hash, observed_at), {NEWEST}) AS won
    FROM raw.loads ARRAY JOIN dates AS date, rows_load_id AS rows_load, row_counts AS row_count, hashes AS content_hash
    WHERE organization_id = {{organization_id:String}} AND integration_id = {{integration_id:String}} AND report IN {{reports:Array(String)}}
        AND account_id = {{account_id:String}} AND since <= {{until:Date}} AND until >= {{since:Date}} AND date BETWEEN {{since:Date}} AND {{until:Date}}
    GROUP BY report, date"""
"""The winners of some reports of one account in a window, by the rule of `winners` in one flat pass: every pull asks for them."""


def winners(where: str = "true", dates: str = "true") -> str:
    """Return a SELECT of one row per slice: its keys, date, rows_load, row_count, content_hash, observed_at, winner, account_today.

    `where` filters loads and `dates` the slice's date, named `slice.1`; both are our own SQL with bound parameters.
    `rows_load` holds the rows; `winner` is the load that won, a verification too, and `observed_at` is when it looked.
    """
    return f"""SELECT organization_id, integration_id, report, account_id, platform, snapshot, slice.1 AS date,
        argMax((slice.2, slice.3, slice.4, observed, commit_id, today), (observed, commit_id)) AS won,
        won.1 AS rows_load, won.2 AS row_count, won.3 AS content_hash, won.4 AS observed_at, won.5 AS winner, won.6 AS account_today
    FROM (
        SELECT organization_id, integration_id, report, account_id, platform, snapshot, observed_at AS observed, load_id AS commit_id, account_today AS today,
            arrayJoin(arrayZip(dates, rows_load_id, row_counts, hashes)) AS slice
        FROM raw.loads WHERE {where}
    ) WHERE {dates} GROUP BY organization_id, integration_id, report, account_id, platform, snapshot, date"""


def pinned_rows(table: str, columns: Sequence[str]) -> str:
    """Return a SELECT of exactly the rows of the pinned build in a raw table."""
    return f"""SELECT {_listed(columns)} FROM raw.{table} AS r
    INNER JOIN raw.current_slices AS s
        ON r._organization_id = s.organization_id AND r._integration_id = s.integration_id AND r._account_id = s.account_id
        AND r._date = s.date AND r._load_id = s.load_id
    WHERE s.report = '{table}' AND s.build_id = (SELECT build_id FROM raw.pinned_build)"""


def as_of_rows(table: str, columns: Sequence[str], *, every_date: bool = False, organization: str = ORGANIZATION) -> str:
    """Return a SELECT of the rows that were known at {as_of} for one organization, in a window of dates or on every date.

    `organization` is the SQL of another one where the rows are nobody's, as exchange rates are.

    A verified slice's rows live under an older load id: the winner's `rows_load_id` names it. The rule is that of `winners`, in one
    flat pass: a fact's view holds a dozen of these, and ClickHouse analyses each level of nesting anew.
    """
    dates = "" if every_date else f" AND since <= {UNTIL} AND until >= {SINCE}"
    inside = "" if every_date else f" AND date BETWEEN {SINCE} AND {UNTIL}"
    pruned = "" if every_date else f" AND _date BETWEEN {SINCE} AND {UNTIL}"
    read = ", ".join(f"`{name}`" for name in columns)
    return f"""SELECT {read} FROM raw.{table}
    WHERE _organization_id = {organization}{pruned} AND (_integration_id, _account_id, _date, _load_id) IN (
        SELECT integration_id, account_id, date, (argMax((rows_load, row_count), {NEWEST}) AS won).1
        FROM raw.loads ARRAY JOIN dates AS date, rows_load_id AS rows_load, row_counts AS row_count
        WHERE organization_id = {organization} AND report = '{table}' AND observed_at <= {AS_OF}{dates}{inside}
        GROUP BY integration_id, account_id, date HAVING won.2 > 0)"""


def as_of_slices() -> str:
    """Return a SELECT of the slices that won at {as_of} for one organization, in a window of dates; snapshots of every date."""
    where = f"organization_id = {ORGANIZATION} AND observed_at <= {AS_OF} AND (snapshot OR (since <= {UNTIL} AND until >= {SINCE}))"
    return f"""SELECT report, date, organization_id, integration_id, account_id, rows_load AS load_id, row_count, content_hash, observed_at
    FROM ({winners(where, f"snapshot OR slice.1 BETWEEN {SINCE} AND {UNTIL}")})"""


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f"r.`{name}` AS `{name}`" for name in columns)


def number(client: Client, sql: str, parameters: Mapping[str, object] | None = None) -> int:
    """Return the one whole number that a SELECT gives."""
    rows = client.query(sql, parameters=dict(parameters or {})).result_rows
    return int(rows[0][0])
