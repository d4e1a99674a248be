"""How a pull goes and how it ended, account by account and report by report."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from domain.errors import MrmError
from domain.windows import DateWindow


@dataclass(frozen=True)
class ProgressEvent:
    """How far a pull is: rows so far of the report under way; `done` of `total` reports over all accounts have ended."""

    platform: str
    integration_id: str
    account_id: str
    account_name: str
    report: str
    rows: int
    done: int
    total: int


@dataclass(frozen=True)
class AccountOutcome:
    """How the pull of one report of one account ended; `error` is None when every window was committed."""

    platform: str
    integration_id: str
    account_id: str
    report: str
    rows: int = 0
    dates_changed: int = 0
    dates_verified: int = 0
    windows: tuple[DateWindow, ...] = ()
    """What was committed."""
    bytes: int = 0
    """How many bytes the platform's answers had."""
    dates_restated: int = 0
    """How many of the changed dates had been pulled before."""
    requests: int = 0
    waits: int = 0
    seconds_waited: float = 0.0
    seconds_pulling: float = 0.0
    seconds_committing: float = 0.0
    error: MrmError | None = None
    notes: tuple[str, ...] = ()

    def plus(self, part: "AccountOutcome") -> "AccountOutcome":
        """Add what another load committed."""
        added = {name: getattr(self, name) + getattr(part, name) for name in ADDED}
        return replace(self, **added, windows=(*self.windows, *part.windows), notes=tuple(dict.fromkeys((*self.notes, *part.notes))))


ADDED = ("rows", "bytes", "dates_changed", "dates_restated", "dates_verified", "seconds_pulling", "seconds_committing")
"""What several loads of one report sum up to."""


@dataclass(frozen=True)
class SyncResult:
    """How the pull of an integration ended. With failures the run is partial: what is not named in them is committed."""

    integration_id: str
    platform: str
    accounts: int
    outcomes: tuple[AccountOutcome, ...]
    notes: tuple[str, ...] = ()
    quota: Mapping[str, str] | None = None
    """What the platform said is left, in words; None where it says nothing."""
    seconds_discovering: float = 0.0

    @property
    def rows(self) -> int:
        """Count the rows delivered and committed."""
        return sum(o.rows for o in self.outcomes)

    @property
    def dates_changed(self) -> int:
        """Count the slices whose content changed."""
        return sum(o.dates_changed for o in self.outcomes)

    @property
    def failures(self) -> tuple[MrmError, ...]:
        """List the errors, each once."""
        return tuple(dict.fromkeys(o.error for o in self.outcomes if o.error is not None))
