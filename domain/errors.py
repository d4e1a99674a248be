"""The one tree of errors. Each says what happened, to which account and source, and what to do next.

MrmError                    exit  HTTP  meaning
├─ UsageError                2    422   the request cannot be carried out as asked
│  ├─ UnknownName            2    422   no such metric, dimension, option; nearest names offered
│  ├─ DatasetMalformed       2    422   a dataset file breaks the format, row and column named
│  ├─ ImportMalformed        2    422   a file of costs breaks its mapping, row and column named
│  ├─ MixedCurrencies        2    422   money over several currencies was asked as one number
│  └─ MissingRate            2    422   money is to be converted, and a rate is not known
├─ ConfigurationError        3    500   the installation or its settings must change
│  ├─ DirectoryTaken         3    503   another process owns the data directory
│  ├─ Unreachable            3    503   a server that we need does not answer
│  └─ DiskFull               3    507   nothing can be written
├─ AuthenticationRequired    4    401   nobody is logged in, or the token is no longer good
├─ AccessDenied              4    403   the person may not do this
├─ TooManyRequests           4    429   asked too often; carries the pause in seconds
├─ NotFound                  2    404   no such thing, or not for this person
├─ Conflict                  2    409   the thing changed meanwhile, or exists already
├─ SourceError               5    502   an ad platform; names platform and account
│  ├─ AuthorizationExpired   4    502   the token was refused: connect again
│  ├─ PermissionDenied       4    502   the account is not open to this token
│  ├─ RateLimited            5    503   quota; carries the server's own pause in seconds
│  ├─ TransientFailure       5    502   worth a retry
│  ├─ RequestRejected        5    502   the platform refuses the request itself: our fault
│  ├─ VersionSunset          5    502   the API version is switched off
│  ├─ ReportTooLarge         5    502   splitting can no longer help
│  └─ IncompleteAnswer       5    502   the answer's own proof of completeness fails
├─ LoadExpired               5    409   the load lost its lease and may not commit
├─ PartialResult             6    207   some accounts failed, the others are complete
└─ DataQualityError          7    500   data contradict the ledger or a check of severity error
"""

from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from pathlib import Path


class MrmError(Exception):
    """An error that a person can act on: `what` happened, `why`, and the `fix`.

    `code` is stable and machine readable; `exit_code` is the process's, `status` the HTTP answer's.
    """

    exit_code = 1
    status = 500

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix

    @property
    def known_as(self) -> type["MrmError"]:
        """The class that people know the error by."""
        return type(self)

    @property
    def code(self) -> str:
        """Name the kind of error in snake case, e.g. `mixed_currencies`."""
        name = self.known_as.__name__
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")

    def __str__(self) -> str:
        return " ".join(part.rstrip(".") + "." for part in (self.what, self.why, self.fix) if part)


class UsageError(MrmError):
    """The request cannot be carried out as asked."""

    exit_code = 2
    status = 422


class UnknownName(UsageError):
    """No such name; the nearest known ones are offered."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        nearest = get_close_matches(name, names, n=3, cutoff=0.4)
        offer = f"Did you mean {', '.join(nearest)}?" if nearest else f"Known: {', '.join(names[:20])}"
        super().__init__(f"There is no {kind} {name!r}", fix=offer)
        self.kind = kind
        self.name = name
        self.nearest = nearest


class DatasetMalformed(UsageError):
    """A dataset file breaks the sandbox's format; `row` counts the header as 1."""

    def __init__(self, path: Path, row: int, column: str, why: str) -> None:
        super().__init__(
            f"{path}: row {row}, column {column!r}: {why}",
            fix="Correct the file; the format stands in docs/sandbox.md",
        )
        self.path = path
        self.row = row
        self.column = column


class ImportMalformed(UsageError):
    """A value of an imported file cannot be used; `row` counts the header as 1. Nothing of the file was kept."""

    def __init__(self, path: Path, row: int, column: str, why: str, fix: str) -> None:
        super().__init__(f"{path}: row {row}, column {column!r}: {why}", fix=f"{fix}; docs/connectors/import.md describes the file and its mapping")
        self.path = path
        self.row = row
        self.column = column


class MixedCurrencies(UsageError):
    """Money over several currencies was asked as one number."""

    def __init__(self, currencies: Iterable[str]) -> None:
        names = ", ".join(sorted(currencies))
        super().__init__(
            f"The window holds money in several currencies ({names}), which do not add up",
            fix="Add the dimension with --by currency, filter one currency, or convert with --currency EUR",
        )


class MissingRate(UsageError):
    """Money is to be converted, and no exchange rate is known for some of its currencies and dates."""

    def __init__(self, target: str, missing: Iterable[tuple[str, date, date]]) -> None:
        gaps = ", ".join(f"{currency} {since}..{until}" for currency, since, until in sorted(missing))
        super().__init__(
            f"There is no exchange rate into {target} for {gaps}",
            why="Rates are the central banks' own, carried over at most two weeks; nothing is guessed",
            fix="Pull the rates with ./run sync, ask for another currency, or add --by currency",
        )


class ConfigurationError(MrmError):
    """The installation or its settings must change."""

    exit_code = 3


class DirectoryTaken(ConfigurationError):
    """Another process owns the data directory."""

    status = 503


class Unreachable(ConfigurationError):
    """A server that we need does not answer."""

    status = 503


SIGNS_OF_A_FULL_DISK = ("database or disk is full", "No space left on device", "NOT_ENOUGH_SPACE")
"""How SQLite, the system and ClickHouse say it."""


class DiskFull(ConfigurationError):
    """Nothing can be written any more."""

    status = 507


def disk_full(text: str) -> DiskFull | None:
    """Return the error of a full disk where a text says so, None for any other text."""
    if not any(sign in text for sign in SIGNS_OF_A_FULL_DISK):
        return None
    return DiskFull("The disk is full", why=text.strip().splitlines()[0], fix="Free some space, then run the same command again: nothing half-written counts")


class AuthenticationRequired(MrmError):
    """Nobody is logged in, or the token is no longer good."""

    exit_code = 4
    status = 401


class AccessDenied(MrmError):
    """The person may not do this."""

    exit_code = 4
    status = 403


class TooManyRequests(MrmError):
    """The person or address asked too often; `retry_after` is the pause in seconds."""

    exit_code = 4
    status = 429

    def __init__(self, what: str, *, retry_after: float, why: str = "", fix: str = "") -> None:
        super().__init__(what, why=why, fix=fix or f"Wait {max(1, round(retry_after))} seconds, then try again")
        self.retry_after = retry_after


class NotFound(MrmError):
    """There is no such thing, or not for this person: both answer alike."""

    exit_code = 2
    status = 404


class Conflict(MrmError):
    """The thing changed meanwhile, or exists already."""

    exit_code = 2
    status = 409


class SourceError(MrmError):
    """An ad platform did not give what was asked; `platform` and `account_id` say where."""

    exit_code = 5
    status = 502

    def __init__(self, what: str, *, platform: str, account_id: str = "", why: str = "", fix: str = "", request_id: str = "") -> None:
        place = f"{platform} account {account_id}" if account_id else platform
        super().__init__(f"{place}: {what}", why=why, fix=fix)
        self.platform = platform
        self.account_id = account_id
        self.request_id = request_id

    @property
    def known_as(self) -> type[MrmError]:
        """The nearest class of this module: connectors refine kinds for themselves."""
        return next(known for known in type(self).__mro__ if known.__module__ == __name__)


class AuthorizationExpired(SourceError):
    """The platform refused the token: connect the integration again. Never retried."""

    exit_code = 4


class PermissionDenied(SourceError):
    """The account is not open to this token. Never retried."""

    exit_code = 4


LONGEST_PAUSE = 7 * 86_400.0
"""Seconds: what a server names beyond a week is no pause."""


class RateLimited(SourceError):
    """A quota is used up; `retry_after` is the server's own pause in seconds, between nothing and a week whatever it names."""

    status = 503

    def __init__(self, what: str, *, platform: str, retry_after: float, account_id: str = "", why: str = "", fix: str = "", request_id: str = "") -> None:
        super().__init__(what, platform=platform, account_id=account_id, why=why, fix=fix, request_id=request_id)
        self.retry_after = min(max(0.0, retry_after), LONGEST_PAUSE)  # in this order NaN is nothing


class TransientFailure(SourceError):
    """The platform failed in a way that passes: worth a bounded retry."""


class RequestRejected(SourceError):
    """The platform refuses the request itself (unknown field, forbidden combination). Never retried."""


class VersionSunset(SourceError):
    """The API version is switched off: raise the `api_version` setting."""


class ReportTooLarge(SourceError):
    """The report is too heavy and splitting can no longer help."""


class IncompleteAnswer(SourceError):
    """The answer's own proof of completeness fails, so nothing of it is committed."""


class LoadExpired(MrmError):
    """The load lost its lease and may not commit; a rerun pulls it again."""

    exit_code = 5
    status = 409


class PartialResult(MrmError):
    """Some accounts failed, the others are complete and committed; `failures` lists the rest."""

    exit_code = 6
    status = 207

    def __init__(self, what: str, failures: Iterable[MrmError]) -> None:
        self.failures = list(failures)
        super().__init__(what, why="; ".join(str(f) for f in self.failures), fix="Mend what is named, then sync again: only the missing part is pulled")


class DataQualityError(MrmError):
    """Data contradict the ledger, or a check of severity error failed."""

    exit_code = 7
