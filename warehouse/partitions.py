"""What a build rewrites piece by piece: a bucket of organizations in a month.

One organization's "sync now" rewrites its bucket's month and leaves everybody else's alone. A partition travels as one number,
bucket × 1,000,000 + YYYYMM; its id in ClickHouse is `bucket-YYYYMM`. dbt's macro `organization_month` says the same.
"""

from collections.abc import Iterable

BUCKETS = 16
"""How many buckets organizations fall into. Changing it calls for a full build, which a changed macro brings anyway."""
BUCKET = f"toUInt8(cityHash64(organization_id) % {BUCKETS})"
"""The bucket of the organization of a row, as SQL."""
_RADIX = 1_000_000


def numbered(month: str) -> str:
    """Return the SQL of a row's partition as one number; `month` is the SQL of its YYYYMM."""
    return f"toUInt32({BUCKET} * {_RADIX} + {month})"


def months(partitions: Iterable[int]) -> list[int]:
    """Return the months (YYYYMM) of partitions, each once and in order."""
    return sorted({partition % _RADIX for partition in partitions})


def partition_ids(partitions: Iterable[int]) -> tuple[str, ...]:
    """Return ClickHouse's ids of partitions, by bucket and month."""
    return tuple(f"{partition // _RADIX}-{partition % _RADIX}" for partition in sorted(partitions))
