"""What a reader of an answer must know, as data: each warning has a code that programs read and a sentence for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from domain.questions import Caveat, Freshness, Grain, Question
from domain.windows import DateWindow
from warehouse.metrics.windows import cut_periods

Rows = Sequence[Mapping[str, object]]

_FLAGS = {
    "sampled": "The source gave sampled numbers for a part of this window: they are estimates",
    "thresholded": "The source held back small rows of this window (data thresholds): parts may add up to less than the whole",
}
_VAT = "mixed_vat"


@dataclass(frozen=True)
class Profile:
    """What the rows behind one part of an answer are made of."""

    fact: str
    found: int
    days: int
    currencies: tuple[str, ...]
    flags: Mapping[str, Sequence[object]]


@dataclass(frozen=True)
class Circumstances:
    """All that warnings are made from."""

    question: Question
    by: Sequence[str]
    found: Mapping[str, int]
    """How many rows each fact gave; with one entry under '' where they were not told apart."""
    freshness: Sequence[Freshness]
    todays: Sequence[date]
    """The date in every time zone of the scope's accounts."""
    building: bool
    half_built: bool
    named: bool
    """Names or assignments of today stand beside the numbers of then."""
    added_up: bool = False
    """A total, or the row of the rest, stands among the rows."""
    non_additive: Sequence[str] = ()
    unknown: Sequence[str] = ()
    """Those of them that at least one row has no value for."""
    spends: bool = False
    profiles: Sequence[Profile] = ()
    like_for_like: bool = True
    provisional: Mapping[str, int] = field(default_factory=dict)
    """How many days each platform may still restate."""


def warnings(seen: Circumstances) -> list[Caveat]:
    """Return every warning that applies, the most far-reaching first."""
    found = [*_data(seen), *_days(seen), *_money(seen), *_quality(seen), *_state(seen)]
    return [Caveat(code=code, message=message) for code, message in found]


def _data(seen: Circumstances) -> list[tuple[str, str]]:
    question = seen.question
    known = f", as known at {question.as_of:%Y-%m-%d %H:%M} UTC: what was pulled later does not count" if question.as_of else ""
    empty = [fact for fact, rows in seen.found.items() if not rows]
    if not empty:
        return []
    of = f" of {' and '.join(empty)}" if len(seen.found) > 1 else ""
    return [("no_data", f"There are no data{of} for {question.since}..{question.until} in this scope and these filters{known}")]


def _days(seen: Circumstances) -> list[tuple[str, str]]:
    question, today = seen.question, min(seen.todays)
    notes = []
    if question.until >= today:
        notes.append(("incomplete_last_day", f"The window reaches {question.until}, and {today} is not over: its last day is incomplete"))
    for entry in seen.freshness:
        if entry.data_through is not None and entry.data_through < min(question.until, today - timedelta(days=1)):
            notes.append(("data_end_early", f"{entry.platform} is complete only through {entry.data_through}"))
    for entry in seen.freshness:
        first = today - timedelta(days=seen.provisional.get(entry.platform, 0))
        if entry.platform in seen.provisional and question.until >= first:
            notes.append(("provisional_days", f"{entry.platform} may still restate the days from {max(first, question.since)} on"))
    notes += [
        ("partial_period", f"The {question.grain} from {whole.since} to {whole.until} lies only partly in the window")
        for whole in cut_periods(DateWindow(question.since, question.until), question.grain or Grain.DAY)
        if "date" in seen.by
    ]
    if not seen.like_for_like:
        notes.append(("not_like_for_like", "The compared windows have data on different numbers of days: see comparison"))
    return notes


def _money(seen: Circumstances) -> list[tuple[str, str]]:
    if not seen.spends or ("account" in seen.by and not seen.added_up):
        return []
    flags = {flag for profile in seen.profiles for flag in profile.flags.get(_VAT, ())}
    pairs = {(str(flag[0]), bool(flag[1])) for flag in flags if isinstance(flag, tuple)}
    within = {platform for platform, _ in pairs} if "platform" in seen.by and not seen.added_up else {""}
    if any(len({vat for platform, vat in pairs if mixed in ("", platform)}) > 1 for mixed in within):
        return [("mixed_vat", "Costs with and without VAT are added up: ask by account, or set the accounts to one basis")]
    return []


def _quality(seen: Circumstances) -> list[tuple[str, str]]:
    notes = [
        (code, message) for code, message in _FLAGS.items() if any(True in profile.flags.get(code, ()) for profile in seen.profiles)
    ]  # fmt: skip
    if seen.unknown:
        names = ", ".join(seen.unknown)
        notes.append(("non_additive", f"{names} cannot be summed up: empty where more than one row of the source would have to be added"))
    return notes


def _state(seen: Circumstances) -> list[tuple[str, str]]:
    notes = []
    if seen.named:
        notes.append(("names_as_now", "Assignments to projects are today's, and so is a name that no snapshot of then shows; the numbers are as of then"))
    if seen.building:
        notes.append(("building", "A build is running: these numbers may change with it"))
    if seen.half_built:
        notes.append(("half_built", "The last build ended midway: some months may be newer than the data version. Run ./run sync"))
    return notes
