"""rules/ -> the pack in force: rules, features, feeds and policy, all checked together, with a digest.

Everything wrong is collected and raised once, each problem with its file and line. What loads here is
whole: every name a rule uses is a declared feature of its own kind of subject, every feature's table and
columns exist, rules that follow from others do not run in a circle, and no forbidden input is in it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path

from engine.check import check_conditions, check_feature, check_named, check_rule, find_circle, order_of
from engine.condition import Condition, Exists, Known, Outcome, walk
from engine.contract import Contract, read_contracts
from engine.declare import read_features, read_rule
from engine.errors import Problem, RuleError
from engine.feature import Feature
from engine.forbid import find_forbidden, read_forbidden
from engine.incidents import Category
from engine.policy import read_categories, read_exclusions, read_factors, read_policy, read_protections
from engine.rule import Exclusion, OrderFactor, Policy, Protection, Rule
from engine.schema import SUBJECTS, Kind, Subject, table_columns

NOT_IN_PACK = shutil.ignore_patterns("*.test.yaml", "*.py", "__pycache__")
"""What of a rules folder decides nothing, and is left out when a pack is kept beside its results."""


@dataclass(frozen=True)
class Pack:
    """The judgement in force. `order` lists rule ids so that each comes after the rules it reads."""

    folder: Path
    rules: Mapping[str, Rule]
    features: Mapping[str, Feature]          # by "subject.name"
    contracts: Mapping[str, Contract]
    exclusions: tuple[Exclusion, ...]
    protections: tuple[Protection, ...]
    policy: Policy
    categories: Mapping[str, Category]
    need_themes: Mapping[str, str]
    order: tuple[str, ...]
    digest: str
    factors: tuple[OrderFactor, ...] = ()

    def rules_of(self, subject: Subject, as_of: date | None = None) -> list[Rule]:
        """The rules of one kind of subject that are not retired (nor expired at `as_of`), in order."""
        chosen = (self.rules[rule] for rule in self.order)
        return [r for r in chosen if r.subject == subject and r.status != "retired"
                and not (as_of and r.expired(as_of))]

    def features_of(self, subject: Subject) -> dict[str, Feature]:
        """The features of one kind of subject, by the name rules say."""
        return {f.name: f for f in self.features.values() if f.subject == subject}

    @cached_property
    def tables(self) -> dict[str, dict[str, Kind]]:
        """Every table a feature may be measured on, with the kind of each column."""
        return table_columns(self.contracts)


def read_pack(folder: Path) -> Pack:
    """The pack in a rules folder. Raises RuleError with every problem found."""
    problems: list[Problem] = []
    contracts = _contracts(folder / "feeds", problems)
    features = read_features(sorted((folder / "features").glob("*.yaml")), problems)
    rules = _rules(folder, problems)
    exclusions = read_exclusions(folder / "exclusions.yaml", problems)
    protections = read_protections(folder / "protective.yaml", problems)
    policy = read_policy(folder / "policy.yaml", problems)
    factors = read_factors(folder / "factors.yaml", problems)
    categories, needs = read_categories(folder / "categories.yaml", problems)
    forbidden = read_forbidden(folder / "forbidden.yaml", problems)
    if not rules and not problems:
        problems.append(Problem(str(folder), "no rules found", "rules/{person,place,allocation}/<id>.yaml",
                                "a pack without rules would make an empty list look like good news"))
    if problems or policy is None:
        raise RuleError(sorted(problems))
    pack = Pack(folder, rules, features, contracts, exclusions, protections, policy,
                categories, needs, (), digest_of(folder), factors)
    problems = _check(pack) or find_forbidden(rules, features, forbidden)
    if problems:
        raise RuleError(problems)
    return replace(pack, order=order_of(rules))


def digest_of(folder: Path) -> str:
    """SHA-256 over everything in rules/ that decides a result (not the cases beside the rules)."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.yaml")):
        if not path.name.endswith(".test.yaml"):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


# --- inside -------------------------------------------------------------------------------------


def _contracts(folder: Path, problems: list[Problem]) -> dict[str, Contract]:
    try:
        return read_contracts(folder)
    except RuleError as error:
        problems.extend(error.problems)
        return {}


def _rules(folder: Path, problems: list[Problem]) -> dict[str, Rule]:
    rules = {}
    for subject in SUBJECTS:
        for path in sorted((folder / subject).glob("*.yaml")):
            if not path.name.endswith(".test.yaml"):
                rule = read_rule(path, subject, problems)
                if rule is not None:
                    rules[rule.id] = rule
    return rules


def _check(pack: Pack) -> list[Problem]:
    tables, features = pack.tables, pack.features
    problems = [p for f in features.values()
                for p in check_feature(f, features, pack.contracts, tables)]
    problems += [p for r in pack.rules.values() for p in check_rule(r, pack.rules, features, tables)]
    problems += check_conditions(pack.exclusions, features, tables, str(pack.folder / "exclusions.yaml"))
    problems += check_conditions(pack.protections, features, tables, str(pack.folder / "protective.yaml"))
    problems += _check_factors(pack)
    problems += _check_scheme(pack)
    problems += find_circle(pack.rules)
    return sorted(set(problems))


def _check_factors(pack: Pack) -> list[Problem]:
    """A location factor asks of the offer alone, and of facts that exist."""
    known = pack.features_of("allocation")
    problems = []
    for factor in pack.factors:
        at, whose = factor.where_declared, f"the factor `{factor.key}`"
        asked: list[Condition] = [*map(Known, factor.facts), *([factor.applies] if factor.applies is not None else [])]
        problems += [p for condition in asked for p in check_named(condition, known, at, whose, pack.tables)]
        problems += [Problem(at, f"`{'rule' if isinstance(node, Outcome) else 'exists'}` in {whose}",
                             "clauses on facts of an allocation", "say with facts when it binds")
                     for condition in asked for node in walk(condition) if isinstance(node, Outcome | Exists)]
    return problems


def _check_scheme(pack: Pack) -> list[Problem]:
    """The scheme orders exactly the bands the register may hold: one left out would have no place in the order."""
    bands, at = pack.policy.scheme.bands, f"{pack.folder / 'policy.yaml'}:1"
    if len(set(bands)) < len(bands):
        return [Problem(at, "`scheme.bands` names a band twice", "each band once, first first")]
    register = pack.contracts.get("housing_register")
    column = register.columns.get("band") if register else None
    codes = [code for code, _ in column.values] if column else []
    if not codes or set(bands) == set(codes):
        return []
    return [Problem(at, f"`scheme.bands` is {', '.join(bands)}",
                    f"{', '.join(codes)}, as in feeds/housing_register.yaml", "each band once, first first")]
