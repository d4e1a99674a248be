"""Rows again from landed bodies, without the network, by the code that reads a live answer."""

from collections.abc import Iterable, Iterator
from importlib import import_module

import pyarrow as pa
from google.protobuf.message import DecodeError

from connectors.google_ads.rows import messages_of, table
from connectors.google_ads.settings import SHIPPED_VERSIONS
from connectors.rows import drift
from domain.catalogue import Account, Report


def replay(report: Report, account: Account, bodies: Iterable[bytes]) -> Iterator[pa.Table]:
    """Yield the rows of each landed body in the report's schema, in the order of the bodies.

    A field that was not asked for when the body landed is NULL where it may be. Raises IncompleteAnswer for a body that is no answer
    of Google Ads, or whose shape the catalogue no longer fits.
    """
    version = SHIPPED_VERSIONS[-1]
    stream = import_module(f"google.ads.googleads.{version}.services.types.google_ads_service").SearchGoogleAdsStreamResponse
    parse = stream.pb().FromString
    for body in bodies:
        try:
            parts = [table(message.results, message.field_mask.paths, report, account) for message in messages_of(body, parse)]
        except (ValueError, DecodeError) as error:
            raise drift(report, account, "results", f"does not read as a message of {version}: {error}") from error
        yield pa.concat_tables(parts) if parts else report.schema.empty_table()
