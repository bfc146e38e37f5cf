"""One set of migrations, clean on SQLite and on PostgreSQL, up and down; and no work on tables of another version."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import inspect

from engine.store import versions
from engine.store.audit import head
from engine.store.connections import open_engine, transaction
from engine.store.database import Database
from engine.store.problems import StoreError, Unready
from engine.store.tables import metadata


def tables_in(url: str) -> set[str]:
    engine = open_engine(url)
    try:
        return set(inspect(engine).get_table_names()) - {"alembic_version"}
    finally:
        engine.dispose()


def change(url: str, *statements: str) -> None:
    engine = open_engine(url)
    with transaction(engine, writes=True) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_a_new_store_has_every_declared_table_and_nothing_is_left_to_migrate(nowhere: str) -> None:
    versions.create(nowhere)
    assert tables_in(nowhere) == set(metadata.tables)
    assert versions.find_difference(nowhere) is None


def test_a_table_changed_behind_our_back_is_noticed(url: str) -> None:
    """The check above can fail."""
    change(url, "ALTER TABLE actions ADD COLUMN mood TEXT")
    assert "mood" in str(versions.find_difference(url))


def test_down_takes_everything_away_and_up_brings_it_back(nowhere: str) -> None:
    versions.upgrade(nowhere)
    versions.downgrade(nowhere, "base")
    assert tables_in(nowhere) == set()

    versions.upgrade(nowhere)
    assert tables_in(nowhere) == set(metadata.tables)
    database = Database(nowhere)
    with database.reading() as reading:
        assert head(reading).id == 0
    database.close()


def test_a_new_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    versions.create(f"sqlite:///{tmp_path / 'new' / 'store.db'}")
    assert (tmp_path / "new" / "store.db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_upgrading_twice_does_nothing_the_second_time(url: str) -> None:
    versions.upgrade(url)
    assert versions.find_difference(url) is None


def test_four_servers_that_start_at_once_make_one_store(nowhere: str) -> None:
    with ThreadPoolExecutor(4) as pool:      # each as `wardwise serve` does; Alembic itself runs in one at a time
        list(pool.map(versions.upgrade, [nowhere] * 4))
    assert versions.find_difference(nowhere) is None


def test_a_migration_that_fails_leaves_nothing_half_made(nowhere: str) -> None:
    change(nowhere, "CREATE TABLE reviews (id INTEGER)")        # somebody else's: it stands in the way
    with pytest.raises(StoreError):
        versions.upgrade(nowhere)
    assert tables_in(nowhere) == {"reviews"}


def test_making_a_store_where_one_is_gives_helpful_error(url: str) -> None:
    with pytest.raises(StoreError, match="is there already"):
        versions.create(url)


def test_opening_a_database_without_tables_says_what_to_run(nowhere: str, kind: str) -> None:
    if kind == "sqlite":
        with pytest.raises(Unready, match="is not there yet") as caught:
            Database(nowhere)
        assert not Path(nowhere.removeprefix("sqlite:///")).exists()
    change(nowhere, "CREATE TABLE something (id INTEGER)")
    with pytest.raises(Unready, match="has no tables yet") as caught:
        Database(nowhere)
    assert caught.value.problems[0].fix == "`wardwise store upgrade`"


def test_opening_a_store_of_a_newer_wardwise_gives_helpful_error(url: str) -> None:
    change(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unready, match="is of version 9999, which this Wardwise does not know") as caught:
        Database(url)
    assert caught.value.problems[0].fix == "install the Wardwise it was upgraded with"
    with pytest.raises(Unready, match="9999"):
        versions.upgrade(url)


def test_going_down_to_a_version_that_never_was_gives_helpful_error(url: str) -> None:
    with pytest.raises(StoreError, match="has no earlier version of this name"):
        versions.downgrade(url, "0099")
    assert tables_in(url) == set(metadata.tables)


@pytest.mark.parametrize(("address", "said"), [
    ("nothing", "is not a database URL"), ("mysql://somebody@there/db", "is of a kind"), ("sqlite://", "is of a kind")])
def test_an_address_of_another_kind_gives_helpful_error_and_is_not_repeated(address: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as caught:
        Database(address)
    assert "somebody" not in str(caught.value)


def test_a_server_that_does_not_answer_gives_helpful_error_without_its_password() -> None:
    with pytest.raises(Unready, match="cannot be used") as caught:
        Database("postgresql://officer:hunter2@127.0.0.1:1/wardwise?connect_timeout=2")
    assert "hunter2" not in str(caught.value) + repr(caught.value.__cause__)
    assert "see that its server runs" in caught.value.problems[0].fix
