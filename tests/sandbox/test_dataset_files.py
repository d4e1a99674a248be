"""Dataset files: what is read exactly, and what is refused by row and column."""

from datetime import date
from decimal import Decimal

import pytest

from domain.errors import DatasetMalformed
from sandbox.dataset.reading import read
from sandbox.dataset.source import DatasetSource
from sandbox.facts import MICRO


def test_every_number_is_read_exactly(write):
    path = write({"spend": "0.1", "conversions": "1.333333", "conversions_value": "123456789012.654321", "impressions": "007"})
    row = read([path])["ads"].row(0, named=True)
    assert (row["impressions"], row["spend"], row["conversions"]) == (7, MICRO // 10, 1_333_333)
    assert Decimal(row["conversions_value"]) / MICRO == Decimal("123456789012.654321")


def test_names_keep_quotes_commas_cyrillic_and_line_breaks(write):
    name = 'Поиск | "Диваны", скидка — 30%\n2-я строка'
    assert read([write({"campaign_name": name})])["ads"]["campaign_name"].to_list() == [name]


def test_a_byte_order_mark_is_no_part_of_the_first_column(write):
    path = write({})
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read([path])["ads"].height == 1


CASES = {
    "a word for a number": ({"impressions": "many"}, 3, "impressions", "whole number"),
    "a fractional count": ({"clicks": "1.5"}, 3, "clicks", "whole number"),
    "a negative count": ({"clicks": "-1"}, 3, "clicks", "negative"),
    "negative money": ({"spend": "-0.01"}, 3, "spend", "negative"),
    "an exponent": ({"spend": "1e3"}, 3, "spend", "plain decimal"),
    "a decimal comma": ({"spend": "1,5"}, 3, "spend", "plain decimal"),
    "a seventh decimal place": ({"spend": "1.0000001"}, 3, "spend", "6 decimal"),
    "an amount beyond Decimal(18, 6)": ({"spend": "1000000000000"}, 3, "spend", "too large"),
    "an empty measure": ({"conversions": ""}, 3, "conversions", "empty"),
    "not a number": ({"conversions": "NaN"}, 3, "conversions", "plain decimal"),
    "a day that does not exist": ({"date": "2026-02-30"}, 3, "date", "date"),
    "another date format": ({"date": "01.11.2026"}, 3, "date", "date"),
    "a bad as_of": ({"as_of": "soon"}, 3, "as_of", "date"),
    "an unknown platform": ({"platform": "bing_ads"}, 3, "platform", "google_ads"),
    "an analytics platform among ads": ({"platform": "ga4"}, 3, "platform", "google_ads"),
    "an unknown currency": ({"currency": "XYZ"}, 3, "currency", "ISO 4217"),
    "a lower-case currency": ({"currency": "usd"}, 3, "currency", "ISO 4217"),
    "an unknown time zone": ({"timezone": "Mars/Olympus"}, 3, "timezone", "IANA"),
    "no account": ({"account_id": ""}, 3, "account_id", "empty"),
    "a Google id that is no number": ({"platform": "google_ads", "campaign_id": "abc"}, 3, "campaign_id", "number"),
    "a Google customer id with dashes": ({"platform": "google_ads", "account_id": "123-456-7890"}, 3, "account_id", "number"),
    "an ad without ad group": ({"ad_group_id": ""}, 3, "ad_id", "without ad_group_id"),
    "an ad group without campaign": ({"campaign_id": "", "ad_id": ""}, 3, "ad_group_id", "without campaign_id"),
    "a second currency": ({"date": "2026-11-02", "currency": "EUR"}, 3, "currency", "one currency"),
    "a second time zone": ({"date": "2026-11-02", "timezone": "Europe/Berlin"}, 3, "timezone", "one timezone"),
    "a doubled key": ({}, 3, "date", "duplicate key"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_malformed_row_is_named_by_row_and_column(write, case):
    change, row, column, why = CASES[case]
    with pytest.raises(DatasetMalformed) as caught:
        read([write({}, change)])
    assert (caught.value.row, caught.value.column) == (row, column)
    assert why in str(caught.value)
    assert caught.value.exit_code == 2


def test_the_first_bad_row_is_the_one_named(write):
    with pytest.raises(DatasetMalformed) as caught:
        read([write({}, {"date": "2026-11-02", "spend": "x"}, {"date": "never"})])
    assert (caught.value.row, caught.value.column) == (3, "spend")


def test_a_missing_column_is_named(write):
    from_header = [c for c in read([write({})])["ads"].columns if c not in ("clicks", "_row")]
    with pytest.raises(DatasetMalformed) as caught:
        read([write({}, header=from_header)])
    assert (caught.value.row, caught.value.column) == (1, "clicks")


def test_an_unknown_column_is_refused_with_the_nearest_name(write):
    with pytest.raises(DatasetMalformed, match="as_of"):
        read([write({"asof": "2026-11-02"})])


def test_a_row_with_too_many_cells_is_named(write):
    path = write({}, {"date": "2026-11-02"})
    path.write_text(path.read_text() + "meta_ads,1,2\n" + path.read_text().splitlines()[1] + ",surplus\n")
    with pytest.raises(DatasetMalformed) as caught:
        read([path])
    assert caught.value.row in (4, 5)


@pytest.mark.parametrize("content", [b"", b"\n", b"what,is,this\n1,2,3\n", "platform,имя\n".encode("cp1251")])
def test_a_file_of_no_known_format_is_refused(tmp_path, content):
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    with pytest.raises(DatasetMalformed):
        read([path])


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DatasetMalformed, match="cannot be read"):
        read([tmp_path / "absent.csv"])


def test_a_key_doubled_over_two_files_is_refused_in_the_second(write):
    first, second = write({}, name="a.csv"), write({}, name="b.csv")
    with pytest.raises(DatasetMalformed) as caught:
        read([first, second])
    assert caught.value.path == second


def test_rows_that_differ_in_an_optional_dimension_are_no_duplicates(write):
    assert read([write({"device": "mobile"}, {"device": "desktop"})])["ads"].height == 2


ANALYTICS = "platform,account_id,account_name,currency,timezone,date,source,medium,campaign,sessions,users,conversions,conversions_value\n"
VISITS = "account_id,visit_id,client_id,date_time,source,medium,campaign,goals,revenue\n"


def test_analytics_and_visits_are_read_beside_ads(tmp_path, write):
    analytics, visits = tmp_path / "analytics.csv", tmp_path / "visits.csv"
    analytics.write_text(ANALYTICS + "ga4,77,Site,EUR,Europe/Berlin,2026-11-01,google,cpc,One,10,9,1.5,20\n")
    visits.write_text(VISITS + "88,1,2,2026-11-01 10:20:30,yandex,cpc,One,101;102,1500.00\n")
    source = DatasetSource([write({}), analytics, visits])
    assert [a.platform.value for a in source.accounts] == ["meta_ads", "ga4", "yandex_metrica"]
    site, counter = source.accounts[1:]
    day = date(2026, 11, 1)
    assert source.analytics(site, day, day)["conversions"].to_list() == [1_500_000]
    assert source.visits(counter, day, day)["revenue"].to_list() == [1_500_000_000]


@pytest.mark.parametrize(
    ("text", "column"),
    [
        (ANALYTICS + "ga4,77,Site,EUR,Europe/Berlin,2026-11-01,google,cpc,One,ten,9,1.5,20\n", "sessions"),
        (ANALYTICS + "meta_ads,77,Site,EUR,Europe/Berlin,2026-11-01,google,cpc,One,10,9,1.5,20\n", "platform"),
        (VISITS + "88,1,2,2026-11-01,yandex,cpc,One,101,1500.00\n", "date_time"),
        (VISITS + "88,1,2,2026-11-01 10:20:30,a,b,c,1,5\n88,1,2,2026-11-01 10:20:30,a,b,c,1,5\n", "visit_id"),
    ],
)
def test_bad_analytics_and_visits_are_named_too(tmp_path, text, column):
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(DatasetMalformed) as caught:
        read([path])
    assert caught.value.column == column


def test_the_newest_name_of_an_account_and_a_campaign_is_the_one_shown(write):
    source = DatasetSource([write({"campaign_name": "Old"}, {"date": "2026-11-02", "campaign_name": "New", "account_name": "Shop 2"})])
    assert source.accounts[0].name == "Shop 2"
    assert source.span(date(2026, 11, 1)) == (date(2026, 11, 1), date(2026, 11, 1))


def test_the_shared_campaign_data_have_their_known_totals(fixtures):
    ads = read([fixtures / "datasets/kag_facebook/kag.dataset.csv"])["ads"]
    assert ads.height == 1143
    assert ads["impressions"].sum() == 213_434_828
    assert ads["spend"].sum() == 58_705_230_000
