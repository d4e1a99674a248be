"""Asynchronous report runs: each poll moves a run one step on, 100 % with `Job Running` included."""

import threading
from dataclasses import dataclass, field

from sandbox.accounts import SandboxAccount
from sandbox.faults import Fault
from sandbox.meta_ads.asking import Ask
from sandbox.meta_ads.insights import Answered

STEPS = (("Job Not Started", 0), ("Job Started", 10), ("Job Running", 100))
KEPT = 500
KEPT_ROWS = 3_000_000


@dataclass
class Run:
    """One report run."""

    id: str
    account: SandboxAccount
    ask: Ask
    rows: Answered | None
    """The answer as it stood when the run began; old runs give it up, and it is added up again."""
    started: int
    fault: Fault | None
    polls: int = 0
    finished: int = 0
    outcome: str = field(default="", init=False)

    @property
    def status(self) -> tuple[str, int]:
        """Return async_status and async_percent_completion as they stand."""
        if self.outcome:
            return self.outcome, 100 if self.outcome == "Job Completed" else 0
        step = min(max(self.polls - 1, 0), len(STEPS) - 1)
        return STEPS[step]

    @property
    def gone(self) -> bool:
        """Tell whether a scripted fault has made the run be forgotten."""
        return self.fault is not None and self.fault.kind == "report_gone" and self.polls >= max(1, self.fault.polls)

    @property
    def failure(self) -> dict[str, object]:
        """Return what a failed run says of itself since v25; a scripted fault's `code` takes the place of Meta's passing error."""
        code = self.fault.code if self.fault and self.fault.code else 2
        return {
            "error_code": code,
            "error_subcode": 1487742 if code == 2 else 0,
            "error_message": "The report run failed. Please try again.",
            "error_user_title": "Report failed",
            "error_user_msg": "The report run failed. Please try again.",
        }

    def poll(self, now: int) -> None:
        """Move the run on by one poll."""
        self.polls += 1
        kind = self.fault.kind if self.fault else ""
        slow = self.fault.polls if self.fault and kind == "report_slow" else 0
        if self.outcome or self.polls <= len(STEPS) + slow:
            return
        self.outcome = {"report_failed": "Job Failed", "report_skipped": "Job Skipped"}.get(kind, "Job Completed")
        self.finished = now


class Runs:
    """The report runs of a sandbox, the newest 500 of them."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()

    def add(self, run: Run) -> None:
        """Keep a run."""
        with self._lock:
            self._runs[run.id] = run
            while len(self._runs) > KEPT:
                self._runs.pop(next(iter(self._runs)))
            room = KEPT_ROWS
            for kept in reversed(self._runs.values()):
                room -= 0 if kept.rows is None else kept.rows.height
                if room < 0 and kept is not run:
                    kept.rows = None

    def find(self, run_id: str) -> Run | None:
        """Return a run, None when there is none."""
        with self._lock:
            run = self._runs.get(run_id)
            return None if run is None or run.gone else run
