"""Who may do what with what: a person, an action and a thing -> yes or no, and which policy says so.

The policies are Cedar files in `policies/`, held to their `shape.cedarschema` when they are read. What no policy allows
is refused. A refused thing is shown as if it were not there (404), and stands in no count: see `scope`.

Where an agreement in force names the agency, the list and the purpose (`flags.cedar`):

| Action | Thing | Who |
|---|---|---|
| view_list | Sheet | tasking, housing_manager (offers), agency_officer, analyst, governance |
| view_flag, view_evidence | Flag | tasking, analyst; housing_manager (offers), agency_officer (where named), |
| | | governance (where contested), monitoring_officer (restricted) |
| take_up, decide, assign_action | Flag | tasking; monitoring_officer (restricted) |
| ask_question, export | Flag | tasking |
| contest | Flag | whoever may view it, but the analyst |
| settle_challenge | Flag | governance (where contested), monitoring_officer (restricted) |
| view_question, answer_question | Question | the agency that was asked; tasking views |
| view_action, close_action | Task | the agency that owns it; tasking; monitoring_officer (restricted) |

Without one (`registers.cedar`):

| Action | Thing | Who |
|---|---|---|
| screen, read_screenings, record_offer | Register | housing_officer, housing_manager |
| override | Register | housing_manager |
| report_overrides | Register | housing_manager, analyst |
| view_aggregates | Ward | tasking, housing_manager, analyst, governance; councillor (own wards, the borough) |
| view_rules | Register | every role |
| hold_meeting | Register | tasking |
| view_worklist | Register | tasking, agency_officer |
| view_reviews | Register | tasking_chair, analyst, governance |
| view_runs | Register | analyst, governance |
| make_run, view_quarantine | Register | analyst |
| audit_read, view_disclosures | Register | governance |
| view_challenges | Register | governance, monitoring_officer |
| audit_verify, view_agreements | Register | governance, administrator |
| manage_agreements | Register | administrator |
| manage_users | Account, Register | administrator, never on themselves |

What is restricted is for the monitoring officer alone, what is routed for police and probation, and a councillor sees
nobody by name, whatever else they are (`never.cedar`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import cedarpy

from engine.errors import Problem, RuleError

FOLDER = Path(__file__).resolve().parent / "policies"

ROLES = ("tasking_chair", "tasking_member", "housing_officer", "housing_manager", "agency_officer", "analyst",
         "governance", "councillor", "administrator", "monitoring_officer")
"""`monitoring_officer`: exclusion X-11 of the rules holds what is about staff and members for that officer alone."""

HELD = ("restricted", "routed")
"""The statuses of a flag that are for somebody else's eyes; any other is told to whoever may see the list."""

NOBODY_SAID = "no policy allows it"

_PURPOSES = {"housing_officer": "housing_and_homelessness", "housing_manager": "housing_and_homelessness"}
_USUAL = "prevent_crime_and_disorder"


class Agreement(Protocol):
    """An information sharing agreement, as the store keeps it. `valid_until` is the last day it holds."""

    @property
    def id(self) -> str: ...
    @property
    def agencies(self) -> Iterable[str]: ...
    @property
    def purposes(self) -> Iterable[str]: ...
    @property
    def lists(self) -> Iterable[str]: ...
    @property
    def valid_from(self) -> date: ...
    @property
    def valid_until(self) -> date: ...
    @property
    def withdrawn(self) -> datetime | None: ...


@dataclass(frozen=True)
class Asker:
    """Whoever asks, and what for. `wards`: those a councillor was elected in."""

    id: str
    agency: str
    roles: frozenset[str]
    purpose: str
    wards: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Sheet:
    """One of the lists."""

    list: str


@dataclass(frozen=True)
class Flag:
    """A flag, as far as it matters here. `agencies`: those named on it; `contested`: somebody challenged it."""

    id: str
    list: str
    status: str
    agencies: frozenset[str]
    contested: bool = False


@dataclass(frozen=True)
class Question:
    """What an agency was asked about a flag, and that flag's list and status."""

    id: str
    list: str
    agency: str
    status: str


@dataclass(frozen=True)
class Task:
    """An action agreed about a flag, the agency that owns it, and that flag's list and status."""

    id: str
    list: str
    agency: str
    status: str


@dataclass(frozen=True)
class Ward:
    """The numbers of a ward, or with an empty name those of the whole borough."""

    name: str = ""


@dataclass(frozen=True)
class Register:
    """Anything there is one of: rules, runs, quarantine, audit, users, agreements, screenings, disclosures."""

    name: str


@dataclass(frozen=True)
class Account:
    """Somebody's account, to be changed."""

    id: str


Thing = Sheet | Flag | Question | Task | Ward | Register | Account


@dataclass(frozen=True)
class Decision:
    """Whether it is allowed, why, the policies that decided, and the agreement it is seen under."""

    allowed: bool
    because: str
    policies: tuple[str, ...] = ()
    agreement: str | None = None


class Rights:
    """The policies of one folder, read once. Raises RuleError where they do not hold together."""

    def __init__(self, folder: Path = FOLDER) -> None:
        shape = (folder / "shape.cedarschema").read_text()
        text = "\n".join(path.read_text() for path in sorted(folder.glob("*.cedar")))
        self._names = _read_names(folder, text, shape)
        self._schema, self._policies = cedarpy.Schema.from_str(shape), cedarpy.PolicySet.from_str(text)

    def may(
        self, asker: Asker, action: str, thing: Thing, today: date, agreements: Iterable[Agreement] = ()
    ) -> Decision:
        """Whether somebody may do something with something. Raises ValueError for an action there is not."""
        return self.decide(asker, action, [thing], today, agreements)[0]

    def decide(
        self, asker: Asker, action: str, things: Sequence[Thing], today: date, agreements: Iterable[Agreement] = ()
    ) -> tuple[Decision, ...]:
        """The same of many things at once: each row of a page is confirmed before it is shown."""
        signed = sorted((one for one in agreements if asker.agency in one.agencies), key=lambda one: one.id)
        under: Sequence[Agreement | None] = signed or (None,)
        rounds = [self._ask(asker, action, things, today, one) for one in under]
        return tuple(next((said for said in answers if said.allowed), answers[0])
                     for answers in zip(*rounds, strict=True))

    def _ask(
        self, asker: Asker, action: str, things: Sequence[Thing], today: date, under: Agreement | None
    ) -> list[Decision]:
        entities = {(one["uid"]["type"], one["uid"]["id"]): one
                    for one in [*map(_describe, things), _describe_asker(asker)]}
        requests = [{"principal": {"type": "User", "id": asker.id}, "action": {"type": "Action", "id": action},
                     "resource": _describe(thing)["uid"], "context": _describe_context(asker, today, under)}
                    for thing in things]
        answers = cedarpy.is_authorized_batch(requests, self._policies, list(entities.values()), self._schema)
        return [self._read(answer, under) for answer in answers]

    def _read(self, answer: cedarpy.AuthzResult, under: Agreement | None) -> Decision:
        errors = answer.diagnostics.errors
        if answer.decision is cedarpy.Decision.NoDecision:
            raise ValueError(f"the policies cannot be asked this: {'; '.join(errors)}")
        # Cedar leaves out a policy that fails, also one that forbids; here a failure is a no.
        named = [self._names[policy] for policy in answer.diagnostics.reasons]
        allowed = answer.allowed and not errors
        because = "; ".join(sorted({why for _name, why in named})) or NOBODY_SAID
        return Decision(allowed, because, tuple(sorted(name for name, _why in named)),
                        under.id if allowed and under is not None else None)


@cache
def read_rights() -> Rights:
    """The shipped policies: read once, as they never change while a server runs."""
    return Rights()


def find_purpose(roles: Iterable[str], stated: str | None = None) -> str:
    """What somebody is taken to ask for: what they said when they signed in, else what their work is for."""
    usual = {_PURPOSES.get(role, _USUAL) for role in roles}
    return stated or (usual.pop() if len(usual) == 1 else _USUAL)


# --- as Cedar has it -------------------------------------------------------------------------------


def _read_names(folder: Path, text: str, shape: str) -> Mapping[str, tuple[str, str]]:
    """The name and reason of each policy. Cedar calls them policy0, policy1, ... in its answers."""
    try:
        found = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
    except ValueError as error:
        raise RuleError(Problem(str(folder), f"cannot be read: {error}", "Cedar policies", "correct them")) from None
    problems = [Problem(str(folder), str(error), "what shape.cedarschema says", "correct the policy or the shape")
                for error in cedarpy.validate_policies(text, shape).errors]
    names: dict[str, tuple[str, str]] = {}
    for policy, body in found.items():
        notes = body.get("annotations", {})
        name, why = notes.get("id"), notes.get("because")
        if not name or not why or name in {known for known, _why in names.values()}:
            problems.append(Problem(f"{folder}, {name or policy}", "has no name of its own, or no reason",
                                    '@id("...") and @because("...") before every policy', "add them"))
        names[policy] = (str(name), str(why))
    if problems:
        raise RuleError(problems)
    return names


def _describe_asker(asker: Asker) -> dict[str, Any]:
    return {"uid": {"type": "User", "id": asker.id}, "attrs": {"agency": asker.agency, "wards": sorted(asker.wards)},
            "parents": [{"type": "Role", "id": role} for role in sorted(asker.roles)]}


def _describe(thing: Thing) -> dict[str, Any]:
    kind, id, attributes = "Register", "", dict[str, Any]()
    match thing:
        case Sheet(list_name):
            kind, id, attributes = "List", list_name, {"list": list_name}
        case Flag():
            kind, id = "Flag", thing.id
            attributes = {"list": thing.list, "held": _hold(thing.status), "agencies": sorted(thing.agencies),
                          "contested": thing.contested}
        case Question() | Task():
            kind, id = type(thing).__name__, thing.id
            attributes = {"list": thing.list, "held": _hold(thing.status), "agency": thing.agency}
        case Ward(name):
            kind, id, attributes = "Ward", name, {"name": name}
        case Register(name):
            id = name
        case Account(id):
            kind, attributes = "User", {"agency": "", "wards": []}
    return {"uid": {"type": kind, "id": id}, "attrs": attributes, "parents": []}


def _hold(status: str) -> str:
    return status if status in HELD else ""


def _describe_context(asker: Asker, today: date, under: Agreement | None) -> dict[str, Any]:
    context: dict[str, Any] = {"today": today.toordinal(), "purpose": asker.purpose}
    if under is not None:
        context["agreement"] = {
            "agencies": list(under.agencies), "purposes": list(under.purposes), "lists": list(under.lists),
            "first": under.valid_from.toordinal(), "last": under.valid_until.toordinal(),
            "withdrawn": under.withdrawn is not None}
    return context
