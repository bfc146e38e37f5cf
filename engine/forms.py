"""A mapping from a YAML file -> a filled-in form, each field that does not fit with its file and line.

pydantic says what is wrong with a field; the line comes from the document.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.condition import Condition, read_condition
from engine.documents import Located, read_document
from engine.errors import Problem, RuleError

STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)
Words = list[str]
FilledForm = TypeVar("FilledForm", bound=BaseModel)


def read_whole(path: Path, problems: list[Problem]) -> Located | None:
    """The mapping in a file, or None with its problems noted."""
    try:
        return read_document(path)
    except RuleError as error:
        problems.extend(error.problems)
        return None


def read_entries(path: Path, model: type[FilledForm], problems: list[Problem]) -> list[tuple[str, Located, FilledForm]]:
    """The entries of a file of named mappings: key, as written, filled in."""
    document = read_whole(path, problems)
    found = []
    for key, raw in (document or {}).items():
        if not isinstance(raw, Located):
            assert document is not None
            problems.append(Problem(document.where(key), f"`{key}` is not a mapping", "key: {...}"))
            continue
        entry = fill_form(model, raw, problems)
        if entry is not None:
            found.append((key, raw, entry))
    return found


def fill_form(model: type[FilledForm], raw: Located, problems: list[Problem]) -> FilledForm | None:
    """The form a mapping fills in, or None with every field that does not fit noted."""
    try:
        return model.model_validate(_plain(raw))
    except ValidationError as error:
        for detail in error.errors():
            key = str(detail["loc"][0]) if detail["loc"] else None
            fields = [f.alias or name for name, f in model.model_fields.items()]
            missing = detail["type"] == "missing"
            found = f"`{key}` is missing" if missing else f"`{key}`: {detail['msg'].lower()}"
            allowed = ", ".join(fields) if detail["type"] == "extra_forbidden" else ""
            problems.append(Problem(raw.where(None if missing else key), found, allowed))
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def read_when(raw: Located, key: str, problems: list[Problem]) -> Condition | None:
    """The condition under a key, or None with its problems noted."""
    try:
        return read_condition(raw.get(key), raw.where(key))
    except RuleError as error:
        problems.extend(error.problems)
        return None
