"""YAML files -> plain values that remember the line they came from.

YAML 1.2 booleans only (`true`, `false`): `no` and `off` stay words, so the band `no` or the agency `on`
cannot turn into a truth value. A key given twice is refused, because the second would silently win.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from engine.errors import Problem, RuleError

_WHOLE = re.compile(r"[-+]?\d+$")
_DECIMAL = re.compile(r"[-+]?(\d+\.\d*|\.\d+)$")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}$")
_WORDS: dict[str, object] = {"true": True, "false": False, "null": None, "~": None, "": None}


class Located(dict[str, Any]):
    """A mapping that knows its file, its line and the line of each key."""

    path: Path
    line: int
    lines: dict[str, int]

    def where(self, key: str | None = None) -> str:
        """`file:line` of the mapping, or of one of its keys."""
        line = self.line if key is None else self.lines.get(key, self.line)
        return f"{self.path}:{line}"


class Text(str):
    """A string that knows its file and line, so that a clause can be pointed at."""

    __slots__ = ("at",)
    at: str


def read_document(path: Path) -> Located:
    """The mapping in a YAML file. Raises RuleError with file:line when it is not one."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError(Problem(str(path), f"cannot be read ({error.__class__.__name__})",
                                "a UTF-8 YAML file")) from error
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RuleError(Problem(f"{path}:{line}", f"not YAML: {error.problem}",
                                "one YAML mapping", "check the indentation and quotes here")) from error
    except yaml.YAMLError as error:
        raise RuleError(Problem(f"{path}:1", "not YAML: it holds a sign no text file should", "printable UTF-8 text",
                                "type the file again, or save it as plain UTF-8")) from error
    if not isinstance(node, yaml.MappingNode):
        raise RuleError(Problem(f"{path}:1", "no mapping found", "`key: value` lines"))
    document = _build(node, path)
    assert isinstance(document, Located)
    return document


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _build(node: yaml.Node, path: Path) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _build_mapping(node, path)
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, path) for item in node.value]
    assert isinstance(node, yaml.ScalarNode)
    value = _scalar(node)
    if isinstance(value, str):
        value = Text(value)
        value.at = f"{path}:{node.start_mark.line + 1}"
    return value


def _build_mapping(node: yaml.MappingNode, path: Path) -> Located:
    mapping = Located()
    mapping.path, mapping.line, mapping.lines = path, node.start_mark.line + 1, {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        line = key_node.start_mark.line + 1
        if key in mapping:
            raise RuleError(Problem(f"{path}:{line}", f"`{key}` is given twice",
                                    "each key once", "keep one of the two"))
        mapping[key] = _build(value_node, path)
        mapping.lines[key] = line
    return mapping


def _scalar(node: yaml.ScalarNode) -> object:
    text = str(node.value)
    if node.style in ("'", '"', "|", ">"):
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.match(text):
        return int(text)
    if _DECIMAL.match(text):
        return float(text)
    if _DATE.match(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            return text
    return text
