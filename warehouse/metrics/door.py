"""The only way to a number: a question and a scope in, proved rows out."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from domain.clock import Clock
from domain.errors import ConfigurationError, MixedCurrencies, UsageError
from domain.questions import Answer, Caveat, Freshness, Question, Scope, Value
from warehouse.client import Warehouse
from warehouse.failures import translated
from warehouse.metrics.catalogue import Catalogue, DimensionInfo, MetricInfo
from warehouse.metrics.compiler import MOST_ROWS, Compiled, Compiler
from warehouse.metrics.freshness import freshness

MOST_SECONDS = 30
"""How long one question may run."""

_NOTHING_BUILT = ("code: 60,", "code: 81,", "UNKNOWN_TABLE", "UNKNOWN_DATABASE")
_TOO_HEAVY = ("code: 159,", "code: 160,", "code: 241,", "TIMEOUT_EXCEEDED", "TOO_SLOW", "MEMORY_LIMIT_EXCEEDED")


class MetricDoor:
    """Answer questions over one warehouse. Thread-safe: each question opens its own read-only client.

    `clock` is the home's: it says which day is not over yet.
    """

    def __init__(self, warehouse: Warehouse, clock: Clock, catalogue: Catalogue | None = None) -> None:
        self._warehouse = warehouse
        self._clock = clock
        self._catalogue = catalogue or Catalogue.load()

    def catalogue(self) -> list[MetricInfo]:
        """List the metrics."""
        return list(self._catalogue.metrics.values())

    def dimensions(self) -> list[DimensionInfo]:
        """List the dimensions."""
        return list(self._catalogue.dimensions.values())

    def ask(self, scope: Scope, question: Question) -> Answer:
        """Answer a question inside a scope, which is always applied.

        Counts are int, conversions and money Decimal, ratios float or None on a zero denominator. Without `by` there is exactly
        one row. Raises UnknownName, MixedCurrencies, UsageError for a question too wide, ConfigurationError before the first build.
        """
        compiler = Compiler(self._catalogue, scope, question)
        compiled = compiler.answer()
        with _explained(), self._warehouse.client(readonly=True) as client:
            self._refuse_mixed_money(client, compiler)
            before = _state(client)
            rows, summed = _rows(client, compiled)
            after = _state(client)
            fresh = freshness(client, scope, question.as_of or self._clock.now() + timedelta(days=2))
        if question.limit is None and len(rows) > MOST_ROWS:
            raise UsageError(f"The answer has more than {MOST_ROWS} rows", fix="Ask with fewer dimensions, a shorter window or a limit")
        building = before.building or after.building or before.version != after.version
        return Answer(
            columns=list(compiled.columns),
            rows=rows,
            data_version=before.version,
            building=building,
            freshness=fresh,
            warnings=self._warnings(question, summed, fresh, building, after.half_built),
            sql=compiled.sql,
            query_hash=_query_hash(compiled),
        )

    def _refuse_mixed_money(self, client: Client, compiler: Compiler) -> None:
        check = compiler.currencies()
        if check is None:
            return
        currencies = [str(row["currency"]) for row in _rows(client, check)[0]]
        if len(currencies) > 1:
            raise MixedCurrencies(currencies)

    def _warnings(self, question: Question, summed: int, fresh: Sequence[Freshness], building: bool, half_built: bool) -> list[Caveat]:
        warnings = []
        if not summed:
            known = f", as known at {question.as_of:%Y-%m-%d %H:%M} UTC: what was pulled later does not count" if question.as_of else ""
            message = f"There are no data for {question.since}..{question.until} in this scope and these filters{known}"
            warnings.append(Caveat(code="no_data", message=message))
        today = self._clock.today("UTC")
        if question.until >= today:
            warnings.append(
                Caveat(code="incomplete_last_day", message=f"The window reaches {question.until}, and {today} is not over: its last day is incomplete")
            )
        late = [entry for entry in fresh if entry.data_through is not None and entry.data_through < min(question.until, today - timedelta(days=1))]
        for entry in late:
            warnings.append(Caveat(code="data_end_early", message=f"{entry.platform} is complete only through {entry.data_through}"))
        named = [name for name in question.by if self._catalogue.dimension(name).name_table]
        if question.as_of is not None and (named or question.where):
            warnings.append(Caveat(code="names_as_now", message="Names and assignments to projects are today's, only the numbers are as of then"))
        if building:
            warnings.append(Caveat(code="building", message="A build is running: these numbers may change with it"))
        if half_built:
            warnings.append(Caveat(code="half_built", message="The last build ended midway: some months may be newer than the data version. Run ./run sync"))
        return warnings


def _rows(client: Client, compiled: Compiled) -> tuple[list[dict[str, Value]], int]:
    """Return the rows, and how many were summed up (where that is not counted, how many rows there are)."""
    found = client.query(compiled.sql, parameters=dict(compiled.parameters), settings={"max_execution_time": MOST_SECONDS, "join_use_nulls": 1})
    names = [column.name for column in compiled.columns]
    rows = [dict(zip(names, row, strict=not compiled.counted)) for row in found.result_rows]
    return rows, int(found.result_rows[0][-1]) if compiled.counted else len(rows)


@dataclass(frozen=True)
class _State:
    """The last published build, whether another one runs, and whether one ended midway since."""

    version: int
    building: bool
    half_built: bool


def _state(client: Client) -> _State:
    found = client.query(
        """WITH (SELECT max(build_id) FROM marts.builds) AS version, (SELECT build_id FROM raw.pinned_build) AS pinned
        SELECT version, countIf(event = 'pinned' AND build_id > version) > 0,
            pinned > version AND countIf(event = 'failed' AND build_id = pinned) = 0 AND maxIf(expires_at, build_id = pinned) > now64(6, 'UTC')
        FROM raw.build_events"""
    )
    version, begun, running = found.result_rows[0]
    return _State(int(version), bool(running), bool(begun and not running))


def _query_hash(compiled: Compiled) -> str:
    """Hash the SQL with its values: equal hashes ask the same of the data."""
    values = {name: value.isoformat() if isinstance(value, date | datetime | time) else value for name, value in compiled.parameters.items()}
    return hashlib.sha256(json.dumps([compiled.sql, values], sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


@contextmanager
def _explained() -> Iterator[None]:
    """Say what ClickHouse's refusals mean to the one who asks."""
    try:
        with translated():
            yield
    except DatabaseError as error:
        text = str(error)
        if any(sign in text for sign in _TOO_HEAVY):
            raise UsageError("The question takes too long or too much memory", why=text[:200], fix="Ask for a shorter window or fewer dimensions") from error
        if any(sign in text for sign in _NOTHING_BUILT):
            raise ConfigurationError("The marts are not built yet", why=text[:200], fix="Run ./run sync, or ./run demo") from error
        raise
