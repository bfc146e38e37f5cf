"""Tokens: shown once, kept as what cannot be turned back, and ended the moment they are revoked."""

from __future__ import annotations

import hashlib
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.tokens import Tokens
from engine.errors import UsageError

DAY = date(2026, 11, 23)


def type_in(home: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["token", *words], env={"WARDWISE_HOME": str(home)})


def test_a_token_is_kept_as_its_digest_in_a_file_for_its_owner_only(tmp_path: Path) -> None:
    secret = Tokens(tmp_path).add("Desk 1", "housing_officer", DAY)
    kept = tmp_path / "tokens.jsonl"
    assert secret.startswith("ww_")
    assert len(secret) == 46
    assert secret not in kept.read_text()
    assert hashlib.sha256(secret.encode()).hexdigest() in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_token_works_through_its_last_day(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    secret = tokens.add("Desk 1", "housing_officer", DAY, DAY + timedelta(days=7))
    found = tokens.find(secret, DAY + timedelta(days=7))
    assert found
    assert (found.name, found.role) == ("Desk 1", "housing_officer")
    assert tokens.find(secret, DAY + timedelta(days=8)) is None


def test_a_token_lasts_a_year_where_nobody_said_otherwise(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    tokens.add("Desk 1", "analyst", DAY)
    assert tokens.names()[0].expires == date(2027, 11, 23)


def test_a_revoked_token_ends_in_every_process_and_its_name_is_not_used_again(tmp_path: Path) -> None:
    tokens, elsewhere = Tokens(tmp_path), Tokens(tmp_path)
    secret = tokens.add("Desk 1", "housing_officer", DAY)
    assert elsewhere.find(secret, DAY)
    tokens.revoke("Desk 1", DAY)
    assert elsewhere.find(secret, DAY) is None
    with pytest.raises(UsageError, match="already given in this name"):
        elsewhere.add("Desk 1", "housing_officer", DAY)
    with pytest.raises(UsageError, match="this token was revoked on 2026-11-23"):
        elsewhere.revoke("Desk 1", DAY)


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "two\nlines", "\x1b[31mred"])
def test_a_name_nobody_can_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="blank, too long or not printable"):
        Tokens(tmp_path).add(name, "analyst", DAY)


def test_tokens_given_at_once_are_all_kept(tmp_path: Path) -> None:
    def give(number: int) -> str:
        return Tokens(tmp_path).add(f"Desk {number}", "analyst", DAY)

    with ThreadPoolExecutor(8) as pool:
        secrets = list(pool.map(give, range(40)))
    assert len(set(secrets)) == 40
    kept = Tokens(tmp_path)
    assert {token.name for secret in secrets if (token := kept.find(secret, DAY))} == {f"Desk {n}" for n in range(40)}


def test_one_name_asked_for_at_once_is_given_once(tmp_path: Path) -> None:
    def give(_number: int) -> bool:
        try:
            Tokens(tmp_path).add("Desk", "analyst", DAY)
        except UsageError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(give, range(16))) == 1


# --- typed ----------------------------------------------------------------------------------------


def test_a_token_typed_is_the_only_thing_on_stdout_and_then_listed_without_it(tmp_path: Path) -> None:
    given = type_in(tmp_path, "add", "Desk 1", "--role", "housing_officer")
    assert Tokens(tmp_path).find(given.stdout.strip(), date.today())
    listed = type_in(tmp_path, "list").stdout
    assert "Desk 1" in listed
    assert "in force" in listed
    assert given.stdout.strip() not in listed
    assert type_in(tmp_path, "revoke", "Desk 1").exit_code == 0
    assert "revoked" in type_in(tmp_path, "list").stdout


@pytest.mark.parametrize(("words", "told"), [
    (["add", "Desk 1"], "--role"),
    (["add", "Desk 1", "--role", "mayor"], "mayor"),
    (["add", "Desk 1", "--role", "analyst", "--expires", "2020-01-01"], "a day not yet past"),
    (["revoke", "Desk 2"], "no token was given in this name"),
])
def test_a_mistake_about_tokens_gives_helpful_error(tmp_path: Path, words: list[str], told: str) -> None:
    result = type_in(tmp_path, *words)
    assert result.exit_code == 2
    assert told in result.stderr
    assert not (tmp_path / "tokens.jsonl").exists()


def test_nobody_has_a_token_where_none_was_given(tmp_path: Path) -> None:
    assert "No token was given yet." in type_in(tmp_path, "list").stdout
    assert Tokens(tmp_path).find("", DAY) is None
