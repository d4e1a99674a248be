"""Backup and restore: everything comes back, of every organization; a failed one changes nothing."""

import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from domain.errors import UsageError
from home.directory import Home
from store.backup import backup, restore
from store.database import Store
from store.settings import StoreSettings


def slugs(home: Home, settings: StoreSettings) -> list[str]:
    with Store.open(home, settings) as store, store.system() as transaction:
        return list(transaction.execute(text("select slug from organizations order by slug")).scalars())


def add(home: Home, settings: StoreSettings, slug: str) -> None:
    with Store.open(home, settings) as store, store.system() as transaction:
        transaction.execute(text("insert into organizations (name, slug) values (:s, :s)"), {"s": slug})


def test_every_row_comes_back_and_later_ones_go(home: Home, database_url: str, tmp_path: Path) -> None:
    settings = StoreSettings(database_url=database_url)
    add(home, settings, "a")
    add(home, settings, "b")
    file = backup(home, tmp_path / "mrm.backup", settings)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    add(home, settings, "later")
    restore(home, file, settings)
    assert slugs(home, settings) == ["a", "b"]
    with Store.open(home, settings) as store, store.transaction("") as transaction:
        assert transaction.execute(text("select count(*) from organizations")).scalar_one() == 0


def test_a_file_that_is_no_backup_changes_nothing(home: Home, database_url: str, tmp_path: Path) -> None:
    settings = StoreSettings(database_url=database_url)
    add(home, settings, "a")
    broken = tmp_path / "broken"
    broken.write_bytes(backup(home, tmp_path / "good", settings).read_bytes()[:3000])
    for file in (broken, tmp_path / "absent", Path(__file__)):
        with pytest.raises(UsageError):
            restore(home, file, settings)
    assert slugs(home, settings) == ["a"]


def test_a_backup_into_nowhere_is_refused(home: Home, database_url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no directory"):
        backup(home, tmp_path / "absent" / "file", StoreSettings(database_url=database_url))
    assert list(tmp_path.glob(".file*")) == []
