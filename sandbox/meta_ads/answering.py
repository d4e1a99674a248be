"""Insights at once and as report runs: sums kept between pages, limits, the run's states and its refusals."""

import json
import threading
import time
from collections import OrderedDict

from domain.platforms import Platform
from sandbox.accounts import SandboxAccount
from sandbox.faults import Fault
from sandbox.meta_ads import errors
from sandbox.meta_ads.asking import Ask, Condition, listed, read_ask
from sandbox.meta_ads.errors import invalid
from sandbox.meta_ads.insights import Answered, frame
from sandbox.meta_ads.nodes import Node
from sandbox.meta_ads.paging import bounds, paging
from sandbox.meta_ads.runs import Run, Runs
from sandbox.web import Answer, Request, json_answer
from sandbox.world import World

SYNC_ROWS = 100_000
"""A synchronous insights request that comes to more rows is refused as too heavy."""
KEPT_FRAMES = 8


class Insights:
    """The insights of all accounts."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._runs = Runs()
        self._frames: OrderedDict[str, Answered] = OrderedDict()
        self._lock = threading.Lock()

    def run(self, node_id: str) -> Run | None:
        """Find a report run."""
        return self._runs.find(node_id)

    def edge(self, request: Request, account: SandboxAccount, params: dict[str, str], level: str, conditions: tuple[Condition, ...], endpoint: str) -> Answer:
        """Answer `insights` of an account or of an object below it: the rows, or to a POST the id of a report run."""
        ask = read_ask(params, level, self._world.today(account), conditions)
        if request.method == "POST":
            return self._start(account, ask, endpoint)
        too_large = self._world.fault(Platform.META_ADS, account.account_id, endpoint, ("too_large",))
        rows = self._frame(account, ask)
        if too_large or rows.height > SYNC_ROWS:
            raise errors.too_large()
        return self._page(request, account, rows, params, endpoint)

    def within(self, account: SandboxAccount, level: str, conditions: tuple[Condition, ...], params: dict[str, str]) -> dict[str, object]:
        """Answer an expanded `insights{…}`."""
        rows = self._frame(account, read_ask(params, level, self._world.today(account), conditions))
        _, limit = bounds(params)
        data = json.loads(rows.page(0, limit))
        return {"data": data}

    def _frame(self, account: SandboxAccount, ask: Ask) -> Answered:
        """Add the facts up, or take the sums that an earlier page made."""
        today = self._world.today(account)
        key = repr((account.account_id, ask, self._world.clock.day, today))
        with self._lock:
            known = self._frames.get(key)
        if known is None:
            known = Answered(ask, account, frame(ask, self._world.facts(account), account.timezone), today)
            with self._lock:
                self._frames[key] = known
                while len(self._frames) > KEPT_FRAMES:
                    self._frames.popitem(last=False)
        return known

    def _start(self, account: SandboxAccount, ask: Ask, endpoint: str) -> Answer:
        if self._world.fault(Platform.META_ADS, account.account_id, endpoint, ("too_large",)):
            raise errors.too_large()
        fault = self._world.fault(Platform.META_ADS, account.account_id, endpoint, ("report_failed", "report_skipped", "report_slow", "report_gone"))
        run_id = str(120_990_000_000_000_000 + self._world.number())
        self._runs.add(Run(run_id, account, ask, self._frame(account, ask), int(time.time()), fault))
        return json_answer(200, {"report_run_id": run_id})

    def report(self, request: Request, run: Run, edge: str, params: dict[str, str], endpoint: str) -> Answer:
        """Answer a report run's state, or its rows once it is completed."""
        if edge == "insights":
            if run.status[0] != "Job Completed":
                raise errors.not_ready()
            rows = self._frame(run.account, run.ask) if run.rows is None else run.rows
            return self._page(request, run.account, rows, params, endpoint)
        if edge:
            raise invalid(f"Tried accessing nonexisting field ({edge}) on node type (AdReportRun)")
        run.poll(int(time.time()))
        status, percent = run.status
        node: Node = {
            "id": run.id,
            "account_id": run.account.account_id,
            "time_ref": run.started,
            "time_completed": run.finished,
            "async_status": status,
            "async_percent_completion": percent,
            "is_running": status in ("Job Started", "Job Running"),
            "date_start": run.ask.since.isoformat(),
            "date_stop": run.ask.until.isoformat(),
        }
        if status == "Job Failed":
            node |= run.failure
        wanted = [f for f in listed(params.get("fields", "")) if f]
        return json_answer(200, {k: v for k, v in node.items() if not wanted or k in wanted or k == "id"})

    def _page(self, request: Request, account: SandboxAccount, rows: Answered, params: dict[str, str], endpoint: str) -> Answer:
        start, limit = bounds(params)
        fault = self._world.fault(Platform.META_ADS, account.account_id, endpoint, ("broken_stream", "truncated_body"))
        shown = min(limit, max(rows.height - start, 0))
        tail = ""
        if found := paging(request, params, start, shown, rows.height):
            tail = f',"paging":{json.dumps(found)}'
        if summed := _summed(params, rows.ask):
            tail += f',"summary":{rows.summary(summed)}'
        return _broken(Answer(200, b"".join((b'{"data":', rows.page(start, limit), tail.encode(), b"}"))), fault, shown)


def _summed(params: dict[str, str], ask: Ask) -> tuple[str, ...]:
    """Return the fields of the summary row, none when no summary is asked for. Raises GraphError for one that the report lacks."""
    if params.get("default_summary", "") in ("true", "1"):
        return ask.fields
    wanted = tuple(name.strip() for name in listed(params.get("summary", "")))
    for name in wanted:
        if name not in ask.fields:
            raise invalid(f"Cannot include {name} in summary param because they weren't there while creating the report run.")
    return wanted


def _broken(answer: Answer, fault: Fault | None, rows: int) -> Answer:
    if fault is None:
        return answer
    if fault.kind == "truncated_body":
        answer.body = answer.body[: len(answer.body) // 2]
    else:
        share = min(fault.after_rows / rows, 0.95) if rows and fault.after_rows else 0.5
        answer.cut_after = int(len(answer.body) * share)
    return answer
