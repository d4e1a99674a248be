"""The only way to a number: a question and a scope in, proved rows out."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from domain.clock import Clock
from domain.errors import ConfigurationError, MissingRate, MixedCurrencies, UnknownName, UsageError
from domain.platforms import Platform
from domain.questions import Answer, Compared, Question, Scope, Value
from warehouse.client import Warehouse
from warehouse.failures import translated
from warehouse.metrics.catalogue import Catalogue, DimensionInfo, MetricInfo
from warehouse.metrics.compiler import MOST_ROWS, Compiled, Compiler
from warehouse.metrics.freshness import freshness
from warehouse.metrics.shaping import ROW_TYPE
from warehouse.metrics.warnings import Circumstances, Profile, warnings
from warehouse.metrics.windows import periods
from warehouse.pruning import require_kept

MOST_SECONDS = 30
"""How long one question may run."""

_NOTHING_BUILT = ("code: 60,", "code: 81,", "UNKNOWN_TABLE", "UNKNOWN_DATABASE")
_TOO_HEAVY = ("code: 159,", "code: 160,", "code: 241,", "TIMEOUT_EXCEEDED", "TOO_SLOW", "MEMORY_LIMIT_EXCEEDED")


class MetricDoor:
    """Answer questions over one warehouse. Thread-safe: each question opens its own read-only client.

    `clock` is the home's: it says which day is not over yet. `provisional` says how many days each platform may still restate.
    """

    def __init__(self, warehouse: Warehouse, clock: Clock, catalogue: Catalogue | None = None, provisional: Mapping[str, int] | None = None) -> None:
        self._warehouse = warehouse
        self._clock = clock
        self._catalogue = catalogue or Catalogue.load()
        self._provisional = provisional or {}

    def catalogue(self) -> list[MetricInfo]:
        """List the metrics."""
        return list(self._catalogue.metrics.values())

    def dimensions(self) -> list[DimensionInfo]:
        """List the dimensions."""
        return list(self._catalogue.dimensions.values())

    def ask(self, scope: Scope, question: Question) -> Answer:
        """Answer a question inside a scope, which is always applied.

        Counts are int, conversions and money Decimal, ratios float or None on a zero denominator. Without `by` there is exactly
        one row. Raises UnknownName, MixedCurrencies, MissingRate, UsageError for a question too wide, ConfigurationError before the
        first build.
        """
        compiler = Compiler(self._catalogue, scope, question)
        compiled = compiler.answer()
        with _explained(), self._warehouse.client(readonly=True) as client:
            _require_known(client, compiler, scope, question.as_of)
            profiles = self._profiles(client, compiler)
            _refuse_mixed_money(compiler, profiles)
            _refuse_missing_rates(client, compiler)
            before = _state(client)
            rows, summed = _rows(client, compiled)
            after = _state(client)
            fresh = freshness(client, scope, question.as_of or self._clock.now() + timedelta(days=2))
            zones = [str(row["timezone"]) for row in _rows(client, compiler.zones())[0]] or ["UTC"]
        _refuse_too_many(question, rows)
        building = before.building or after.building or before.version != after.version
        comparison = _compared(question, profiles)
        seen = Circumstances(
            question=question,
            by=compiler.by,
            found=_found(profiles) or {"": summed},
            freshness=fresh,
            todays=[self._clock.today(zone) for zone in zones],
            building=building,
            half_built=after.half_built,
            named=question.as_of is not None and bool(question.where or any(self._catalogue.dimension(name).name_table for name in question.by)),
            added_up=any(row.get(ROW_TYPE, "row") != "row" for row in rows),
            unknown=[name for name in compiler.non_additive if any(row[name] is None for row in rows)],
            spends=compiler.spends,
            profiles=profiles,
            like_for_like=comparison is None or comparison.like_for_like,
            provisional={} if question.as_of else self._provisional,
        )
        return Answer(
            columns=list(compiled.columns),
            rows=rows,
            data_version=before.version,
            building=building,
            freshness=fresh,
            warnings=warnings(seen),
            sql=compiled.sql,
            query_hash=_query_hash(compiled),
            comparison=comparison,
            currency=compiler.currency if compiler.involves_money else None,
        )

    def _profiles(self, client: Client, compiler: Compiler) -> list[Profile]:
        """Look at the rows behind an answer where what they are made of matters."""
        if not compiler.needs_profiles:
            return []
        profiles = []
        for fact, compiled in zip(compiler.profiled, compiler.profiles(), strict=True):
            found, days, currencies, *flags = _query(client, compiled)[0]
            profiles.append(Profile(fact.name, int(found), int(days), tuple(sorted(currencies)), dict(zip(fact.flags, flags, strict=True))))
        return profiles


def _require_known(client: Client, compiler: Compiler, scope: Scope, as_of: datetime | None) -> None:
    """Refuse an instant that is no longer kept, and a filter on a platform that is neither one of ours nor an imported channel.

    Channels of other projects are taken, and not offered.
    """
    require_kept(client, as_of)
    named = [value for value in compiler.platforms if value not in tuple(Platform)]
    if not named:
        return
    known = [str(name) for (name,) in _query(client, compiler.channels())]
    offered = dict.fromkeys([*map(str, Platform), *(known if scope.project_ids is None else ())])
    for value in named:
        if value not in known:
            raise UnknownName("platform", value, offered)


def _refuse_too_many(question: Question, rows: Sequence[object]) -> None:
    if question.limit is None and len(rows) > MOST_ROWS:
        raise UsageError(f"The answer has more than {MOST_ROWS} rows", fix="Ask with fewer dimensions, a shorter window or a limit")


def _refuse_mixed_money(compiler: Compiler, profiles: Sequence[Profile]) -> None:
    currencies = {currency for profile in profiles for currency in profile.currencies}
    if compiler.mixes_money and len(currencies) > 1:
        raise MixedCurrencies(currencies)


def _refuse_missing_rates(client: Client, compiler: Compiler) -> None:
    missing = [row for compiled in compiler.missing_rates() for row in _query(client, compiled)]
    if missing:
        raise MissingRate(compiler.currency or "", [(str(currency), since, until) for currency, since, until in missing])


def _found(profiles: Sequence[Profile]) -> dict[str, int]:
    """Count the rows of each fact over all windows."""
    found: dict[str, int] = {}
    for profile in profiles:
        found[profile.fact] = found.get(profile.fact, 0) + profile.found
    return found


def _compared(question: Question, profiles: Sequence[Profile]) -> Compared | None:
    """Say what was compared, and on how many days of either window there are data."""
    if question.compare is None:
        return None
    asked, compared = (period.window for period in periods(question))
    half = len(profiles) // 2
    now, before = (max((profile.days for profile in part), default=0) for part in (profiles[:half], profiles[half:]))
    return Compared(
        baseline=question.compare.baseline,
        since=compared.since,
        until=compared.until,
        days=asked.days,
        compared_days=compared.days,
        days_with_data=now,
        compared_days_with_data=before,
        like_for_like=now == before,
    )


def _query(client: Client, compiled: Compiled) -> Sequence[Sequence[Any]]:
    settings = {"max_execution_time": MOST_SECONDS, **compiled.settings}
    rows: Sequence[Sequence[Any]] = client.query(compiled.sql, parameters=dict(compiled.parameters), settings=settings).result_rows
    return rows


def _rows(client: Client, compiled: Compiled) -> tuple[list[dict[str, Value]], int]:
    """Return the rows, and how many were summed up (where that is not counted, how many rows there are)."""
    found = _query(client, compiled)
    names = [column.name for column in compiled.columns]
    rows = [dict(zip(names, row, strict=not compiled.counted)) for row in found]
    return rows, int(found[0][-1]) if compiled.counted else len(rows)


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
    values = {name: value.isoformat() if isinstance(value, date | datetime | time) else _hashed(value) for name, value in compiled.parameters.items()}
    return hashlib.sha256(json.dumps([compiled.sql, values], sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def _hashed(value: object) -> object:
    return str(value) if isinstance(value, Decimal) else value


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
