"""How each agency writes: its date style, its yes and no, its headers and its words for the codes.

Every header and word here is a synonym of the feed's contract in rules/feeds; a test holds them
to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.invent.columns import FEEDS, NAMESPACES, PEOPLE

POLICE = {"police_uk", "area_counts", "police_incidents", "police_involvements", "orders"}
ISO = POLICE | {"engagements", "fire_incidents", "fire_visits", "school_summaries"}


@dataclass(frozen=True)
class Reference:
    """What a kind of reference looks like: letters, then eight scrambled digits."""

    kind: str
    letters: str
    salt: int


def _number(kinds: str) -> dict[str, Reference]:
    pairs = [pair.split(":") for pair in kinds.split()]
    return {kind: Reference(kind, letters, 100 + n) for n, (kind, letters) in enumerate(pairs)}


_KINDS = _number("""incident:INC involvement:INV asb:SR case:ASB environment:WK reporter:RP
    tenancy:T household:HH member:M rent:RA notice:NT visit:V application:APP approach:HC need:SN
    engagement:EP proposal:PR fire:IRS fire_visit:SW premises:PL flag:FL summary:PT order:CO
    keep:KA operation:OP transition:DTR sighting:RS plan:PP point:SP""")
# feed.column, or a column that means the same everywhere
_COLUMNS = """incident_ref:incident involvement_ref:involvement council_asb.report_ref:asb
    case_ref:case env_health.report_ref:environment reporter_ref:reporter tenancy_ref:tenancy
    household_ref:household member_ref:member rent_ref:rent notice_ref:notice
    housing_visits.visit_ref:visit application_ref:application
    homelessness_cases.case_ref:approach need_ref:need engagement_ref:engagement
    proposal_ref:proposal fire_ref:fire fire_visits.visit_ref:fire_visit premises_ref:premises
    flag_ref:flag summary_ref:summary order_ref:order keep_ref:keep operation_ref:operation
    transition_ref:transition sighting_ref:sighting plan_ref:plan point_ref:point"""
REFERENCES = {column: _KINDS[kind] for column, kind in
              (word.split(":") for word in _COLUMNS.split())}

HEADERS: dict[str, dict[str, str]] = {
    "police_uk": {
        "crime_id": "Crime ID", "month": "Month", "reported_by": "Reported by",
        "falls_within": "Falls within", "longitude": "Longitude", "latitude": "Latitude",
        "location": "Location", "lsoa_code": "LSOA code", "lsoa_name": "LSOA name",
        "crime_type": "Crime type", "last_outcome": "Last outcome category", "context": "Context"},
    "area_counts": {"lsoa": "LSOA21CD", "category": "Crime Type", "count": "Crime Count"},
    "police_incidents": {
        "incident_ref": "NICHE Ref", "occurred": "Occurred From", "category": "NICL Category",
        "domestic_abuse": "DA Marker", "dash_score": "DASH Score", "easting": "X",
        "northing": "Y"},
    "police_involvements": {
        "incident_ref": "Occurrence Number", "role": "Involvement Type",
        "person_ref": "Nominal Number", "person_dob": "D.O.B."},
    "council_asb": {
        "report_ref": "Service Request", "case_ref": "ASB Case Ref", "occurred": "Incident Date",
        "reported": "Date Reported", "recorded": "Logged", "category": "ASB Type",
        "complainant_dob": "Complainant DOB", "subject_dob": "Perpetrator DOB",
        "subject_ref": "Perpetrator Number", "uprn": "Property UPRN"},
    "env_health": {"report_ref": "Worksheet Number", "category": "Request Type",
                   "reported": "Date Received"},
    "housing_tenancies": {
        "tenancy_ref": "Tenancy Number", "started": "Tenancy Start Date",
        "ended": "Termination Date", "end_reason": "Termination Reason", "tenure": "Tenancy Type",
        "person_ref": "Customer Number", "person_dob": "Date of Birth"},
    "housing_rent": {"as_at": "Week Ending", "arrears": "Current Arrears",
                     "weekly_rent": "Net Rent", "person_ref": "Customer Number"},
    "housing_register": {"application_ref": "Application Number", "registered": "Date Registered",
                         "person_ref": "Applicant Number"},
    "homelessness_cases": {"case_ref": "H-CLIC Case", "approached": "Date of Approach",
                           "stage": "Duty Stage", "php_done": "PHP Date"},
    "social_care_flags": {"flag_ref": "Alert ID", "flag": "Alert Type", "person_ref": "Mosaic ID"},
    "school_summaries": {"absence_pct": "Absence %", "person_ref": "Pupil Number"},
    "fire_incidents": {"fire_ref": "IRS Number", "occurred": "Time of Call"},
}
_ASB_WORDS = {
    "N01": "Noise Nuisance", "V01": "Vehicle Nuisance", "E03": "Graffiti", "D01": "Drug Use",
    "E04": "Untidy Garden", "R01": "Rowdy Behaviour", "Y01": "Youth Nuisance",
    "P01": "Harassment / Intimidation", "P02": "Neighbour Dispute", "P03": "Hate Incident",
    "C01": "Malicious / Nuisance Communications", "A01": "Street Drinking", "X01": "Dogs"}
CODE_WORDS: dict[tuple[str, str], dict[str, str]] = {
    ("council_asb", "category"): _ASB_WORDS,
    ("env_health", "category"): {"N01": "Noise", "E01": "Fly Tipping", "E02": "Needles",
                                 "E03": "Graffiti", "V02": "Abandoned Vehicle",
                                 "LIGHT": "Street Light Fault"},
    ("council_asb", "channel"): {"call": "Telephone", "online": "Web Form", "patrol": "Warden"},
    ("housing_tenancies", "end_reason"): {"evicted_arrears": "10", "evicted_asb": "11",
                                          "evicted_both": "21", "moved": "NTQ"},
    ("housing_tenancies", "tenure"): {"council": "Secure", "housing_association": "Assured"},
    ("homelessness_cases", "stage"): {"prevention": "Prevention Duty", "relief": "Relief Duty",
                                      "main": "Main Duty"},
    ("police_involvements", "role"): {"victim": "VIC", "witness": "WIT", "alleged_subject": "SUS"},
    ("social_care_flags", "flag"): {"child_in_need": "CIN", "early_help": "Early Help",
                                    "marac": "MARAC", "mappa_2": "MAPPA 2"},
    ("fire_incidents", "kind"): {"false_alarm": "AFA", "accidental": "Accidental Fire"},
}
# Some agencies publish their file in another form than CSV.
FORMS = {"operations": "xlsx", "service_points": "xlsx", "school_summaries": "parquet"}


def find_reference(feed: str, column: str) -> Reference | None:
    """The form of a reference column, or None when the column is not a counted reference."""
    return REFERENCES.get(f"{feed}.{column}") or REFERENCES.get(column)


def name_header(feed: str, column: str) -> str:
    """The header an agency prints over a column."""
    return HEADERS.get(feed, {}).get(column, column)


def list_owned(feed: str) -> set[str]:
    """The person-reference columns of a feed, written with the agency's own letters."""
    return {f"{prefix}_ref" for prefix in PEOPLE[feed]} if feed in NAMESPACES else set()


assert all(column in FEEDS[feed] for feed, names in HEADERS.items() for column in names)
