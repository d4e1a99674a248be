"""Do not wait out a platform that is down, report after report."""

from connectors.patience import NotInTime
from domain.errors import TransientFailure
from services.outcomes import AccountOutcome

OUTAGE = 2
"""How many reports in a row end in transient failures, with nothing committed, until the platform counts as down."""


class CircuitBreaker:
    """Counts the reports of one pull that the platform did not answer; while it is `open`, each is worth one try.

    A committed window closes it. What says nothing of the platform leaves it as it is: nothing was due, a report that was not ready
    in time, an answer that was refused, too large or incomplete.
    """

    def __init__(self) -> None:
        self._failed_in_a_row = 0

    @property
    def open(self) -> bool:
        """Tell whether the platform counts as down."""
        return self._failed_in_a_row >= OUTAGE

    def note(self, outcome: AccountOutcome) -> None:
        """Count how a report ended."""
        if outcome.windows:
            self._failed_in_a_row = 0
        elif isinstance(outcome.error, TransientFailure) and not isinstance(outcome.error, NotInTime):
            self._failed_in_a_row += 1
