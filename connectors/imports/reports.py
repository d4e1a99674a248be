"""The reports of imported files as data; the platform is a column, because any channel may come."""

from domain.catalogue import Column, ColumnType, Report
from domain.platforms import Level

IMPORTS = "imports"

_S, _I, _D = ColumnType.STRING, ColumnType.INTEGER, ColumnType.DECIMAL

ACCOUNTS = Report(
    platform=IMPORTS,
    name="accounts",
    level=Level.ACCOUNT,
    source="CSV file",
    columns=(
        Column("platform", _S, "The channel, as the command named it"),
        Column("account_id", _S, "The account, as the file or the command named it"),
        Column("account_name", _S, "Its name; the id where the file has none"),
        Column("currency", _S, "ISO 4217 currency of its amounts"),
        Column("timezone", _S, "IANA time zone of its dates"),
    ),
    key=("account_id",),
    date_column="",
    lookback_days=1,
    doc="The accounts of imported files",
)
CAMPAIGN_DAILY = Report(
    platform=IMPORTS,
    name="campaign_daily",
    level=Level.CAMPAIGN,
    source="CSV file",
    columns=(
        Column("date", ColumnType.DATE, "Day in the account's time zone"),
        Column("platform", _S, "The channel, as the command named it"),
        Column("campaign_id", _S, "Campaign id; the name where the file has no ids"),
        Column("campaign_name", _S, "Campaign name; the id where the file has no names"),
        Column("impressions", _I, "Impressions; 0 where the file has none"),
        Column("clicks", _I, "Clicks; 0 where the file has none"),
        Column("spend", _D, "Cost in the account's currency"),
        Column("conversions", _D, "Conversions; 0 where the file has none"),
        Column("conversions_value", _D, "Value of the conversions; 0 where the file has none"),
        Column("currency", _S, "ISO 4217 currency of the amounts"),
        Column("vat_included", ColumnType.BOOLEAN, "Whether the cost includes VAT"),
    ),
    key=("date", "campaign_id"),
    date_column="date",
    lookback_days=1,
    doc="Daily costs of campaigns of any channel, from files",
)
REPORTS = (ACCOUNTS, CAMPAIGN_DAILY)
