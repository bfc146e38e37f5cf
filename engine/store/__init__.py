"""The operational database: flags put forward, what people decided about them, who they are, and an audit log.

    tables -> connections -> versions -> database -> audit -> flags -> reviews -> actions, questions, ...

Nothing else writes to it. Functions take a `Reading` or a `Writing` and give frozen dataclasses; the moment, the actor
and new ids are passed in. Every change is told in the audit log in the same transaction.
"""
