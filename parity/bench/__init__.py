"""The benchmark: it times only what is proven equal, and only beside a floor of the same run.

`parity bench`: command (the options), cases (what there is to time), problems (their inputs, and an exact problem of
the same shape), exact and verify (what is going to be timed is right), contrasts (other ways to call a framework),
worker (a process that times, its switches, its clock), floor (matrix products alone, and what the machine can do at
most), plan and run (all of it in order), results (the JSON), statistics and compare (two runs), report, plots and page
(what a person sees).
"""
