"""Which data the marts hold now: what caches and ETags go by."""

import threading
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from warehouse.build_events import attempts_since, last_build
from warehouse.client import Warehouse
from warehouse.failures import translated
from warehouse.planning import ledger_position
from warehouse.raw import create_ledger_tables


@dataclass(frozen=True)
class MartsState:
    """The last published build (0 before the first), the ledger's position, and whether the marts are exactly that build."""

    data_version: int
    position: int
    settled: bool


class MartsStateReader:
    """Reads the state over one connection of its own, made anew after a failure; thread-safe. Asks no metric."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._client: Client | None = None
        self._lock = threading.Lock()
        with translated(), warehouse.client() as client:
            create_ledger_tables(client)

    def read(self) -> MartsState:
        """Return the state now. Raises Unreachable."""
        with self._lock:
            client, self._client = self._client or self._warehouse.client(readonly=True), None
            with translated():
                last = last_build(client)
                state = MartsState(last.build_id if last else 0, ledger_position(client), not attempts_since(client, last))
            self._client = client
            return state

    def close(self) -> None:
        """Release the connection."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None
