"""Rows again from landed bodies, without the network, by the code that reads a live answer."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from connectors.meta_ads.decoding import answers
from connectors.meta_ads.parsing import table
from connectors.rows import drift
from domain.catalogue import Account, Report


def replay(report: Report, account: Account, bodies: Iterable[bytes]) -> Iterator[pa.Table]:
    """Yield the rows of each landed body in the report's schema, in the order of the bodies.

    Raises IncompleteAnswer for a body that is no answer of the Graph API, or whose shape the catalogue no longer fits.
    """
    for body in bodies:
        try:
            found = answers(body)
        except ValueError as error:
            raise drift(report, account, "data", f"does not read as JSON: {error}") from error
        yield table(report, account, found)
