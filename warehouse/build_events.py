"""What happened to builds: rows of `raw.build_events` and `marts.builds`, both append-only."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from clickhouse_connect.driver.client import Client

from warehouse.slices import number

LEASE = timedelta(minutes=2)
"""How long a build counts as alive after its last event."""


@dataclass(frozen=True)
class Build:
    """A published build; `build_id` is the data version that answers carry. Times are UTC."""

    build_id: int
    position: int
    started_at: datetime
    finished_at: datetime
    models_built: int
    tests_passed: int
    tests_failed: int
    models_checksum: str = ""
    full: bool = False


@dataclass(frozen=True)
class Pin:
    """What a build pinned: the ledger's position, the partitions to rewrite (`warehouse.partitions`), the changed slices within them."""

    position: int = 0
    partitions: list[int] = field(default_factory=list)
    changed_slices: int = 0
    full: bool = False
    models_checksum: str = ""


def note(client: Client, owner: str, build_id: int, event: str, pin: Pin | None = None, why: str = "") -> None:
    """Append an event. `pinned` and `restored` are what the views follow: one row, so they switch at once."""
    pin = pin or Pin()
    client.command(
        """INSERT INTO raw.build_events SELECT (SELECT max(event_id) + 1 FROM raw.build_events), {build_id:UInt64}, {event:String}, now64(6, 'UTC'),
            now64(6, 'UTC') + toIntervalSecond({lease:UInt32}), {owner:String}, {position:UInt64}, {partitions:Array(UInt32)}, {changed:UInt64}, {full:Bool},
            {checksum:String}, {why:String}""",
        parameters={
            "build_id": build_id,
            "event": event,
            "lease": int(LEASE.total_seconds()),
            "owner": owner,
            "position": pin.position,
            "partitions": pin.partitions,
            "changed": pin.changed_slices,
            "full": pin.full,
            "checksum": pin.models_checksum,
            "why": why,
        },
    )


def last_build(client: Client) -> Build | None:
    """Return the last published build, None before the first."""
    rows = client.query(
        """SELECT build_id, position, started_at, finished_at, models_built, tests_passed, tests_failed, models_checksum, is_full
        FROM marts.builds ORDER BY build_id DESC LIMIT 1"""
    ).result_rows
    if not rows:
        return None
    number, position, started, finished, models, passed, failed, checksum, full = rows[0]
    return Build(int(number), int(position), _utc(started), _utc(finished), int(models), int(passed), int(failed), checksum, bool(full))


def _utc(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def next_build_id(client: Client) -> int:
    """Return a number above that of every build that was ever pinned or published."""
    return number(client, "SELECT greatest((SELECT max(build_id) FROM raw.build_events), (SELECT max(build_id) FROM marts.builds)) + 1")


def pinned_build(client: Client) -> int:
    """Return the build whose slices the views show, 0 before the first."""
    return number(client, "SELECT build_id FROM raw.pinned_build")


def attempts_since(client: Client, last: Build | None) -> list[tuple[set[int], bool]]:
    """Return partitions and fullness of every build that was pinned after the last published one: any of them may have changed marts."""
    rows = client.query(
        "SELECT partitions, is_full FROM raw.build_events WHERE event = 'pinned' AND build_id > {last:UInt64}",
        parameters={"last": last.build_id if last else 0},
    ).result_rows
    return [({int(part) for part in parts}, bool(full)) for parts, full in rows]


def unfinished(client: Client) -> tuple[str, bool] | None:
    """Return owner and liveness of the pinned build that was neither published nor failed, if there is one."""
    rows = client.query(
        """SELECT any(owner), max(expires_at) > now64(6, 'UTC') FROM raw.build_events
        WHERE build_id = (SELECT build_id FROM raw.pinned_build) AND build_id > (SELECT max(build_id) FROM marts.builds)
        GROUP BY build_id HAVING countIf(event = 'failed') = 0 AND countIf(event = 'pinned') > 0"""
    ).result_rows
    return (rows[0][0], bool(rows[0][1])) if rows else None
