"""The catalogue of exchange rates: one report per bank, one slice per day; a day on which the bank fixes nothing is an empty slice."""

from domain.catalogue import Column, ColumnType, Report
from domain.platforms import Level

LOOKBACK_DAYS = 10
"""Rates are final when they are published; the days looked at again are those on which a bank may still publish late."""

CBR_RATES = Report(
    platform="fx",
    name="cbr_rates",
    level=Level.ACCOUNT,
    source="XML_dynamic.asp",
    columns=(
        Column("date", ColumnType.DATE, "The date that the rate is for"),
        Column("currency_id", ColumnType.STRING, "The bank's own id of the currency, such as R01235"),
        Column("char_code", ColumnType.STRING, "ISO 4217"),
        Column("nominal", ColumnType.INTEGER, "How many units `value` is for"),
        Column("value", ColumnType.DECIMAL, "What they cost in roubles"),
        Column("vunit_rate", ColumnType.STRING, "The bank's rate of one unit, as it prints it", nullable=True),
    ),
    key=("date", "currency_id"),
    date_column="date",
    lookback_days=LOOKBACK_DAYS,
    doc="The Central Bank of Russia's official rates of foreign currencies in roubles",
)
ECB_RATES = Report(
    platform="fx",
    name="ecb_rates",
    level=Level.ACCOUNT,
    source="eurofxref-hist",
    columns=(
        Column("date", ColumnType.DATE, "The date that the rate is for"),
        Column("currency", ColumnType.STRING, "ISO 4217"),
        Column("rate", ColumnType.DECIMAL, "How many units of the currency a euro buys"),
    ),
    key=("date", "currency"),
    date_column="date",
    lookback_days=LOOKBACK_DAYS,
    doc="The European Central Bank's euro reference rates",
)
REPORTS = (CBR_RATES, ECB_RATES)
