"""One request for insights, and the smaller ones that make it up: by dates, then by ids, then by fields."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from connectors.meta_ads.columns import FIELD_GROUPS
from connectors.meta_ads.reports import REACH_MONTHS, SHAPES
from connectors.meta_ads.settings import MetaAdsSettings
from connectors.retention import months_before
from domain.catalogue import Report
from domain.windows import DateWindow

_ID_FIELDS = ("campaign", "adset", "ad")


@dataclass(frozen=True)
class Scope:
    """Objects that a job is about (`without` False) or leaves out, by their ids; `kind` is campaign, adset or ad."""

    kind: str
    ids: tuple[str, ...]
    without: bool = False

    @property
    def filter(self) -> dict[str, Any]:
        """Write the condition as the Graph API takes it."""
        return {"field": f"{self.kind}.id", "operator": "NOT_IN" if self.without else "IN", "value": list(self.ids)}


@dataclass(frozen=True)
class Job:
    """One request for insights. `options` are the attribution's parameters."""

    account_id: str
    level: str
    window: DateWindow
    fields: tuple[str, ...]
    breakdowns: tuple[str, ...] = ()
    action_windows: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    scopes: tuple[Scope, ...] = ()

    @property
    def params(self) -> dict[str, Any]:
        """Write the request's parameters."""
        params: dict[str, Any] = {
            "level": self.level,
            "fields": ",".join(self.fields),
            "time_range": {"since": str(self.window.since), "until": str(self.window.until)},
            "time_increment": 1,
            **dict(self.options),
        }
        if self.breakdowns:
            params["breakdowns"] = list(self.breakdowns)
        if self.action_windows:
            params["action_attribution_windows"] = list(self.action_windows)
        if self.scopes:
            params["filtering"] = [scope.filter for scope in self.scopes]
        return params

    def halves(self) -> tuple["Job", "Job"]:
        """Split the window, the earlier half first."""
        middle = self.window.since + (self.window.until - self.window.since) // 2
        later = middle + timedelta(days=1)
        return replace(self, window=DateWindow(self.window.since, middle)), replace(self, window=DateWindow(later, self.window.until))

    def smaller(self, ids: Callable[["Job", str], tuple[str, ...]]) -> tuple["Job", ...]:
        """Split the job by dates, or a single day by its campaigns, ad sets and ads; nothing when neither is possible.

        `ids` lists the objects of a kind that a job has rows of. The parts are complete by construction, however old that list:
        one is about the first half of the objects, the other about everything else.
        """
        if self.window.days > 1:
            return self.halves()
        for kind in _ID_FIELDS[: _ID_FIELDS.index(self.level) + 1] if self.level in _ID_FIELDS else ():
            found = ids(replace(self, level=kind, fields=(f"{kind}_id",), breakdowns=(), action_windows=()), kind)
            if len(found) > 1:
                half = found[: len(found) // 2]
                return tuple(replace(self, scopes=(*self.scopes, Scope(kind, half, without))) for without in (False, True))
        return ()

    @property
    def groups(self) -> tuple["Job", ...]:
        """Split the metrics into groups; each part has all that tells rows apart."""
        metrics = {f for group in FIELD_GROUPS for f in group}
        dimensions = tuple(f for f in self.fields if f not in metrics)
        parts = (tuple(f for f in group if f in self.fields) for group in FIELD_GROUPS)
        return tuple(replace(self, fields=(*dimensions, *part)) for part in parts if part)


def jobs(account_id: str, report: Report, window: DateWindow, settings: MetaAdsSettings, today: date) -> list[Job]:
    """Return the jobs of a report over a window, newest first; `today` is the account's.

    With breakdowns Meta leaves `reach` out of every answer whose window begins more than 13 months ago: what is older is asked for
    by jobs of its own, without it.
    """
    shape = SHAPES[report.name]
    own = {report.date_column, *shape.breakdowns}
    fields = tuple(c.name for c in report.columns if c.name not in own)
    windows: tuple[str, ...] = ()
    if shape.per_action:
        fields = (*(c.name for c in report.columns[:-4] if c.name not in own), "actions", "action_values")
        windows = settings.windows
    job = Job(account_id, shape.level, window, fields, shape.breakdowns, windows, settings.attribution)
    parts = [window]
    edge = months_before(today, REACH_MONTHS)
    if shape.breakdowns and window.since < edge <= window.until:
        parts = [DateWindow(edge, window.until), DateWindow(window.since, edge - timedelta(days=1))]
    days = window.days if shape.level == "account" else settings.window_days
    found = [replace(job, window=chunk) for part in parts for chunk in part.chunks(days)]
    without_reach = tuple(f for f in fields if f != "reach")
    return [replace(one, fields=without_reach) if shape.breakdowns and one.window.since < edge else one for one in found]
