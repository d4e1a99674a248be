"""The slot rule refuses every number, direction, cause and name that the facts do not bear out, in Russian and English."""

from datetime import date
from decimal import Decimal
from itertools import product

import pytest

from analyst.grounding import Ground, problems
from domain.facts import Fact

SINCE, UNTIL = date(2026, 10, 4), date(2026, 10, 31)
BEFORE = date(2026, 9, 6), date(2026, 10, 3)


def fact(name, metric, value, unit, operation="", *, before=False, **filters):
    since, until = BEFORE if before else (SINCE, UNTIL)
    currency = "RUB" if unit == "money" else ""
    filters = {"currency": "RUB", **filters}
    return Fact(
        id=name,
        metric=metric,
        value=None if value is None else Decimal(value),
        unit=unit,
        currency=currency,
        since=since,
        until=until,
        filters=filters,
        operation=operation,
    )


GOOGLE = {"platform": "google_ads"}
SALE = {"platform": "meta_ads", "account": "1", "campaign": "7", "campaign_name": "Sale 2026 -50%"}
FACTS = {
    f.id: f
    for f in (
        fact("f1", "spend", "120", "money"),
        fact("f2", "spend", "100", "money", before=True),
        fact("f3", "spend", "20", "money", "diff"),
        fact("f4", "spend", "0.2", "percent", "ratio"),
        fact("f5", "conversions", "80", "number"),
        fact("f6", "conversions", "-0.2", "percent", "ratio"),
        fact("f7", "cpa", "1.5", "money", "decomposition:lmdi:cpa:cvr"),
        fact("f8", "spend", "15", "money", "decomposition:additive", **GOOGLE),
        fact("f9", "spend", "5", "money", "decomposition:additive", **SALE),
        fact("f10", "ctr", "0.02", "ratio"),
        fact("f11", "roas", None, "ratio"),
        fact("f12", "cpa", "0.5", "percent", "ratio"),
    )
}


def judge(text, language):
    names = {"Sale 2026 -50%"}
    dates = {"October 4, 2026", "4 октября 2026", "2026-10-04"}
    return problems(text, Ground(FACTS, language, names=names, dates=dates, codes=("RUB",), since=SINCE))


GOOD = {
    "en": [
        "Spend rose by {{f4|percent_abs}} to {{f1|money}}.",
        "Spend rose from {{f2|money}} to {{f1|money}}.",
        "Spend was {{f1|money}} against {{f2|money}} in the period before ({{f3|money_signed}}).",
        "Spend rose by {{f4|percent_abs}}, and conversions fell by {{f6|percent_abs}}.",
        "CPA rose by {{f12|percent_abs}} because of the conversion rate: {{f7|money_signed}}.",
        "Of the change in spend, {{f8|name}} made {{f8|money_signed}} and {{f9|name}} made {{f9|money_signed}}.",
        "“Sale 2026 -50%” made {{f9|money_signed}} of it.",
        "The period began on October 4, 2026.",
        "RUB: spend rose by {{f4|percent_abs}}",
        "CTR is {{f10|percent}}.",
    ],
    "ru": [
        "Расход вырос на {{f4|percent_abs}} — до {{f1|money}}.",
        "Расход увеличился с {{f2|money}} до {{f1|money}}.",
        "Расход вырос на {{f4|percent_abs}}, а конверсии снизились на {{f6|percent_abs}}.",
        "Цена конверсии выросла на {{f12|percent_abs}} из-за коэффициента конверсии: {{f7|money_signed}}.",
        "Вклад в расход: Google Ads {{f8|money_signed}}, «Sale 2026 -50%» {{f9|money_signed}}.",
        "Период начался 4 октября 2026.",
    ],
}


@pytest.mark.parametrize(("language", "text"), [(lang, text) for lang, texts in GOOD.items() for text in texts])
def test_texts_that_the_facts_bear_out_pass(language, text):
    assert judge(text, language) == []


NUMBERS = {
    "en": (
        "20%;20;١٢;²;½;Ⅳ;⑤;2O2;twenty;Twenty-Five;half;Twice;doubled;tripled;threefold;a third;two thirds;a quarter;dozens;hundred;three;"
        "1,000;1.5k;2x;ten;one;first;a couple of;both;percent;per cent;20 pp;points;$5;€5;RUB 5;5 RUB;million;bn;zero;t w i c e;t-w-i-c-e;"
        "twen\u00adty;tw\u200bice;hаlf;XX;+5;fiftyfold;a majority;50‰;5/6;twentypercent;zwanzig;𝟓;５;🔟;5️⃣"
    ),
    "ru": (
        "20 %;20;вдвое;втрое;половина;наполовину;треть;четверть;две трети;двадцать;Двадцатью;тридцати пяти;полтора;в два раза;раза;удвоились;"
        "утроились;процентов;сто;тысяча;тыс.;млн;миллион;дюжина;десяток;пара;оба;один;одна;первый;втором;сотни;двести;пятьсот;½;²;Ⅳ;"
        "двукратно;в разы;большинство;рублей;₽;доллар;в д в о е;вд\u00adвое;вд\u200bвое;вдвoе;пятнадцать;семидесяти;сорока;ноль;нулевой;минус пять"
    ),
}
FRAMES = {
    "en": ["Spend rose by {{{{f4|percent_abs}}}}, about {}.", "Roughly {} of spend: {{{{f1|money}}}}.", "{}", "Spend was {{{{f1|money}}}} ({})."],
    "ru": ["Расход вырос на {{{{f4|percent_abs}}}}, то есть {}.", "Примерно {} расхода: {{{{f1|money}}}}.", "{}", "Расход составил {{{{f1|money}}}} ({})."],
}
HIDDEN = [(lang, frame.format(word)) for lang in ("en", "ru") for word, frame in product(NUMBERS[lang].split(";"), FRAMES[lang])]


def test_more_than_two_hundred_texts_with_numbers_outside_slots_are_all_refused():
    passed = [text for language, text in HIDDEN if judge(text, language) == []]
    assert len(HIDDEN) > 200
    assert passed == []


LIES = {
    "en": [
        "Spend fell by {{f4|percent_abs}}.",
        "Spend did not rise by {{f4|percent_abs}}.",
        "Spend hardly rose by {{f4|percent_abs}}.",
        "Spend will rise by {{f4|percent_abs}}.",
        "Spend rose by {{f6|percent_abs}}.",
        "Spend fell from {{f2|money}} to {{f1|money}}.",
        "Conversions rose by {{f4|percent_abs}}.",
        "Conversions rose by {{f6|percent_abs}}.",
        "Spend rose by {{f4|percent_abs}} because of new creatives.",
        "Spend rose by {{f4|percent_abs}}, driven by competitors.",
        "Spend is at a record {{f1|money}}.",
        "Spend is the highest ever.",
        "Spend changed by {{f4|percent_abs}}.",
        "Spend rose.",
        "Spend is {{f2|money}}.",
        "Spend is {{f1|percent}}.",
        "Spend is {{f99|money}}.",
        "ROAS is {{f11|number}}.",
        "Spend is {{f1|loud}}.",
        "Spend is {{f1}}.",
        "Spend is {{f1|money}} million.",
        "Spend is -{{f1|money}}.",
        "Meta Ads spend is {{f1|money}}.",
        "Meta Ads made {{f8|money_signed}} of the spend.",
        "“Summer” made {{f9|money_signed}}.",
        "Sale 2026 -50% made {{f9|money_signed}}.",
        "“Sale 2026” made {{f9|money_signed}}.",
        "The period began on October 5, 2026.",
        "It was so in March.",
        "See https://example.com for spend.",
        "<b>Spend</b> is {{f1|money}}.",
        "[Spend](x) is {{f1|money}}.",
        "Расход is {{f1|money}}.",
        "支出 is {{f1|money}}.",
        "",
        "word " * 400,
        "Google Ads: CPA rose by {{f12|percent_abs}}.",
    ],
    "ru": [
        "Расход снизился на {{f4|percent_abs}}.",
        "Расход не вырос на {{f4|percent_abs}}.",
        "Расход почти вырос на {{f4|percent_abs}}.",
        "Расход вырастет на {{f4|percent_abs}}, если повезёт.",
        "Конверсии выросли на {{f6|percent_abs}}.",
        "Конверсии выросли на {{f4|percent_abs}}.",
        "Расход упал с {{f2|money}} до {{f1|money}}.",
        "Расход вырос на {{f4|percent_abs}} из-за конкурентов.",
        "Расход вырос на {{f4|percent_abs}} благодаря новым объявлениям.",
        "Рекордный расход: {{f1|money}}.",
        "Лучший расход.",
        "Расход вырос.",
        "Расход — {{f2|money}}.",
        "Расход — {{f1|money}} млн.",
        "Расход — минус {{f1|money}}.",
        "Расход Meta Ads — {{f1|money}}.",
        "«Лето»: {{f9|money_signed}}.",
        "Период начался 5 октября 2026.",
        "Так было в марте.",
        "Spend вырос на {{f4|percent_abs}}.",
        "CPA выросла на {{f4|percent_abs}}.",
    ],
}


@pytest.mark.parametrize(("language", "text"), [(lang, text) for lang, texts in LIES.items() for text in texts])
def test_claims_that_the_facts_do_not_bear_out_are_refused(language, text):
    assert judge(text, language) != []


def test_refusals_say_what_to_change():
    assert judge("Spend rose by 20%.", "en") == [
        "digits stand outside slots",
        "'%' stands outside slots",
        "'rose' is not borne out by the sign of a change slot beside it",
    ]
