"""The words that only the site says: states, decisions, reason codes, short words on badges. Others: `api.words`."""

from __future__ import annotations

from collections.abc import Mapping

from api.words import STATUSES
from engine.store.publishing import UNSAID

LIST_TITLES = {"people": "People", "places": "Places", "allocations": "Offers of a home"}
AXIS_SHORT = {"vulnerability": "Suffered", "harm": "Caused", "place": "Place", "process": "Process"}
AXIS_ABOUT = {
    "vulnerability": "What was done to somebody, and what they need.",
    "harm": "What somebody is reported to have done, with evidence.",
    "place": "What happens at a place, whoever is there.",
    "process": "What the agencies themselves owe.",
}
CHANGE_SHORT = {"new": "New", "worse": "Worse", "better": "Better", "same": "As before", "stale": "Stale"}
STATE_NAMES = {
    "proposed": "Proposed", "under_review": "Under review", "needs_information": "Needs information",
    "confirmed": "Confirmed", "declined": "Declined", "redirected": "Redirected", "superseded": "Superseded",
    "left": "Left the list",
}
STATE_ABOUT = {
    "proposed": "Nobody has taken it up yet.",
    "under_review": "Somebody is looking into it.",
    "needs_information": "Somebody has to find something out first.",
    "confirmed": "A person decided that agencies should act together.",
    "declined": "A person decided that nothing further should follow.",
    "redirected": "A person decided that it belongs somewhere else.",
    "superseded": "A later run took its place.",
    "left": "It is no longer put forward.",
}
STATE_COLOURS = {
    "proposed": "blue", "under_review": "yellow", "needs_information": "orange", "confirmed": "green",
    "declined": "grey", "redirected": "grey", "superseded": "grey", "left": "grey",
}
DECISION_NAMES = {
    "confirmed": "Confirm: agencies should act together",
    "declined": "Decline: nothing further should follow",
    "redirected": "Redirect: it belongs somewhere else",
    "needs_information": "Needs information: find something out first",
}
ROLE_NAMES = {
    "tasking_chair": "Chair of the tasking group", "tasking_member": "Member of the tasking group",
    "housing_officer": "Housing officer", "housing_manager": "Housing manager", "agency_officer": "Agency officer",
    "analyst": "Analyst", "governance": "Information governance", "councillor": "Ward councillor",
    "administrator": "Administrator", "monitoring_officer": "Monitoring officer",
}
ORDERS = {"list": "As the run put them", "band": "Most serious band first"}
REASON_ASKS = {
    "confirmed": "Why confirm it?", "declined": "Why decline it?", "redirected": "Where does it go?",
    "needs_information": "What is missing?",
}
REASON_NAMES = {
    "needs_agencies_together": "Agencies need to act together", "getting_worse": "It is getting worse",
    "support_not_in_place": "Support is not in place", "place_needs_work": "The place itself needs work",
    "offer_needs_change": "The offer needs to change first", "already_in_hand": "Already in hand",
    "facts_wrong": "A fact is wrong", "wrong_person_linked": "The records are of somebody else",
    "out_of_date": "Out of date", "not_serious_enough": "Not serious enough for this meeting",
    "rule_does_not_fit": "The rule does not fit this case", "would_do_harm": "Acting on it would do harm",
    "outside_purpose": "Outside the purpose the data was shared for",
    "to_lead_professional": "To the lead professional", "to_safeguarding": "To safeguarding",
    "to_marac_or_mappa": "To MARAC or MAPPA", "to_one_agency": "To one agency alone",
    "to_operation_lead": "To the lead of an operation", "to_case_officer": "To the case officer",
    "agency_has_not_answered": "An agency has not answered yet", "feed_late": "A feed is late",
    "facts_disputed": "The facts are disputed", "identity_unsure": "It is not sure who this is",
    "person_not_yet_heard": "The person has not been heard yet", "other": "Another reason, said below",
}
WORK_NAMES = {
    "open": "Open", "done": "Done", "cancelled": "Will not be done", "asked": "Waiting for an answer",
    "answered": "Answered", "withheld": "May not say", "withdrawn": "Taken back",
}
WORK_COLOURS = {"open": "blue", "done": "green", "cancelled": "grey", "asked": "yellow", "answered": "green",
                "withheld": "orange", "withdrawn": "grey"}

# --- offers of a home
LEVEL_TITLES = {"hard": "Settle this first", "soft": "To weigh with the applicant", "info": "Good to know"}
LEVEL_ABOUT = {
    "hard": "An offer can be recorded once this is settled, or a manager has set it aside.",
    "soft": "It is for the applicant to weigh, once told.",
    "info": "It stops nothing.",
}
VIEW_NAMES = {
    "would_offer": "I would offer this home", "would_not_offer": "I would not offer this home",
    "unsure_before": "I do not know yet",
    "agree": "I agree with the screening", "would_offer_anyway": "I would offer this home in spite of it",
    "would_not_offer_anyway": "I would not offer this home, whatever it says", "not_sure": "I am not sure",
}
REQUEST_NAMES = {"asked": "Waiting for a manager", "granted": "Granted", "refused": "Refused", "withdrawn": "Withdrawn"}

# --- an officer's own view, before ours
OWN_BAND_NAMES = {"convene": "Convene", "discuss": "Discuss", "watch": "Watch",
                  "none": "Agencies need not act together"}
OWN_BAND_ABOUT = {
    "convene": "The agencies that know of it should meet about it.",
    "discuss": "It should be talked about at the meeting.",
    "watch": "One agency should keep an eye on it.",
    "none": "Whatever each of them does already is enough, or it is nothing for them.",
}

NOT_SHOWN = "no longer shown on this list"


def say_leaving(because: str) -> str:
    """Why somebody left a list. Whoever is put forward and not shown is told of in one and the same way, whether for
    want of room or for somebody else's eyes alone: any difference would give the latter away."""
    return NOT_SHOWN if because == UNSAID or because in STATUSES else because


def say_code(code: str, known: Mapping[str, str] | None = None) -> str:
    """A code in words: those known for it, or its own, written out."""
    return (known or {}).get(code) or code.replace("_", " ").replace("-", " ").capitalize()


def say_theme(theme: str) -> str:
    """A theme of the rules in words."""
    return say_code(theme)

JOB_KINDS = {
    "run": "New lists", "agenda_pdf": "The agenda as a PDF", "agenda_docx": "The agenda as a Word document",
    "agenda_xlsx": "The agenda as a spreadsheet", "minutes_pdf": "The minutes as a PDF",
    "minutes_docx": "The minutes as a Word document", "minutes_xlsx": "The minutes as a spreadsheet",
}
JOB_STATE_NAMES = {
    "waiting": "Waiting", "running": "Being made", "done": "Ready", "failed": "Could not be made", "stopped": "Stopped",
}
JOB_COLOURS = {"waiting": "grey", "running": "blue", "done": "green", "failed": "red", "stopped": "orange"}

# --- challenges
CHALLENGE_NAMES = {"open": "Being looked into", "upheld": "Upheld", "not_upheld": "Not upheld",
                   "withdrawn": "Withdrawn"}
CHALLENGE_COLOURS = {"open": "yellow", "upheld": "green", "not_upheld": "grey", "withdrawn": "grey"}
RAISER_NAMES = {"subject": "The person concerned", "advocate": "Somebody who speaks for them",
                "agency": "An agency that holds a record", "officer": "An officer, of their own knowledge"}
SETTLE_NAMES = {"upheld": "Upheld: something was wrong", "not_upheld": "Not upheld: nothing was found to be wrong",
                "withdrawn": "Withdrawn by whoever raised it"}
