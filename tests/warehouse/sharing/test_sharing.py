"""SQL for servers and clusters of others: generated, parsed, compared with golden files. None of it has been run."""

from pathlib import Path

import pytest
import sqlglot

from domain.catalogue import Column, ColumnType, Report
from domain.errors import UsageError
from domain.platforms import Level
from warehouse.clustering import clustered
from warehouse.grants import grants
from warehouse.raw import ledger_statements, report_statement

GOLDEN = Path(__file__).parent / "golden"
ADS = Report(
    platform="google_ads",
    name="ad_daily",
    level=Level.AD,
    source="ad",
    columns=(Column("day", ColumnType.DATE, "Date"), Column("spend", ColumnType.DECIMAL, "Spend", nullable=True)),
    key=("day",),
    date_column="day",
    lookback_days=7,
    doc="Ads by day",
)


def test_the_clusters_tables_are_replicated_under_distributed_ones_by_organization() -> None:
    statements = [one for statement in (*ledger_statements(), report_statement(ADS)) for one in clustered(statement, "mrm")]
    assert ";\n".join(statements) + ";\n" == (GOLDEN / "cluster.sql").read_text(encoding="utf-8")
    assert sum("Distributed('mrm', 'raw'" in statement and "cityHash64(" in statement for statement in statements) >= 5
    for statement in statements:
        assert sqlglot.parse_one(statement, read="clickhouse") is not None


def test_an_organizations_reader_sees_its_rows_and_nobodys_tables() -> None:
    tables = [
        ("fct_ad_performance_daily", ("organization_id", "spend")),
        ("dim_fx_rate", ("from_currency", "rate")),
        ("campaign_metrics", ("project_id", "cost")),
    ]
    statements = grants("11111111-2222-3333-4444-555555555555", tables, cluster="mrm")
    assert ";\n".join(statements) + ";\n" == (GOLDEN / "grants.sql").read_text(encoding="utf-8")
    assert not any("campaign_metrics" in statement for statement in statements)


def test_an_id_that_is_none_makes_no_sql() -> None:
    with pytest.raises(UsageError, match="no organization's id"):
        grants("x'; DROP TABLE raw.loads", [])
