"""The grader's confusion matrix: `python -m tests.grade_matrix [PART OF A NAME]` prints what is off its diagonal."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence

from tests.learners import PLANTED, Planted
from tests.learners.graded import graded_planted

Case = tuple[Planted, str]

CASES: tuple[Case, ...] = tuple((entry, dtype) for entry in PLANTED for dtype in entry.dtypes)
"""Every planted file, in every format in which it can be seen."""


def sample(cases: Sequence[Case]) -> list[Case]:
    """One of each mistake in each exercise: the kind of names and the format alternate."""
    groups: dict[tuple[str, str], list[Case]] = {}
    for entry, dtype in cases:
        groups.setdefault((entry.mistake, entry.exercise), []).append((entry, dtype))
    return [group[i * len(group) // 7 % len(group)] for i, group in enumerate(groups.values())]


def wrong(entry: Planted, dtype: str) -> str:
    """What is said in place of the mistake, or beside it; empty where it is named alone."""
    found = graded_planted(entry, (dtype,))
    if found.names == {entry.mistake} and found.status == 1:
        return ""
    said = [f"{f.mistake} in {', '.join(f.quantities)}: {f.symptom}" for f in found.findings]
    return "; ".join(said + [f"{t.kind}: {t.what}" for t in found.troubles]) or "nothing"


def main(part: str = "") -> int:
    """Print the files that are not graded as planted, and how many are."""
    cases = [(entry, dtype) for entry, dtype in CASES if part in str(entry)]
    bad = 0
    for entry, dtype in cases:
        try:
            said = wrong(entry, dtype)
        except Exception as error:  # of the grader
            said = f"the grader raised {type(error).__name__}: {error}"
        bad += bool(said)
        print(*([f"{entry} in {dtype}: {said}"] if said else []), sep="\n", end="\n" if said else "")
    print(f"{len(cases) - bad} of {len(cases)} named, and nothing else")
    return int(bad > 0)


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as the command does for a learner's file
        sys.exit(main(*sys.argv[1:2]))
