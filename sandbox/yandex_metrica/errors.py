"""Metrica's errors: a list of typed errors, the HTTP status and a sentence."""

from dataclasses import dataclass

from sandbox.web import Answer, json_answer

TOO_COMPLICATED = "Query is too complicated. Please reduce the date interval or sampling."


@dataclass
class MetricaError(Exception):
    """One refusal; `location` names the parameter or place, `retry_after` (seconds) goes into a header."""

    status: int
    error_type: str
    message: str
    location: str = ""
    retry_after: float = 0

    def __post_init__(self) -> None:
        super().__init__(f"{self.status} {self.error_type} {self.message}")

    def answer(self) -> Answer:
        """Return the HTTP answer."""
        error = {"error_type": self.error_type, "message": self.message, **({"location": self.location} if self.location else {})}
        headers = {"Retry-After": str(round(self.retry_after))} if self.retry_after else {}
        return json_answer(self.status, {"errors": [error], "code": self.status, "message": self.message}, headers)


def wrong(location: str, value: object, why: str = "") -> MetricaError:
    """Return the refusal of a parameter's value."""
    return MetricaError(400, "invalid_parameter", f"Wrong parameter: '{location}', value: {value}{f' ({why})' if why else ''}", location)


def missing(location: str) -> MetricaError:
    """Return the refusal of a request that lacks a parameter."""
    return MetricaError(400, "missing_parameter", f"Required parameter is not specified: '{location}'", location)


def unknown_counter(counter_id: str) -> MetricaError:
    """Return the refusal of a counter that is not there, or not open to the token: both answer alike."""
    return MetricaError(403, "access_denied", "Access is denied", f"counter {counter_id}")
