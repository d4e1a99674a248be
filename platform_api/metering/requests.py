"""HTTP requests counted by method, route template and status."""

from prometheus_client import CollectorRegistry, Counter, Histogram

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Requests:
    """The meters of one application, in a registry of their own; ids never become labels."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._count = Counter("mrm_http_requests", "HTTP requests answered.", ("method", "route", "status"), registry=self.registry)
        self._seconds = Histogram("mrm_http_request_seconds", "Seconds until an answer was sent.", ("method", "route"), buckets=BUCKETS, registry=self.registry)

    def seen(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; `route` is the template, `seconds` its duration."""
        known = method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"
        self._count.labels(known, route, str(status)).inc()
        self._seconds.labels(known, route).observe(seconds)
