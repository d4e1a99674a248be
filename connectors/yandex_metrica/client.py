"""The Yandex Metrica connector: counters, goals, daily traffic, visits and hits."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from connectors.discovery import Discovery, summary
from connectors.patience import Patience
from connectors.yandex_metrica.currencies import currency_code
from connectors.yandex_metrica.errors import broken
from connectors.yandex_metrica.logs import Logs
from connectors.yandex_metrica.reports import REPORTS
from connectors.yandex_metrica.service import Service
from connectors.yandex_metrica.settings import YandexMetricaCredentials, YandexMetricaSettings, listed
from connectors.yandex_metrica.snapshots import counter_row, goal_rows
from connectors.yandex_metrica.stat import Stat
from domain.catalogue import Account, CheckResult, Page, Report
from domain.clock import Clock
from domain.errors import IncompleteAnswer, MrmError, PermissionDenied
from domain.platforms import Platform
from domain.windows import DateWindow

COUNTERS = "/management/v1/counters"
PER_PAGE = 1_000
_GIGABYTE = 1024**3


class YandexMetrica:
    """Yandex Metrica behind one token. Numbers leave here as Metrica printed them, with the flags of their answer beside them."""

    platform = str(Platform.YANDEX_METRICA)

    def __init__(
        self,
        credentials: YandexMetricaCredentials,
        settings: YandexMetricaSettings,
        clock: Clock,
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        patience = patience or Patience(budget=settings.wait_budget_seconds, job_budget=settings.job_budget_seconds)
        self._service = Service(credentials, settings, patience, transport)
        self._stat, self._logs = Stat(self._service, settings), Logs(self._service, settings)
        self._goals: dict[str, list[str]] = {}
        left_out = {name for name, wanted in (("visits", settings.visits), ("hits", settings.hits)) if not wanted}
        self._reports = {r.name: r for r in REPORTS if r.name not in left_out}

    @property
    def reports(self) -> Mapping[str, Report]:
        """Return the catalogue by report name, without the logs that the settings leave out."""
        return self._reports

    def accounts(self) -> list[Account]:
        """List the counters that the token reads."""
        return self.discover().accounts

    def discover(self) -> Discovery:
        """List the counters and say in words which were left out and why."""
        found = Discovery()
        wanted = set(listed(self._settings.counter_ids))
        for row in self._counters():
            counter_id = str(row["id"])
            if wanted and counter_id not in wanted:
                continue
            if str(row.get("status", "Active")) != "Active":
                found.left_out[counter_id] = "it is deleted"
                continue
            try:
                currency = self._currency(row)
            except PermissionDenied as error:
                found.left_out[counter_id] = error.why or error.what
                found.refused.add(counter_id)
                continue
            if not currency:
                found.left_out[counter_id] = "its currency is not told: set the integration's setting currency"
            else:
                zone = str(row.get("time_zone_name") or "Europe/Moscow")
                found.accounts.append(Account(self.platform, counter_id, str(row.get("name") or counter_id), currency, zone))
        for missing in sorted(wanted - {a.account_id for a in found.accounts} - set(found.left_out)):
            found.left_out[missing] = "the token does not show it"
        found.accounts.sort(key=lambda a: a.account_id)
        return found

    def pages(self, account: Account, report: Report, window: DateWindow) -> Iterator[Page]:
        """Yield the report's rows; `window` is inclusive, in the counter's time zone. The last page carries the proof of completeness."""
        if report.name == "accounts":
            yield self._snapshot(account, report)
        elif report.name == "goals":
            yield self._goal_list(account, report)
        elif report.name in ("visits", "hits"):
            yield from self._logs.pages(account, report, window)
        else:
            yield from self._stat.pages(account, report, window, self._chosen_goals(account))

    def check(self) -> CheckResult:
        """Say in words what the credential can do. Does not raise for a refused token."""
        try:
            found = self.discover()
            facts = {"logs take": f"{self._logs.held(found.accounts[0]) / _GIGABYTE:.2f} of 10 GB"} if found.accounts else {}
        except MrmError as error:
            scopes = ("metrika:read",) if "403" in error.why or "401" in error.why else ()
            return CheckResult(works=False, message=str(error), missing_scopes=scopes)
        message = summary(found, "Yandex Metrica", "counters" if len(found.accounts) != 1 else "counter", facts)
        return CheckResult(works=bool(found.accounts), message=message, accounts=tuple(found.accounts), quota=facts)

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def _counters(self) -> Iterator[dict[str, Any]]:
        """Yield every counter; Metrica counts them from 1 and says how many there are."""
        offset, rows = 1, None
        while rows is None or offset <= rows:
            answer, _ = self._service.get(COUNTERS, {"per_page": str(PER_PAGE), "offset": str(offset), "sort": "None"})
            counters, rows = answer.get("counters") or [], int(answer.get("rows") or 0)
            if not counters and offset <= rows:
                raise IncompleteAnswer(
                    f"Metrica counts {rows} counters, {offset - 1} arrived", platform=self.platform, fix="Sync again; the list changed meanwhile"
                )
            yield from counters
            offset += len(counters)

    def _currency(self, row: Mapping[str, Any]) -> str:
        return self._settings.currency or currency_code(row.get("currency")) or currency_code(self._counter(str(row["id"]))[0].get("currency"))

    def _counter(self, counter_id: str) -> tuple[dict[str, Any], bytes]:
        answer, body = self._service.get(f"/management/v1/counter/{counter_id}", {}, counter_id)
        counter = answer.get("counter")
        if not isinstance(counter, dict):
            raise broken("the answer has no counter", counter_id)
        return counter, body

    def _snapshot(self, account: Account, report: Report) -> Page:
        counter, body = self._counter(account.account_id)
        return Page(counter_row(report, account, counter), body, "application/json", "one counter for one id")

    def _goal_list(self, account: Account, report: Report) -> Page:
        goals, body = self._read_goals(account)
        return Page(goal_rows(report, account, goals), body, "application/json", f"{len(goals)} goals in one answer")

    def _read_goals(self, account: Account) -> tuple[list[dict[str, Any]], bytes]:
        answer, body = self._service.get(f"/management/v1/counter/{account.account_id}/goals", {}, account.account_id, exact=True)
        goals = answer.get("goals")
        if not isinstance(goals, list):
            raise broken("the answer has no goals", account.account_id)
        return goals, body

    def _chosen_goals(self, account: Account) -> list[str]:
        """List the goals that count: those of the settings, else every active one. Asked once for a counter and connector."""
        if chosen := listed(self._settings.goals):
            return chosen
        if account.account_id not in self._goals:
            goals, _ = self._read_goals(account)
            self._goals[account.account_id] = [str(g["id"]) for g in goals if str(g.get("status", "Active")) == "Active"]
        return self._goals[account.account_id]
