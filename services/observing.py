"""What pipelines tell of themselves: JSON lines in the home's logs, and spans where somebody collects them.

Ids (run, integration, account, report, load, request) are context variables: whatever is told inside `about` carries them. Spans
cost nothing while MRM_OTEL_ENDPOINT is unset. Secrets are redacted before a line is written.
"""

import fcntl
import importlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import structlog
from opentelemetry import trace
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.secrets import redact
from domain.errors import ConfigurationError, MrmError
from home.directory import Home

T = TypeVar("T")
FILE = "pipeline.jsonl"
_lock = threading.Lock()


class ObservingSettings(BaseSettings):
    """Where pipelines tell of themselves; each field is the environment variable MRM_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="MRM_", extra="ignore")

    log: str = ""
    """`stderr`: the lines go there too."""
    log_bytes: int = Field(default=20_000_000, ge=1000)
    """The size at which the log is put aside as pipeline.jsonl.1, .2, .3; an older one is dropped."""
    otel_endpoint: str = ""
    """An OTLP/HTTP collector, e.g. http://localhost:4318; empty: no spans."""


class RotatedFile:
    """A file that several processes append lines to and whoever finds it full puts aside."""

    def __init__(self, path: Path, limit: int, kept: int = 3) -> None:
        self._path, self._limit, self._kept = path, limit, kept
        self._lock = threading.Lock()

    def write(self, line: str) -> None:
        """Append one line in one write; what no disk takes is dropped: a log never stops a pull."""
        with self._lock:
            try:
                self._turn()
                descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                try:
                    os.write(descriptor, f"{line}\n".encode())
                finally:
                    os.close(descriptor)
            except OSError:
                return

    def _turn(self) -> None:
        if not self._full():
            return
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._full():
                for number in range(self._kept, 0, -1):
                    older = self._path.with_name(f"{self._path.name}.{number - 1}") if number > 1 else self._path
                    if older.exists():
                        older.replace(self._path.with_name(f"{self._path.name}.{number}"))

    def _full(self) -> bool:
        return self._path.exists() and self._path.stat().st_size >= self._limit


class _Lines:
    """What structlog writes to."""

    def __init__(self, home: Home, settings: ObservingSettings) -> None:
        self._file = RotatedFile(home.directory("logs") / FILE, settings.log_bytes)
        self._stderr = settings.log == "stderr"

    def msg(self, line: str) -> None:
        self._file.write(line)
        if self._stderr:
            sys.stderr.write(f"{line}\n")

    debug = info = warning = error = msg


class Telling:
    """Writes what happens in a home; one for each opened installation."""

    def __init__(self, home: Home, settings: ObservingSettings | None = None) -> None:
        settings = settings or ObservingSettings()
        start_spans(settings)
        processors: list[structlog.typing.Processor] = [
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_secrets,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ]
        self._log = structlog.wrap_logger(_Lines(home, settings), processors=processors, wrapper_class=structlog.make_filtering_bound_logger(20))

    def event(self, name: str, **fields: Any) -> None:  # noqa: ANN401 - fields of any kind that prints
        """Write one line."""
        self._log.info(name, **fields)

    def failure(self, name: str, error: BaseException, **fields: Any) -> None:  # noqa: ANN401
        """Write one line about an error, its code and fix with it."""
        said = {"code": error.code, "fix": error.fix} if isinstance(error, MrmError) else {}
        self._log.error(name, error=str(error), kind=type(error).__name__, **said, **fields)


@contextmanager
def about(name: str, **ids: str) -> Iterator[trace.Span]:
    """Open a span, and let every line and span inside carry the ids; an error marks the span and goes on."""
    tracer = trace.get_tracer("mrm")
    with structlog.contextvars.bound_contextvars(**ids), tracer.start_as_current_span(name, attributes={f"mrm.{k}": v for k, v in ids.items()}) as span:
        yield span


@contextmanager
def of_run(run_id: str) -> Iterator[None]:
    """Let spans inside belong to the run's trace, whatever thread or process they are in: its id is the trace's, the dashes left out."""
    number = int(run_id.replace("-", ""), 16)
    root = trace.SpanContext(number, number & (2**64 - 1), is_remote=True, trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED))
    with trace.use_span(trace.NonRecordingSpan(root)), structlog.contextvars.bound_contextvars(run=run_id):
        yield


def each_under(name: str, items: Iterator[T]) -> Iterator[T]:
    """Yield the items, fetching each under a span of its own."""
    tracer = trace.get_tracer("mrm")
    number = 0
    try:
        while True:
            with tracer.start_as_current_span(name, attributes={"mrm.number": number}) as span:
                try:
                    item = next(items)
                except StopIteration:
                    span.set_attribute("mrm.end", True)
                    return
            yield item
            number += 1
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()


@contextmanager
def under_past(name: str, started: int, **attributes: str) -> Iterator[None]:
    """Let spans inside be children of one that began at an instant before, in epoch nanoseconds, and ends with the block."""
    span = trace.get_tracer("mrm").start_span(name, start_time=started, attributes=attributes)
    with trace.use_span(span, end_on_exit=True):
        yield


def past_span(kind: str, started: int, ended: int, **attributes: str) -> None:
    """Note something that another process did, as a child of the span under way; both instants are epoch nanoseconds."""
    trace.get_tracer("mrm").start_span(kind, start_time=started, attributes=attributes).end(end_time=ended)


def start_spans(settings: ObservingSettings) -> None:
    """Send spans to the collector that the settings name, from now on in this process; a no-op without one, and the second time.

    Raises ConfigurationError where OpenTelemetry's SDK is not installed.
    """
    if not settings.otel_endpoint:
        return
    try:
        sdk, export, exporter, resources = (
            importlib.import_module(f"opentelemetry.{name}")
            for name in ("sdk.trace", "sdk.trace.export", "exporter.otlp.proto.http.trace_exporter", "sdk.resources")
        )
    except ImportError as error:
        fix = "Install opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http, or unset MRM_OTEL_ENDPOINT"
        raise ConfigurationError("MRM_OTEL_ENDPOINT is set, but OpenTelemetry's SDK is not installed", why=str(error), fix=fix) from error
    with _lock:
        if isinstance(trace.get_tracer_provider(), sdk.TracerProvider):
            return
        provider = sdk.TracerProvider(resource=resources.Resource.create({"service.name": "mrm-pipelines"}))
        endpoint = f"{settings.otel_endpoint.rstrip('/')}/v1/traces"
        provider.add_span_processor(export.BatchSpanProcessor(exporter.OTLPSpanExporter(endpoint=endpoint)))
        trace.set_tracer_provider(provider)


def _without_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:  # noqa: ANN401
    return {name: redact(value) if isinstance(value, str) else value for name, value in event.items()}
