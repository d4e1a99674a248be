"""Words and numbers in both languages."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from string import Formatter

import pytest

from dashboards.language import LANGUAGES, NOTHING, Language, catalogue, preferred
from dashboards.messages import plain
from domain.errors import NotFound, PartialResult, UnknownName

RU, EN = Language("ru"), Language("en")


def _fields(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_catalogues_say_the_same_things():
    assert set(catalogue("ru")) == set(catalogue("en"))
    for key, text in catalogue("ru").items():
        assert _fields(text) == _fields(catalogue("en")[key]), key
        assert text
        assert catalogue("en")[key]


def test_every_key_that_a_screen_says_is_known_and_none_is_idle(repository):
    sources = "\n".join(path.read_text() for path in (repository / "dashboards").rglob("*.py"))
    said = set(re.findall(r"""(?:say|nothing)\((?:language, )?f?["']([a-z0-9_.{}]+)["']""", sources)) | set(re.findall(r'key = f"([a-z.{}_]+)"', sources))
    said = {key for key in said if not key.startswith("{")}
    patterns = [re.compile(re.sub(r"\\\{.*?\\\}", "[a-z0-9_]+", re.escape(key))) for key in said]
    known = set(catalogue("en"))
    for key, pattern in zip(said, patterns, strict=True):
        assert any(pattern.fullmatch(name) for name in known), f"{key} is said and not known"
    idle = {name for name in known if not any(pattern.fullmatch(name.removesuffix(".fix")) for pattern in patterns) and not name.startswith("error.")}
    assert idle == set()


def test_russian_has_no_english_words():
    for key, text in catalogue("ru").items():
        if key not in ("language.en",):
            words = set(re.findall(r"[A-Za-z]{3,}", re.sub(r"\{.*?\}|\./run \w+|POST \S+", "", text)))
            assert words <= {"MRM", "HTML", "JSON", "API"}, key


@pytest.mark.parametrize(
    ("language", "value", "unit", "currency", "written"),
    [
        (RU, "1234567.8", "money", "RUB", "1\u00a0234\u00a0567,80\u00a0₽"),
        (EN, "1234567.8", "money", "USD", "$1,234,567.80"),
        (EN, "1234567.8", "money", "RUB", "RUB\u00a01,234,567.80"),
        (RU, 0.000178813, "percent", "", "0,0179\u00a0%"),
        (EN, 0.0198, "percent", "", "1.98%"),
        (RU, 213434828, "count", "", "213\u00a0434\u00a0828"),
        (EN, Decimal("2.5"), "number", "", "2.5"),
        (RU, 2.3156, "ratio", "", "2,32"),
        (RU, None, "money", "RUB", NOTHING),
        (EN, "", "count", "", NOTHING),
    ],
)
def test_numbers_are_written_exactly(language, value, unit, currency, written):
    assert language.number(value, unit, currency) == written


def test_changes_carry_their_sign_and_nothing_is_no_change():
    assert RU.change(0.1777) == "+17,8\u00a0%"
    assert EN.change(-0.0412) == "-4.1%"
    assert EN.change(0.0001) == 0
    assert EN.change(None) is None


def test_dates_are_written_in_the_language():
    assert RU.day(date(2026, 3, 5)) == "5 мар. 2026"
    assert EN.days(date(2026, 3, 5), date(2026, 3, 6)) == "Mar 5, 2026 – Mar 6, 2026"
    assert EN.days(date(2026, 3, 5), date(2026, 3, 5)) == "Mar 5, 2026"
    assert RU.moment(datetime(2026, 3, 5, 9, 18, tzinfo=UTC)) == "05.03.2026, 09:18 UTC"


def test_known_errors_are_told_in_the_readers_words_and_others_in_the_platforms():
    assert RU.error(NotFound("There is no such project"))[0] == "Этого нет, или оно не ваше."
    assert EN.error(PartialResult("Two accounts failed", [])) == ("Two accounts failed", "Mend what is named, then sync again: only the missing part is pulled")


def test_a_warning_is_told_once_for_all_platforms_in_the_readers_words_and_an_unknown_one_as_it_came():
    told = [RU.caveat("provisional_days", f"{platform} may still restate the days from 2026-10-28 on") for platform in ("google_ads", "meta_ads")]
    assert set(told) == {"Площадки ещё могут пересчитать последние дни периода."}
    assert RU.caveat("brand_new", "As it came") == "As it came"


def test_a_language_is_chosen_from_the_browsers():
    assert [preferred(locale) for locale in ("ru-RU", "en", "de-DE", None)] == ["ru", "en", "en", "en"]
    with pytest.raises(UnknownName):
        catalogue("de")
    assert LANGUAGES == ("ru", "en")


def test_outsiders_text_is_drawn_as_it_is():
    assert plain("**[x](http://e.example)** $5 :red[a] <b>") == r"\*\*\[x\]\(http\://e\.example\)\*\* \$5 \:red\[a\] \<b\>"
