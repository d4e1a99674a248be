"""Rows again from landed bodies, without the network, by the code that reads a live answer."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from connectors.ga4.answers import property_row, read_answer
from connectors.ga4.reports import QUERIES
from connectors.ga4.service import parse
from connectors.rows import drift
from domain.catalogue import Account, Report
from domain.errors import TransientFailure


def replay(report: Report, account: Account, bodies: Iterable[bytes]) -> Iterator[pa.Table]:
    """Yield the rows of each landed body in the report's schema, in the order of the bodies.

    Raises IncompleteAnswer for a body that is no answer of GA4, or whose shape the catalogue no longer fits.
    """
    for body in bodies:
        try:
            if report.date_column:
                yield read_answer(body, QUERIES[report.name], report, account).rows
            else:
                yield property_row(report, account, parse(body, account.account_id))
        except TransientFailure as error:
            raise drift(report, account, "rows", f"does not read as an answer of GA4: {error.what}") from error
