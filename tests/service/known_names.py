"""For schemathesis: most of the requests it makes up name an applicant, a home and a screening that exist.

Otherwise nearly every answer would be that there is nobody of that name.
"""

from __future__ import annotations

import itertools
from typing import Any

import schemathesis

_TURN = itertools.count()
_NAMES = {"applicant": ("HR-1", "HR-4", "HR-5"), "uprn": ("100000001", "100000002", "100000003"),
          "rule": ("allocation/access-mismatch",)}
_TOLD = ({"fact": "travel_minutes", "value": 20}, {"fact": "travel_minutes", "value": 90},
         {"fact": "stay_type", "value": "general_needs"}, {"fact": "applicant_dependent_children", "value": 2})


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Puts known names into a request that is well formed; every fourth is left as it was made up."""
    turn = next(_TURN)
    if turn % 4 == 0 or case.meta is None or case.meta.generation.mode.is_negative:
        return
    if isinstance(case.body, dict):
        for field, names in _NAMES.items():
            if field in case.body:
                case.body[field] = names[turn % len(names)]
        if case.body.get("answers"):
            case.body["answers"] = [{**_TOLD[turn % len(_TOLD)], "told_on": "2026-11-20"}]
    for name, known in (("screening", f"S{turn % 5 + 1:06d}"), ("offer", "OF000001")):
        if name in case.path_parameters:
            case.path_parameters[name] = known
