"""What store and ledger know of the pipelines, as Prometheus metrics, read anew at each scrape."""

from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from domain.errors import MrmError
from platform_api.dependencies import Dependencies
from services.scheduling import standing_of_everyone
from store.records import Alert

_LABELS = ("organization", "platform", "integration")


class Pipelines(Collector):
    """Integrations, alerts, builds and loads. A database that does not answer shows as mrm_up 0, the other's metrics stay."""

    def __init__(self, given: Dependencies) -> None:
        self._given = given

    def describe(self) -> Iterator[Metric]:
        """Name nothing before a scrape: registering asks no database."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Read both databases."""
        up = GaugeMetricFamily("mrm_up", "Whether a part answered this scrape.", labels=("part",))
        for part, read in (("postgres", self._store), ("clickhouse", self._warehouse)):
            try:
                yield from list(read())
                up.add_metric((part,), 1)
            except MrmError:
                up.add_metric((part,), 0)
        yield up

    def _store(self) -> Iterator[Metric]:
        states, alerts = standing_of_everyone(self._given.store)
        success = GaugeMetricFamily("mrm_integration_last_success_timestamp_seconds", "When the last whole pull ended, by the home's clock.", labels=_LABELS)
        due = GaugeMetricFamily("mrm_integration_next_run_timestamp_seconds", "When the next pull is due; absent: never by itself.", labels=_LABELS)
        failures = GaugeMetricFamily("mrm_integration_failures", "How many pulls failed in a row.", labels=_LABELS)
        for state in states:
            labels = (state.integration.organization_id, state.integration.platform, state.integration.id)
            failures.add_metric(labels, state.schedule.failures)
            for family, moment in ((success, state.schedule.last_success_at), (due, state.schedule.next_run_at)):
                if moment is not None:
                    family.add_metric(labels, moment.timestamp())
        yield from (success, due, failures, _counted(alerts))

    def _warehouse(self) -> Iterator[Metric]:
        found = self._given.last_day()
        loads = GaugeMetricFamily("mrm_loads_last_day", "Loads committed in the last 24 hours.", labels=("platform",))
        rows = GaugeMetricFamily("mrm_rows_last_day", "Rows delivered by those loads.", labels=("platform",))
        for platform in found.loads:
            loads.add_metric((platform,), found.loads[platform])
            rows.add_metric((platform,), found.rows[platform])
        yield from (loads, rows)
        yield GaugeMetricFamily("mrm_data_version", "The published build that answers; 0 before the first.", value=found.build.build_id if found.build else 0)
        if found.build is not None:
            age = (datetime.now(UTC) - found.build.finished_at).total_seconds()
            yield GaugeMetricFamily("mrm_build_age_seconds", "Seconds since that build was published.", value=age)


def _counted(alerts: list[tuple[Alert, str]]) -> Metric:
    family = GaugeMetricFamily("mrm_alerts_standing", "Alerts that have not recovered.", labels=("organization", "kind", "status"))
    keys = [(alert.organization_id, kind, alert.status) for alert, kind in alerts]
    for key in sorted(set(keys)):
        family.add_metric(key, keys.count(key))
    return family
