"""`make bench`: how long a week takes and how long a screening takes, each beside something simpler in the same run.

    __main__   which parts are asked for, in which order; every step in a process of its own
    borough    an invented borough, taken in and run
    weekly     a week at two sizes, beside one query written by hand
    screening  screenings in process, with and without keeping
    service    screenings over HTTP, beside an empty path served the same way (`empty`, `client`)
    engines    the same rules one case at a time through five engines (`decision`: conditions for zen-engine)
    page       the results as docs/bench.md

Ratios matter more than seconds, which are this machine's. Nothing here passes or fails.
"""
