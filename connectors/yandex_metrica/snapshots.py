"""A counter and its goals as they stand today, from the Management API's answers."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from connectors.rows import typed
from domain.catalogue import Account, Report


def counter_row(report: Report, account: Account, counter: Mapping[str, Any]) -> pa.Table:
    """Return the one row of a counter; its name, currency and time zone are the account's, where defaults are filled in."""
    known = {c.name: [None if counter.get(c.name) is None else str(counter[c.name])] for c in report.columns}
    known |= {"currency": [account.currency], "time_zone_name": [account.timezone], "name": [account.name]}
    site = counter.get("site") or (counter.get("site2") or {}).get("site")
    return typed(report, account, {**known, "site": [site]}, 1)


def goal_rows(report: Report, account: Account, goals: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return one row for each goal."""
    columns: dict[str, list[Any]] = {
        name: [None if goal.get(name) is None else str(goal[name]) for goal in goals] for name in ("id", "name", "type", "status", "goal_source")
    }
    columns["default_price"] = [None if goal.get("default_price") is None else Decimal(str(goal["default_price"])) for goal in goals]
    return typed(report, account, columns, len(goals))
