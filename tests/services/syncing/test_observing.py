"""What a pull tells of itself: lines with ids and without secrets, figures, and spans from the sync down to commit and model."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry import trace

from assets.models import read_counts, tell_of_build
from services.observing import FILE, ObservingSettings, RotatedFile, Telling, about, of_run

RUN = "6f0c1c1e-0000-4000-8000-00000000abcd"


@pytest.fixture(scope="session")
def spans() -> Any:
    """What the SDK's own exporter in memory was given."""
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def pulled(agency: Any, spans: Any) -> Any:
    """A pull of Yandex.Direct with one quota answer on its way, in a run, told to the home's log."""
    spans.clear()
    account = "agency-one"
    agency.sandbox.fault("yandex_direct", "server_error", account_id=account, times=1)
    with of_run(RUN), about("sync", platform="yandex_direct"), about("integration", integration="yandex_direct-1"):
        result = agency.sync("yandex_direct", tell=Telling(agency.home))
    lines = [json.loads(line) for line in (agency.home.directory("logs") / FILE).read_text().splitlines()]
    return SimpleNamespace(result=result, lines=lines, spans=spans.get_finished_spans(), home=agency.home)


def test_a_pull_counts_requests_waits_restatement_and_tells_the_quota_left(agency: Any, pulled: Any) -> None:
    outcomes = pulled.result.outcomes
    assert pulled.result.failures == ()
    assert sum(o.waits for o in outcomes) >= 1, "the fault was waited out"
    assert all(o.requests >= 1 for o in outcomes)
    assert sum(o.dates_restated for o in outcomes) == 0, "a first pull restates nothing"
    assert all("left today" in words for words in (pulled.result.quota or {}).values())
    assert pulled.result.quota
    from datetime import date

    later = agency.on(date(2026, 3, 12)).sync("yandex_direct")
    daily = {o.account_id: o.dates_restated for o in later.outcomes if o.report == "campaign_daily"}
    assert set(daily.values()) == {2}, "one day was restated to zero, another lost a campaign"


def test_each_line_carries_its_ids_and_no_secret(pulled: Any) -> None:
    committed = [line for line in pulled.lines if line["event"] == "load committed"]
    assert len(committed) == len(pulled.result.outcomes)
    assert all({"run", "integration", "account", "report", "load", "rows", "bytes", "timestamp"} <= set(line) for line in committed)
    assert {line["run"] for line in committed} == {RUN}
    assert sum(line["rows"] for line in committed) == pulled.result.rows
    Telling(pulled.home).failure("refused", ValueError("GET /x?access_token=abcdefghijkl was refused"))
    assert "abcdefghijkl" not in (pulled.home.directory("logs") / FILE).read_text()


def test_spans_lead_from_the_run_over_request_and_commit_to_the_model(pulled: Any, tmp_path: Any, spans: Any) -> None:
    timing = [{"name": "execute", "started_at": "2026-03-10T06:00:00.000000Z", "completed_at": "2026-03-10T06:00:01.500000Z"}]
    (tmp_path / "run_results.json").write_text(json.dumps({"results": [{"unique_id": "model.mrm.fct_x", "status": "success", "timing": timing}]}))
    with of_run(RUN):
        tell_of_build(SimpleNamespace(tell=Telling(pulled.home)), tmp_path, 7, read_counts(tmp_path), 1)
    found = spans.get_finished_spans()
    by_id = {span.context.span_id: span for span in found}
    chain = {(by_id[span.parent.span_id].name if span.parent.span_id in by_id else "run", span.name) for span in found}
    assert {
        ("run", "sync"), ("sync", "integration"), ("integration", "report"), ("report", "load"), ("load", "page"), ("load", "load.commit"),
        ("run", "build"), ("build", "dbt model"),
    } <= chain  # fmt: skip
    assert {f"{span.context.trace_id:032x}" for span in found} == {RUN.replace("-", "")}, "the run's id is the trace's"
    model = next(span for span in found if span.name == "dbt model")
    assert (model.end_time - model.start_time) / 1e9 == 1.5


def test_a_full_log_is_put_aside_and_the_oldest_goes(tmp_path: Any) -> None:
    log = RotatedFile(tmp_path / "x.jsonl", limit=10, kept=2)
    for number in range(4):
        log.write(f"line number {number}")
    assert [(tmp_path / name).read_text().strip()[-1] for name in ("x.jsonl", "x.jsonl.1", "x.jsonl.2")] == ["3", "2", "1"]
    assert not (tmp_path / "x.jsonl.3").exists()


def test_without_a_collector_nothing_is_started(home: Any) -> None:
    before = trace.get_tracer_provider()
    Telling(home, ObservingSettings(otel_endpoint=""))
    assert trace.get_tracer_provider() is before
