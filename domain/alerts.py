"""The vocabulary of alerts: what can be watched, and what a look at it found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class RuleKind(StrEnum):
    """What a rule watches."""

    STALE_SOURCE = "stale_source"
    FAILED_SYNC = "failed_sync"
    FAILED_CHECK = "failed_check"
    SPEND_STOPPED = "spend_stopped"
    ZERO_CONVERSIONS = "zero_conversions"
    PACING = "pacing"
    CPA_JUMP = "cpa_jump"
    MODEL_API_FAILING = "model_api_failing"


class ChannelKind(StrEnum):
    """Where an alert can go."""

    EMAIL = "email"
    SLACK = "slack"
    TELEGRAM = "telegram"
    WEBHOOK = "webhook"


@dataclass(frozen=True)
class Observation:
    """What one look found about one subject: `firing`, or None where the data are too old to say, which changes nothing.

    `subject` is stable over looks; `details` are what the message says, as text.
    """

    subject: str
    firing: bool | None
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """A text for people, in their language; `key` is the same for the same event, so that it is sent once."""

    key: str
    title: str
    text: str
