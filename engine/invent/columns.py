"""The feeds the invented borough writes: feed name -> its columns and their types, in file order.

The same columns as rules/feeds/*.yaml (a test holds the two together). A person block is written
`P:prefix` and a location `LOC`; every feed may also carry `amended`, added where it is used.
"""

from __future__ import annotations

PERSON = ("ref:text", "forename:text", "surname:text", "dob:date", "uprn:uprn",
          "postcode:postcode")
LOCATION = "uprn:uprn usrn:usrn lsoa:lsoa easting:easting northing:northing"

_FEEDS = {
    "police_uk": """crime_id month:month reported_by falls_within longitude:longitude
        latitude:latitude location lsoa_code:lsoa lsoa_name crime_type:code last_outcome context""",
    "area_counts": "month:month lsoa:lsoa lsoa_name borough category:code count:integer",
    "police_incidents": """incident_ref occurred:datetime reported:datetime recorded:date
        category:code severity:integer hate_strand:code domestic_abuse:boolean dash_score:integer
        channel:code origin:code reporter_ref anonymous:boolean live_investigation:boolean
        disputed:boolean LOC""",
    "police_involvements": """involvement_ref incident_ref recorded:date role:code
        evidence:integer outcome:code disputed:boolean P:person""",
    "council_asb": """report_ref case_ref occurred:datetime reported:datetime recorded:date
        category:code severity:integer hate_strand:code evidence:integer reporter_ref
        anonymous:boolean channel:code origin:code disputed:boolean LOC P:complainant P:subject""",
    "council_cases": """case_ref opened:date recorded:date closed:date case_type:code
        ram_band:code last_victim_contact:date review_due:date plan_open:boolean
        agreement_signed:date agreement_kept:boolean mediation_done:boolean P:person""",
    "env_health": """report_ref occurred:datetime reported:datetime recorded:date category:code
        reporter_ref disputed:boolean LOC""",
    "housing_tenancies": """tenancy_ref household_ref started:date ended:date end_reason:code
        tenure:code uprn:uprn recorded:date P:person""",
    "household_members": """member_ref household_ref relation:code joined:date left:date
        recorded:date P:person""",
    "housing_rent": """rent_ref tenancy_ref as_at:date arrears:decimal weekly_rent:decimal
        cash_payment:boolean recorded:date P:person""",
    "housing_notices": """notice_ref tenancy_ref served:date kind:code withdrawn:date
        recorded:date P:person""",
    "housing_visits": """visit_ref uprn:uprn visited:date recorded:date kind:code outcome:code
        night_visitors:boolean unseen_14d:boolean new_occupant:boolean door_damage:boolean
        service_dropout:boolean isolated:boolean self_neglect:boolean clutter:integer P:person""",
    "housing_register": """application_ref household_ref registered:date expires:date band:code
        status:code reason:integer wheelchair:boolean needs_assessed:date
        support_package_start:date support_package_end:date noise_trigger:boolean recorded:date
        P:person""",
    "homelessness_cases": """case_ref approached:date closed:date stage:code php_done:date
        reason recorded:date P:person""",
    "support_needs": "need_ref code:code status:code noted:date recorded:date source P:person",
    "engagements": """engagement_ref service:code started:date last_contact:date ended:date
        provider relapsed:boolean recorded:date P:person""",
    "properties": """uprn:uprn kind:code tenure:code landlord block_ref floor:integer beds:integer
        access:code shared_exit_or_high_rise:boolean sheltered:boolean min_age:integer
        sensitive_let:boolean lettings_plan_published:boolean void_since:date ready_from:date
        recorded:date""",
    "proposed_allocations": """proposal_ref application_ref uprn:uprn proposed:date decided:date
        recorded:date stay_type:code travel_minutes:integer settle_plan:boolean ppu_check:code
        ppu_marked:boolean place_restriction_breach:boolean partner_check_needed:boolean
        gateway_logged:boolean prior_conduct_rule_published:boolean conduct_cited:boolean
        applicant_view:code distance_considered:boolean disruption_considered:boolean
        support_considered:boolean amenities_considered:boolean""",
    "fire_incidents": """fire_ref occurred:datetime reported:datetime recorded:date kind:code
        role:code evidence:integer LOC P:person""",
    "fire_visits": """visit_ref visited:date recorded:date uprn:uprn outcome:code clutter:integer
        fire_plan:boolean P:person""",
    "licensing_premises": """premises_ref premises_kind licensed_from:date licensed_to:date
        late:boolean recorded:date LOC""",
    "social_care_flags": """flag_ref flag:code level:integer opened:date closed:date
        lead_professional:boolean recorded:date P:person""",
    "school_summaries": """summary_ref term_end:date absence_pct:decimal suspensions:integer
        excluded:boolean sen_support:boolean young_carer:boolean off_site:boolean recorded:date
        P:person""",
    "orders": """order_ref kind:code started:date ends:date protected_persons:integer
        easting:easting northing:northing radius_m:decimal recorded:date P:person""",
    "keep_apart": """keep_ref kind:code place_kind:code easting:easting northing:northing
        started:date ends:date recorded:date P:person P:other""",
    "operations": """operation_ref kind:code usrn:usrn lsoa:lsoa started:date ended:date
        expires:date before_rate:decimal recorded:date""",
    "transitions": """transition_ref kind:code expected:date offer_open:boolean recorded:date
        P:person""",
    "rough_sleeping": "sighting_ref seen:date usrn:usrn recorded:date P:person",
    "place_plans": "plan_ref level:code place opened:date closed:date recorded:date",
    "service_points": "point_ref kind:code easting:easting northing:northing recorded:date",
    "addresses": """uprn:uprn address postcode:postcode usrn:usrn street_name block_ref lsoa:lsoa
        lsoa_name ward:ward ward_name ward_from:date ward_to:date easting:easting
        northing:northing dwelling:boolean recorded:date""",
}


def _read_columns(text: str) -> dict[str, str]:
    columns: dict[str, str] = {}
    for word in text.replace("LOC", LOCATION).split():
        name, _, kind = word.partition(":")
        if name == "P":
            for part in PERSON:
                suffix, _, part_kind = part.partition(":")
                columns[f"{kind}_{suffix}"] = part_kind
        else:
            columns[name] = kind or "text"
    return columns


FEEDS: dict[str, dict[str, str]] = {feed: _read_columns(text) for feed, text in _FEEDS.items()}
PEOPLE: dict[str, tuple[str, ...]] = {
    feed: tuple(word[2:] for word in text.split() if word.startswith("P:"))
    for feed, text in _FEEDS.items()}
# Whose person numbers each feed quotes.
NAMESPACES = {
    "police_involvements": "police", "council_asb": "council", "council_cases": "council",
    "housing_tenancies": "council", "household_members": "council", "housing_rent": "council",
    "housing_notices": "council", "housing_visits": "council", "housing_register": "council",
    "homelessness_cases": "council", "support_needs": "council", "engagements": "health",
    "fire_incidents": "fire", "fire_visits": "fire", "social_care_flags": "social_care",
    "school_summaries": "education", "orders": "police", "keep_apart": "council",
    "transitions": "council", "rough_sleeping": "council",
}
# The date a record became known to the partnership, by feed; `recorded` unless said.
KNOWN = {"police_uk": "month", "area_counts": "month"}
