"""The words of the published annex that no rule holds: what the check is, your rights, and what its terms mean.

Written for anybody who applies for a home, at about the reading age of twelve. What depends on the rules in force
comes from the annex itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from api.words import say_day
from engine.annex import Annex, Entry, Source

RESULTS = {
    "avoid_this_property": ("Show other homes first",
                            "This home may be wrong or unsafe for your household. You are shown other homes first, and "
                            "you keep your place on the list."),
    "check_with_agency": ("Check with somebody else first",
                          "Another agency is asked, or another published rule is read, before this home is offered."),
    "complete_needs": ("Find out what you need first",
                       "Nobody can choose the right home without knowing what you need. The officer asks you, and "
                       "puts a plan in place with you."),
    "mitigate": ("Offer it with help in place",
                 "You can be offered this home. The officer arranges help to go with it, or shows you other homes if "
                 "you would rather."),
    "lint": ("Put our own work right",
             "Something in the way the decision was being made is not in order. The officer puts it right. Nothing is "
             "asked of you."),
}
LEVELS = {
    "hard": ("Must be settled first",
             "This home cannot be recorded as offered until the point is settled. Only a housing manager can go ahead "
             "without that. The manager must first write down why, and what will be done to keep you safe or well."),
    "soft": ("Talked over with you",
             "The officer tells you about the concern and any help there is. If you still want the home, you can say "
             "yes to it."),
    "info": ("For information", "The officer reads it and decides. Nothing stops the offer."),
}
EVIDENCE = {
    "published": "The test in this rule is published, in law or in guidance.",
    "design": "The test in this rule is the partnership’s own choice. No law sets it.",
}
STEPS = {"support": "Help first", "agree": "Then agree together", "enforce": "Last, and only where the law allows it"}
SENSITIVE = {"special": "health, needs or safety", "criminal": "crime or court orders"}
TITLE = "How we check that a home is right for you"
RECORDS = ("Only these, and only what was on record by the day of the check. Days are counted back from the day of the "
           "check to the day an agency came to know of something.")
CARE = "These facts need special care:"
ASKED = "You need not answer. If you do not, the answer is “not known”."
LOCATION = ("When the council finds a home for somebody who is homeless, the law names things about where the home is "
            "that it must think about: the Homelessness (Suitability of Accommodation) (England) Order 2012, which is "
            "SI 2012/2601. The officer is shown each one, so that none is forgotten.")
READ = ("The words under each title are those the housing officer reads. A rule applies only when all that its list "
        "asks for is on record.")
TRIED = "These are being tried, with no effect on anybody."
LAPSED = "These are past the day by which they had to be looked at again, so they are not used."
SOURCE_HEADS = ("Records", "From", "The law that allows it", "How far back", "Rules")
CARE_HEADS = ("Fact", "It is about", "Rules")
_YEAR = 365


@dataclass(frozen=True)
class Passage:
    """A heading with what stands under it: paragraphs, then points."""

    title: str
    paragraphs: tuple[str, ...]
    points: tuple[str, ...] = ()


def say_reach(source: Source) -> str:
    """How far back a set of records is looked at."""
    if source.days is None:
        return "as it stands on the day"
    years = source.days / _YEAR
    return f"{source.days} days" + (f" ({years:g} year{'' if years == 1 else 's'})" if years.is_integer() else "")


def list_sources(annex: Annex) -> list[tuple[str, ...]]:
    """A row for each set of records, under SOURCE_HEADS."""
    return [(source.title, source.agency, source.law, say_reach(source), ", ".join(source.rules) or "where the home is")
            for source in annex.sources]


def list_cares(annex: Annex) -> list[tuple[str, ...]]:
    """A row for each fact that needs special care, under CARE_HEADS."""
    return [(care.title, SENSITIVE[care.sensitivity], ", ".join(care.rules)) for care in annex.cares]


def list_responses(rule: Entry) -> list[str]:
    """What may be offered, help first."""
    return [f"{title}: {response.text}" for step, title in STEPS.items()
            for response in rule.respond if response.step == step]


def list_grounds(rule: Entry) -> list[str]:
    """What a rule rests on, and who answers for it."""
    return [f"The law or guidance behind it: {rule.authority}.", f"What it is there for: {rule.factor}.",
            EVIDENCE[rule.evidence],
            f"{rule.owner} answers for it, and must look at it again by {say_day(rule.review_by)}."]


def name_rules(rules: tuple[tuple[str, str], ...]) -> list[str]:
    """Rules by reference and title alone."""
    return [f"{reference}: {title}" for reference, title in rules]


def introduce(annex: Annex) -> tuple[Passage, ...]:
    """What the check is, what it never does and who decides."""
    return (
        Passage("What this check is", (
            f"Before {annex.council} offers you a home, a housing officer checks whether that home is right for "
            "your household. A computer program compares what is on record about your needs, your safety and the home "
            "with the rules on this page. It tells the officer what to ask you, what to put right and what help to "
            "arrange.",
            "The law says that a council may let its homes only in the way its allocation scheme says (Housing Act "
            "1996, section 166A(14)), and that anybody may read the scheme (section 168). That is why every rule in "
            "use is printed here in full, with its numbers.")),
        Passage("What it never does", (), (
            "It never refuses you a home, and it never takes you off the housing list.",
            "It never changes the order of the list. Whatever it finds, you keep your place.",
            "It never gives you a score, and it never decides. A person does.",
            "It never uses your race, nationality, language, religion, sex, sexual orientation, gender "
            "reassignment, marriage or pregnancy. It never uses your immigration status, benefits or income. The "
            "program turns down any rule that tries to.",
            "It uses health, disability and support needs only to find a home that fits or to offer you help. Some "
            "kinds of support go with an age, such as support after leaving care. Age is used for nothing else.",
            "It uses records of harm done to you only to protect you. They never count against you.",
            "It never tells anybody where another person lives, or how near. The distances on this page are those in "
            "the rules, and they are the same for everybody.")),
        Passage("Who decides", (
            "A housing officer decides, and a housing manager where a point must be settled first. They read what the "
            "check found, they ask you, and they may decide against it. What was found, who decided and why are "
            "kept.",)),
    )


def explain_order(annex: Annex) -> Passage:
    """The order of the scheme, which the check leaves alone."""
    return Passage("The order of the housing list", (
        "The allocation scheme puts applicants in this order. The check never changes it.",), (
        f"First by band, from first to last: {', '.join(annex.bands)}.",
        "Within a band, whoever registered first.",
        "If two people registered on the same day, by application number."))


def explain_rights(annex: Annex) -> tuple[Passage, ...]:
    """What is not known, how to ask for reasons and a review, and how a fact is corrected."""
    return (
        Passage("What “not known” means", (
            "Sometimes nobody has written a fact down, or an agency’s records are late, or you have said that a record "
            "is wrong. Then the fact is “not known”. Not known does not mean no. The check does not guess. It says "
            "what it could not tell, and the officer asks you or the agency that would know.",)),
        Passage("Ask for the reasons, or for a review", (
            f"Ask the officer who deals with your application, or write to the housing service of {annex.council}.",), (
            "You can ask how your application is likely to be treated, and whether a suitable home is likely to come "
            "up, and when (Housing Act 1996, section 166A(9)(a)).",
            "You can ask which facts about you were used, or will be used, to decide whether to offer you a home "
            "(section 166A(9)(b)).",
            "You can ask for a review of a decision about those facts. You must be told the result and the reasons "
            "(section 166A(9)(c)).",
            "If the council is helping you because you are homeless, you can ask for a review of whether the home is "
            "suitable. Ask within 21 days of being told. You can say yes to the home and still ask (section 202).")),
        Passage("If a fact is wrong", (
            "Tell the officer, or the agency that holds the record. You can ask to see what is held about you, and to "
            "have it put right (UK GDPR, articles 15 and 16; for the police and courts, Data Protection Act 2018, "
            "sections 45 and 46).",
            "Once a record is marked as disputed, it counts as “not known” until that is settled. The check is "
            "then made again.")),
    )


TERMS = (
    ("Agency", "An organisation that works with the council, such as the police, social care or the fire service."),
    ("Band", "The group your application is placed in, by how much you need a home."),
    ("CORE code", "A number that every social landlord uses for the reason somebody left a home. 51 is eviction for "
                  "anti-social behaviour, 52 is eviction for rent arrears."),
    ("Corroborated", "Borne out by somebody or something else on record."),
    ("Incident", "One thing that happened, however many people reported it."),
    ("Lawful gateway", "The law that lets one agency give information to another."),
    ("Metres", "Measured in a straight line on the map."),
    ("On record", "Written down by an agency."),
    ("Sensitive let", "A home for which a published local plan sets extra rules for a time."),
    ("Settling-in plan", "Visits, a named worker and help with money in your first weeks."),
    ("Times expected", "How many reports a street had, against how many such a street usually has. 1.5 times is half "
                       "as many again. “At least” means that chance has been allowed for."),
)
"""A word and its meaning, in the order of the alphabet."""
