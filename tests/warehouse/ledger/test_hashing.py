"""The content hash tells content and nothing else."""

import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.catalogue import Column, ColumnType, Report
from domain.platforms import Level
from warehouse.hashing import EMPTY_HASH, SliceHasher

REPORT = Report(
    "meta_ads",
    "ad_daily",
    Level.AD,
    "insights",
    (
        Column("day", ColumnType.DATE, ""),
        Column("ad", ColumnType.STRING, "", nullable=True),
        Column("clicks", ColumnType.INTEGER, "", nullable=True),
        Column("spend", ColumnType.DECIMAL, "", nullable=True),
        Column("live", ColumnType.BOOLEAN, "", nullable=True),
        Column("note", ColumnType.STRING, "", nullable=True),
    ),
    ("day", "ad"),
    "day",
    7,
    "",
)
DAY = date(2024, 2, 28)
GOLDEN = [
    (DAY, "Объявление «Ёлка» № 1", -5, Decimal("-12.345678"), True, None),
    (DAY, "", 2**62, Decimal("0"), None, "x" * 300),
    (DAY, "b" * 256, None, None, False, ""),
]
ROWS = st.tuples(
    st.sampled_from([DAY, DAY + timedelta(days=1)]),
    st.one_of(st.none(), st.sampled_from(["a", "b", ""]), st.text(max_size=40)),
    st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(0, 3)),
    st.one_of(st.none(), st.decimals(-(10**11), 10**11, places=6)),
    st.one_of(st.none(), st.booleans()),
    st.one_of(st.none(), st.text(max_size=12)),
)


def table(rows):
    columns = list(zip(*rows, strict=True)) if rows else [[]] * len(REPORT.columns)
    return pa.table([pa.array(values, column.type.arrow) for values, column in zip(columns, REPORT.columns, strict=True)], schema=REPORT.schema)


def digests(*pages):
    hasher = SliceHasher(REPORT, 2)
    for rows in pages:
        if rows:
            hasher.add(table(rows), np.array([(row[0] - DAY).days for row in rows], dtype=np.uint16))
    return [hasher.digest(0), hasher.digest(1)]


def test_the_hash_is_the_same_for_ever():
    assert digests(GOLDEN) == ["c09d4636820d9c7d9587855c4fd36bdb", EMPTY_HASH]


def test_the_hash_is_the_same_in_another_process(repository):
    script = "import runpy, sys; names = runpy.run_path(sys.argv[1]); print(names['digests'](names['GOLDEN'])[0])"
    run = subprocess.run(
        [sys.executable, "-c", script, __file__], cwd=repository, env={"PYTHONPATH": str(repository), "PYTHONHASHSEED": "7"}, capture_output=True, text=True
    )
    assert run.stdout.strip() == digests(GOLDEN)[0], run.stderr


@settings(max_examples=150, deadline=None)
@given(st.lists(ROWS, max_size=30), st.randoms(), st.integers(1, 7))
def test_order_and_page_borders_do_not_matter(rows, random, size):
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert digests(rows) == digests(*(shuffled[start : start + size] for start in range(0, len(shuffled), size)))


@settings(max_examples=300, deadline=None)
@given(st.lists(ROWS, max_size=6), st.lists(ROWS, max_size=6))
def test_other_content_gives_another_hash(first, second):
    def content(rows):
        return sorted(map(repr, rows))

    same = [content([r for r in first if r[0] == DAY + timedelta(days=n)]) == content([r for r in second if r[0] == DAY + timedelta(days=n)]) for n in range(2)]
    assert [a == b for a, b in zip(digests(first), digests(second), strict=True)] == same


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([(DAY, "a", 1, None, None, None)], [(DAY, "a", None, None, None, None)]),
        ([(DAY, "a", 0, None, None, None)], [(DAY, "a", None, None, None, None)]),
        ([(DAY, "a", 0, None, None, "")], [(DAY, "a", 0, None, None, None)]),
        ([(DAY, "a", 0, None, False, None)], [(DAY, "a", 0, None, None, None)]),
        ([(DAY, "a", 1, None, None, "b")], [(DAY, "b", 1, None, None, "a")]),
        ([(DAY, "a", 1, None, None, None), (DAY, "b", 2, None, None, None)], [(DAY, "a", 2, None, None, None), (DAY, "b", 1, None, None, None)]),
        ([(DAY, "a", 1, None, None, None)], [(DAY, "a", 1, None, None, None)] * 2),
        ([(DAY, "a\0", 1, None, None, None)], [(DAY, "a", 1, None, None, None)]),
        ([(DAY, "x" * 257, 1, None, None, None)], [(DAY, "x" * 256 + "y", 1, None, None, None)]),
        ([(DAY, "x" * 8, 1, None, None, None)], [(DAY, "x" * 16, 1, None, None, None)]),
    ],
)
def test_values_that_are_easily_confused_are_told_apart(first, second):
    assert digests(first)[0] != digests(second)[0]


def test_slices_of_larger_tables_hash_by_their_own_values():
    rows = [(DAY, f"ad {n}", n if n % 3 else None, Decimal(n), n % 2 == 0, None if n % 5 else "п" * (n % 90)) for n in range(500)]
    whole = table(rows)
    hasher = SliceHasher(REPORT, 2)
    for start in range(0, 500, 37):
        part = whole.slice(start, 37)
        hasher.add(part, np.zeros(len(part), dtype=np.uint16))
    assert hasher.digest(0) == digests(rows)[0]


def test_key_words_repeat_only_where_keys_do():
    hasher = SliceHasher(REPORT, 2)
    rows = [(DAY, f"ad {n // 2}", n, None, None, None) for n in range(2000)]
    keys = hasher.add(table(rows), np.zeros(2000, dtype=np.uint16))
    assert len(np.unique(keys)) == 1000
