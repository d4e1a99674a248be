"""What the command line shows: progress bars on stderr, the closing screen on stdout."""

import shlex
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from home.directory import Home
from mrm.options import DEFAULT_HOME
from mrm.wording import say

if TYPE_CHECKING:
    from mrm.demo import Result

STAGES = ("start", "pull", "dbt", "reconcile", "report")


class Progress:
    """Bars for the stages of a run; silent where stderr is no terminal or `quiet` is asked."""

    def __init__(self, *, quiet: bool = False, language: str = "en") -> None:
        self._console = Console(stderr=True, quiet=quiet)
        self._bars = Bars(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description:<28}"),
            BarColumn(bar_width=32),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=self._console,
            disable=quiet or not self._console.is_terminal,
        )
        self._language = language
        self._tasks: dict[str, TaskID] = {}

    def report(self, stage: str, done: int, total: int | None = None, note: str = "") -> None:
        """Move a stage's bar; a stage that is new gets a bar of its own, and the ones before it are finished, but those beside it."""
        if stage not in self._tasks:
            self._finish(beside=stage.partition(".")[0] if "." in stage else "")
            self._tasks[stage] = self._bars.add_task(say(f"stage.{stage}", self._language), total=total, note=note)
        self._bars.update(self._tasks[stage], completed=done, total=total, note=note)

    def stage(self, stage: str) -> None:
        """Open a stage whose length is not known."""
        self.report(stage, 0)

    def _finish(self, beside: str = "") -> None:
        """Fill the bars, but those of stages of the kind that runs beside others (`pull.google_ads`, `pull.meta_ads`)."""
        for stage, task in self._tasks.items():
            if not beside or not stage.startswith(f"{beside}."):
                self._bars.update(task, total=1, completed=1)

    def __enter__(self) -> "Progress":
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self._finish()
        self._bars.stop()


def print_result(result: "Result", home: Home, language: str, *, serving: bool) -> None:
    """Print the closing screen of a demo."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(say("done", language, seconds=result.seconds), style="bold green")
    if result.reused:
        console.print(say("reused", language))
    table = Table(box=None, pad_edge=False)
    for name in ("source", "accounts", "rows", "data_through", "reconciled"):
        table.add_column(say(f"column.{name}", language), justify="right" if name in ("accounts", "rows") else "left")
    for source in result.sources:
        differs = {k: v for k, v in source.reconciled.items() if float(v) != 0}
        verdict = say("reconciled.exact", language) if not differs else ", ".join(f"{k} {v}" for k, v in differs.items())
        table.add_row(source.platform, str(source.accounts), f"{source.rows:,}".replace(",", " "), source.data_through or "—", verdict)
    console.print(table)
    console.print(say("models", language, **result.models))
    for report in result.reports:
        console.print(say("report", language, path=report.path, findings=report.findings, version=report.version), markup=False)
    through = max((s.data_through for s in result.sources if s.data_through), default="2026-01-31")
    option = "" if home.path == DEFAULT_HOME.resolve() else f" --home {shlex.quote(str(home.path))}"
    console.print(say("next", language, home=home.path, option=option, since=f"{through[:8]}01", until=through), markup=False)
    if serving:
        console.print(say("serving", language))
