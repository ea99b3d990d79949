"""The benchmark: it times only what is proven equal, and only beside a floor of the same run.

`parity bench`: command (the options), cases (what there is to time) and plan (which rows); problems (their inputs, and
an exact problem of the same shape), exact, verify and judge (what is going to be timed is right); contrasts (other ways
to call a framework), worker (a process that times: its switches, its clock), floor (matrix products alone, and what the
machine can do at most), run (all of it in order); machine and results (the JSON), statistics and compare (two runs);
reading and skips (what a person wants to know of a run), units and columns, and report, plots and page (where that is
seen).
"""
