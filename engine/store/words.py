"""What people write down, held to one measure: said in words, short enough to be read, and able to be kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.errors import Problem
from engine.store.problems import StoreError

LETTERS, LONGEST = 10, 4000     # enough to be words, little enough to be read at a meeting


def check(*problems: Sequence[Problem]) -> None:
    """Raises everything that is wrong at once."""
    if found := [problem for some in problems for problem in some]:
        raise StoreError(found)


def say_no_words(where: str, what: str, said: str, least: int = LETTERS, most: int = LONGEST) -> list[Problem]:
    """A text that is empty, too long, or cannot be kept."""
    letters = sum(character.isalpha() for character in said)
    if letters < least:
        found = f"the {what} is not said in words" if said.strip() else f"there is no {what}"
        return [Problem(where, found, f"{least} letters at least",
                        f"write the {what} so that another person can follow it")]
    if len(said) > most:
        return [Problem(where, f"the {what} is too long", f"{most} characters at most", "say the main thing")]
    return say_unkeepable(where, what, said)


def say_unkeepable(where: str, what: str, said: str) -> list[Problem]:
    """A text with characters that no database keeps: NUL, or half of a pair."""
    if "\0" not in said and not any("\ud800" <= character <= "\udfff" for character in said):
        return []
    return [Problem(where, f"the {what} has a character that cannot be kept", "letters, digits and signs",
                    "type it again instead of pasting it")]


def say_not_among(where: str, what: str, said: str | None, allowed: Iterable[str]) -> list[Problem]:
    """A word that is not one of those declared. What was sent is not repeated."""
    words = tuple(allowed)
    return [] if said in words else [Problem(where, f"the {what} is not one of the words for it", ", ".join(words),
                                             "choose one of them")]
