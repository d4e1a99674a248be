"""A small document with everything in it that a renderer must bear, hostile names included."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.documents import Document, Kpi, Series, Table
from domain.facts import Fact, Finding
from domain.questions import Question, Scope

SINCE, UNTIL = date(2026, 10, 4), date(2026, 10, 31)
HOSTILE = '<script>alert(1)</script>" onload="x'


def facts(name: str) -> list[Fact]:
    before = {"since": date(2026, 9, 6), "until": date(2026, 10, 3)}
    this = {"since": SINCE, "until": UNTIL}
    question = Question(metrics=("spend", "cpa"), by=("currency",), **this)
    asked = {"question": question, "scope": Scope(organization_id="o"), "query_hash": "abc123", "data_version": 7, "row_count": 2}
    campaign = {"currency": "RUB", "platform": "meta_ads", "account": "1", "campaign": "7", "campaign_name": name}
    rubles = {"filters": {"currency": "RUB"}}
    ratio = {"unit": "percent", "operation": "ratio", "inputs": ("f1", "f2"), "data_version": 7}
    return [
        Fact(id="f1", metric="spend", value=Decimal("1234567.891"), unit="money", currency="RUB", **rubles, **this, **asked),
        Fact(id="f2", metric="spend", value=Decimal("1000000"), unit="money", currency="RUB", **rubles, **before, **asked),
        Fact(id="f3", metric="spend", value=Decimal("0.234567891"), **rubles, **this, **ratio),
        Fact(id="f4", metric="cpa", value=None, unit="money", currency="RUB", **rubles, **this, **asked),
        Fact(id="f5", metric="cpa", value=Decimal("0.5"), filters=campaign, **this, **ratio),
    ]


def build(language: str = "en", *, name: str = HOSTILE) -> Document:
    days = [(SINCE + timedelta(days=n)).isoformat() for n in range(28)]
    points = [Decimal(n * 10) for n in range(28)]
    return Document(
        title="Report: Shop & Co",
        client=f"Client {name}",
        language=language,
        since=SINCE,
        until=UNTIL,
        compared_since=date(2026, 9, 6),
        compared_until=date(2026, 10, 3),
        summary="Spend was {{f1|money}} ({{f3|percent_signed}}).",
        kpis=[
            Kpi(metric="spend", label="Spend", fact_id="f1", previous_fact_id="f2", change_fact_id="f3"),
            Kpi(metric="cpa", label="CPA", fact_id="f4", change_fact_id="f5", good_direction="down"),
        ],
        findings=[Finding(kind="campaign_cpa", title="{{f5|name}}: CPA rose by {{f5|percent_abs}}", text="CPA rose by {{f5|percent_abs}}.", fact_ids=("f5",))],
        facts=facts(name),
        tables=[Table(title="Campaigns", columns=["Campaign", "Spend"], rows=[[f"«{name}»", "5"], ["Total", "5"]], numeric=[False, True])],
        series=[
            Series(
                kind="daily",
                currency="RUB",
                labels=days,
                values={"spend": points, "conversions": points, "previous_spend": points, "previous_conversions": points},
            ),
            Series(
                kind="platform", currency="RUB", labels=["meta_ads", name], values={"spend": [Decimal(5), None], "previous_spend": [Decimal(4), Decimal(1)]}
            ),
        ],
        notes=[f"Note {name}"],
        data_version=7,
    )


@pytest.fixture
def document():
    return build
