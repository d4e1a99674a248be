"""Write the generated part of docs/connectors/<platform>.md from the catalogue: `python -m connectors.documenting`."""

from importlib import import_module
from pathlib import Path

from pydantic import BaseModel

from connectors.registry import REPORTS
from domain.catalogue import Report

BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"
DIRECTORY = Path(__file__).resolve().parent.parent / "docs" / "connectors"


def generated(platform: str) -> str:
    """Return the generated part: settings, and each report with grain, key, lookback and columns."""
    models = import_module(f"connectors.{platform}.settings")
    prefix = "".join(word.capitalize() for word in platform.split("_"))
    parts = [
        BEGIN,
        "## Credentials and settings",
        _fields("Credential", getattr(models, f"{prefix}Credentials")),
        _fields("Setting", getattr(models, f"{prefix}Settings")),
        "## Reports",
        *(_report(report) for report in REPORTS[platform]),
        END,
    ]
    return "\n\n".join(parts)


def in_step(platform: str) -> bool:
    """Tell whether the page holds what the code says."""
    return generated(platform) in (DIRECTORY / f"{platform}.md").read_text(encoding="utf-8")


def rewrite(platform: str) -> None:
    """Replace the generated part of the page, keeping the words around it."""
    path = DIRECTORY / f"{platform}.md"
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    path.write_text(before + generated(platform) + rest.partition(END)[2], encoding="utf-8")


def _fields(kind: str, model: type[BaseModel]) -> str:
    rows = [f"| {kind} | Default |", "|---|---|"]
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else f"`{field.default}`" if field.default not in (None, "") else "none"
        rows.append(f"| `{name}` | {default} |")
    return "\n".join(rows)


def _report(report: Report) -> str:
    kept = f", kept about {report.retention_days} days" if report.retention_days else ""
    first = f", the first pull covers {report.first_pull_days} days" if report.first_pull_days else ""
    delay = f", up to {report.delay_days} day before today" if report.delay_days else ""
    grain = (
        f"one row per {', '.join(report.key)}; lookback {report.lookback_days} days{delay}{first}{kept}"
        if report.date_column
        else "one row per account, as it stands today"
    )
    rows = ["| Column | Type | NULL | Meaning |", "|---|---|---|---|"]
    rows += [f"| `{c.name}` | {c.type} | {'yes' if c.nullable else 'no'} | {c.doc} |" for c in report.columns]
    return "\n".join([f"### {report.name}", "", f"{report.doc}. Source: `{report.source}`. Table `raw.{report.table}`: {grain}.", "", *rows])


if __name__ == "__main__":
    for name in REPORTS:
        rewrite(name)
