"""The benchmark: it times only what is proven equal, and only beside a floor of the same run.

`parity bench`: command (the options), cases (what there is to time), problems (their inputs, and an exact problem of
the same shape), verify (what is going to be timed is right), subjects (how an implementation is called), worker and
timing (one process, its switches, its clock), floor (matrix products alone, and what the machine can do at most), run
(all of it in order), results (the JSON), compare (two runs). What a person sees: report, page and plots, all by what
reading reads off a run, in the units of units.
"""
