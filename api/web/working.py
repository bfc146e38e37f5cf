"""What is asked and agreed about a subject, for the page of its flag: questions, answers and actions of all weeks."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from api.web.asking import list_facts
from api.web.keeping import name_user
from api.web.reach import Reach
from api.web.rights import Question, Task
from engine.store import actions, questions
from engine.store.database import Reading
from engine.store.flags import FlagRow, read_rows


def tell_work(request: Request, reading: Reading, me: Reach, row: FlagRow) -> dict[str, Any]:
    """The questions and actions of a flag's subject that this person may see, of this flag and of those before it, and
    whether they may ask and agree more."""
    asked = questions.of_subject(reading, row.list, row.subject)
    agreed = actions.of_subject(reading, row.list, row.subject)
    rows = read_rows(reading, {*(one.flag for one in asked), *(one.flag for one in agreed)})
    seen = me.keep("view_question", [Question(one.id, row.list, one.agency, rows[one.flag].status) for one in asked])
    known = me.keep("view_action", [Task(one.id, row.list, one.agency, rows[one.flag].status) for one in agreed])
    facts = list_facts(request, row.list) if any(one.fact for one in asked) else {}
    return {
        "questions": [{
            "it": one, "by": name_user(reading, one.asked_by),
            "replied_by": name_user(reading, one.replied_by) if one.replied_by else "",
            "fact": facts[one.fact].title if one.fact in facts else "",
            "late": one.state == "asked" and one.due is not None and one.due < me.today}
            for one, may in zip(asked, seen, strict=True) if may],
        "actions": [{"it": one, "late": one.state == "open" and one.due < me.today}
                    for one, may in zip(agreed, known, strict=True) if may],
        "may_ask": all(me.may(reading, "ask_question", [row])),
        "may_agree": all(me.may(reading, "assign_action", [row])),
    }
