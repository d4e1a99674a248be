"""Hold every as-of view, asked as of now, against its mart: row by row, over the last days of each organization of a home.

Works on a home that has been built (`./run demo --no-serve --home DIR` makes one with five platforms), prints one JSON line and ends with
1 where a view differs from its mart.

Use: python -m benchmarks.views HOME [--days 40]
"""

import argparse
import json
import os
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from clickhouse_connect.driver.client import Client

from services.installation import Installation
from warehouse.as_of import FACTS


def main() -> None:
    """Compare them and print the rows, the differences and the seconds of each."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("home", type=Path)
    options.add_argument("--days", type=int, default=40)
    given = options.parse_args()
    with Installation.open(given.home) as installation:
        installation.start_servers()
        with installation.warehouse.client() as client:
            known = client.query("SELECT organization_id, max(date_day) FROM marts.fct_ad_performance_daily GROUP BY 1 ORDER BY 1").result_rows
            found = [compared(client, mart, organization, until - timedelta(days=given.days), until) for organization, until in known for mart in FACTS]
    print(json.dumps({"load": os.getloadavg()[0], "views": found}))
    sys.exit(any(view["differing"] for view in found) or not found)


def compared(client: Client, mart: str, organization: str, since: date, until: date) -> dict[str, object]:
    """Return how many rows a mart has in the window, how many stand on one side only, and the seconds it took."""
    began = time.monotonic()
    now = datetime.now(UTC) + timedelta(days=36500)
    columns = client.query("SELECT name FROM system.columns WHERE database = 'marts' AND table = {mart:String} ORDER BY position", parameters={"mart": mart})
    row = f"toString(tuple({', '.join(f'`{name}`' for (name,) in columns.result_rows)}))"
    view = f"marts.{mart}__as_of(as_of = {{now:String}}, organization_id = {{organization:String}}, since = {{since:String}}, until = {{until:String}})"
    rows, differing = client.query(
        f"""SELECT sum(is_table), countIf(balance != 0) FROM (
            SELECT told, sum(side) AS balance, countIf(side = 1) AS is_table FROM (
                SELECT {row} AS told, 1 AS side FROM marts.{mart}
                WHERE organization_id = {{organization:String}} AND date_day BETWEEN toDate({{since:String}}) AND toDate({{until:String}})
                UNION ALL SELECT {row} AS told, -1 AS side FROM {view}
            ) GROUP BY told
        )""",
        parameters={"now": f"{now:%Y-%m-%d %H:%M:%S}", "organization": organization, "since": since.isoformat(), "until": until.isoformat()},
    ).result_rows[0]
    return {"mart": mart, "rows": int(rows), "differing": int(differing), "seconds": round(time.monotonic() - began, 1)}


if __name__ == "__main__":
    main()
