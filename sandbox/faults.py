"""Faults on order: what goes wrong next, for whom, and how often."""

import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from itertools import count

from domain.errors import UnknownName, UsageError
from domain.platforms import Platform

KINDS = {
    "throttle": "the platform's own quota answer, with a pause of `seconds` in its own shape",
    "server_error": "a passing internal error",
    "stall": "no answer for `seconds`, then the true one",
    "truncated_body": "a complete HTTP answer whose body ends half-way",
    "broken_stream": "the connection dies after `after_rows` rows",
    "expired_token": "the token is refused as expired",
    "lost_account": "the account is no longer open to the token",
    "version_sunset": "the API version is switched off",
    "report_failed": "an asynchronous report fails",
    "report_skipped": "an asynchronous report is skipped",
    "report_slow": "an asynchronous report needs `polls` more polls",
    "report_gone": "an asynchronous report is forgotten after `polls` polls (at least one)",
    "too_large": "the request is refused as too heavy",
    "thresholded": "the report withholds rows of few people, and says so",
    "sampled": "the report is made from a sample, and says so",
    "other_row": "the report folds rare rows into one (other) row, and says so",
}


@dataclass
class Fault:
    """One scripted fault. `times` None means until it is deleted; `skip` lets that many matching requests pass first."""

    platform: str
    kind: str
    times: int | None = 1
    account_id: str = ""
    endpoint: str = ""
    skip: int = 0
    seconds: float = 0
    after_rows: int = 0
    polls: int = 0
    code: int = 0
    id: int = field(default=0)

    def matches(self, platform: str, account_id: str, endpoint: str, kinds: Iterable[str]) -> bool:
        """Tell whether the fault is meant for this request."""
        return (
            self.platform == platform
            and self.kind in kinds
            and (not self.account_id or self.account_id.lower() == account_id.lower())
            and (not self.endpoint or self.endpoint in endpoint)
        )


class Faults:
    """The faults that wait for their request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._ids = count(1)

    def script(self, order: dict[str, object]) -> Fault:
        """Add a fault. Raises UsageError for a malformed order, UnknownName for an unknown kind or platform."""
        known = set(Fault.__dataclass_fields__) - {"id"}
        if unknown := sorted(set(order) - known):
            raise UnknownName("key of a fault", unknown[0], known)
        if order.get("kind") not in KINDS:
            raise UnknownName("kind of fault", str(order.get("kind", "")), KINDS)
        if order.get("platform") not in {p.value for p in Platform}:
            raise UnknownName("platform", str(order.get("platform", "")), {p.value for p in Platform})
        fault = Fault(**order)  # type: ignore[arg-type]
        for name in ("times", "skip", "seconds", "after_rows", "polls", "code"):
            value = getattr(fault, name)
            least = 1 if name == "times" else 0
            if not (name == "times" and value is None) and (isinstance(value, bool) or not isinstance(value, int | float) or value < least):
                raise UsageError(f"The fault's {name} is {value!r}, not a number from {least}", fix="The keys of a fault stand in docs/sandbox.md")
        fault.account_id = str(fault.account_id).removeprefix("act_")
        with self._lock:
            fault.id = next(self._ids)
            self._waiting.append(fault)
        return fault

    def take(self, platform: str, account_id: str, endpoint: str, kinds: Iterable[str]) -> Fault | None:
        """Return the first fault that is due for a request, and use it up once."""
        wanted = tuple(kinds)
        with self._lock:
            for fault in self._waiting:
                if not fault.matches(platform, account_id, endpoint, wanted):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._waiting.remove(fault)
                return fault
        return None

    def waiting(self) -> list[dict[str, object]]:
        """List the faults that have not been used up."""
        with self._lock:
            return [asdict(f) for f in self._waiting]

    def clear(self) -> int:
        """Forget every fault and return how many there were."""
        with self._lock:
            number = len(self._waiting)
            self._waiting.clear()
        return number
