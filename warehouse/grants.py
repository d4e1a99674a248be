"""SQL for a ClickHouse server that several organizations reach: a read-only user per organization, and row policies over its tables.

The embedded engine has no users, so this is generated, parsed and compared with golden files; it has not been run on a server here.
A restrictive policy per user stands on a permissive one for all. Stored tables alone are granted: a view reads with its reader's
rights, and `raw`, `staging` and `intermediate` are nobody's to read.
"""

import re
from collections.abc import Iterable, Sequence

from domain.errors import UsageError

PROFILE = "mrm_reader"
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ORGANIZATION = re.compile(r"[A-Za-z0-9_-]{1,64}")


def grants(organization_id: str, tables: Iterable[tuple[str, Sequence[str]]], cluster: str = "") -> list[str]:
    """Return the statements that make an organization's reader: profile, user, grants and row policies over the marts.

    `tables` are names in `marts` with their columns: those without a tenant column are granted whole only where they hold nobody's
    data (calendar, rates). Raises UsageError for an id that cannot stand in a name. The password is set by whoever runs them.
    """
    if not _ORGANIZATION.fullmatch(organization_id):
        raise UsageError(f"{organization_id!r} is no organization's id", fix="Give the id that ./run status shows")
    on = f" ON CLUSTER {cluster}" if cluster and _IDENTIFIER.fullmatch(cluster) else ""
    user = f"mrm_{organization_id.replace('-', '_')}"
    statements = [
        f"CREATE SETTINGS PROFILE IF NOT EXISTS {PROFILE}{on} SETTINGS readonly = 1 READONLY, max_execution_time = 30 READONLY,"
        " max_memory_usage = 4000000000 READONLY, max_result_rows = 1000000 READONLY, result_overflow_mode = 'throw' READONLY",
        f"CREATE USER IF NOT EXISTS {user}{on} IDENTIFIED WITH no_password HOST NONE SETTINGS PROFILE '{PROFILE}'",
    ]
    for name, columns in sorted(tables):
        if not _IDENTIFIER.fullmatch(name):
            continue
        tenant = next((column for column in ("organization_id", "source_relation") if column in columns), "")
        if tenant:
            statements.append(f"CREATE ROW POLICY OR REPLACE {user}_{name}{on} ON marts.{name} USING {tenant} = '{organization_id}' AS RESTRICTIVE TO {user}")
            statements.append(f"CREATE ROW POLICY OR REPLACE all_{name}{on} ON marts.{name} USING 1 AS PERMISSIVE TO ALL")
        if tenant or name in SHARED:
            statements.append(f"GRANT{on} SELECT ON marts.{name} TO {user}")
    return statements


SHARED = ("dim_date", "dim_fx_rate")
"""Tables that hold no organization's data."""
