"""The numbers that the API answers are those that were loaded."""

from datetime import date
from decimal import Decimal


def test_metrics_equal_the_rows_that_were_loaded(admin, agency):
    since, until = date(2026, 3, 1), date(2026, 3, 28)
    answer = admin.metrics(agency.alpha, ("impressions", "clicks", "spend", "conversions"), by=("platform", "currency"), since=since, until=until)
    assert [row["platform"] for row in answer.rows] == ["google_ads", "meta_ads"]
    for row in answer.rows:
        assert row["impressions"] == agency.total("impressions", platform=row["platform"], since=since, until=until)
        assert isinstance(row["spend"], str)
        assert Decimal(row["spend"]) == agency.total("spend", platform=row["platform"], since=since, until=until)
        assert row["conversions"] == agency.total("conversions", platform=row["platform"], since=since, until=until)
