"""Rows that are not the report's are refused before anything counts."""

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest

from domain.errors import DataQualityError
from warehouse.delivered import checked


def _changed(agency, ad, name, values):
    page = agency.table([ad(0, "a", 1), ad(0, "b", 2)])
    return page.set_column(page.schema.get_field_index(name), name, values)


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("spend", pa.array([1.5, float("nan")]), "spend is double with 1 NaN"),
        ("clicks", pa.array([1.0, 2.0]), "clicks is double"),
        ("clicks", pa.array(["1", "2"]), "clicks is string"),
        ("clicks", pa.array([1, None]), "clicks has 1 nulls"),
        ("clicks", pa.array([1, 2**63], pa.uint64()), "does not fit int64"),
        ("spend", pa.array([Decimal("1.1234567"), Decimal("1")], pa.decimal128(20, 7)), "does not fit decimal128"),
        ("day", pa.array(["2024-03-01"] * 2), "day is string"),
        ("day", pa.array([date(2024, 3, 1), date(2150, 1, 1)]), "outside 1970-01-01..2149-06-06"),
        ("live", pa.array([0, 1]), "live is int64"),
    ],
)
def test_wrong_values_are_refused_by_name(agency, ad, name, values, why):
    with agency.open() as load, pytest.raises(DataQualityError, match="Rows of meta_ads ad_daily were refused") as refused:
        load.write(_changed(agency, ad, name, values))
    assert why in str(refused.value)
    assert agency.current() == []


def test_missing_unknown_and_doubled_columns_are_refused(agency, ad):
    page = agency.table([ad(0, "a", 1)])
    for wrong in (page.drop_columns(["spend"]), page.append_column("extra", pa.array([1])), page.append_column("spend", page.column("spend"))):
        with pytest.raises(DataQualityError, match="the columns differ"):
            checked(wrong, agency.report)


def test_other_types_of_the_same_values_are_taken(agency, ad):
    page = agency.table([ad(0, "a", 1), ad(0, "b", 2)])
    page = page.set_column(1, "ad_id", page.column("ad_id").cast(pa.large_string()))
    page = page.set_column(2, "ad_name", page.column("ad_name").dictionary_encode())
    page = page.set_column(3, "clicks", page.column("clicks").cast(pa.int16()))
    page = page.set_column(4, "spend", pa.array([Decimal("1.5"), Decimal("2.5")], pa.decimal128(9, 2)))
    page = page.select(list(reversed(page.column_names)))
    with agency.open() as load:
        load.write(page)
        load.commit("Total rows: 2")
    assert agency.current() == [ad(0, "a", 1), ad(0, "b", 2)]
