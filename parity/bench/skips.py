"""Why rows were skipped, in as few lines as that can be said: the same reason, a missing device, a range of numbers."""

from __future__ import annotations

import re
from typing import NamedTuple

from parity.bench.reading import readings
from parity.bench.results import Results, Row

NUMBER = re.compile("(?<![^ ])[0-9]{1,9}(?= )", re.ASCII)
"""A whole number of a sensible length that is a word of its own, and no version."""


class Skipped(NamedTuple):
    """Rows that were skipped for one reason, or on a device on which nothing was timed."""

    why: str
    rows: list[Row]

    @property
    def names(self) -> str:
        """Of their implementations."""
        return ", ".join(dict.fromkeys(row.key.implementation for row in self.rows))


def reasons(results: Results) -> list[Skipped]:
    """Why rows were skipped, most often first; of a device that is not there in one line."""
    read = readings(results)
    used = {"cpu", *(r.key.device for r in read if r.lines or r.differing)}
    found: dict[tuple[str, str], list[Row]] = {}
    for row, reason in (skipped for r in read for skipped in r.skipped):
        device = "" if row.key.device in used else row.key.device
        # "reference knows no device cuda" of one, "knows no device cuda" of all
        found.setdefault((device, reason.removeprefix(f"{row.key.implementation} ")), []).append(row)
    on = {device: {why: of for (d, why), of in found.items() if d == device} for device, _ in found}
    each = {device: _but_for_numbers(of) for device, of in on.items()}
    there = [Skipped(f"{one.why}: {one.names}", one.rows) for one in each.pop("", [])]
    every = there + [_nothing_on(device, of) for device, of in each.items()]
    return sorted(every, key=lambda one: -len(one.rows))


def _but_for_numbers(found: dict[str, list[Row]]) -> list[Skipped]:
    """Reasons that are alike but for their numbers as one, with the range of each number."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for why in found:
        alike.setdefault(tuple(NUMBER.split(why)), []).append(why)
    return [
        Skipped(_with_ranges(words, [NUMBER.findall(why) for why in of]), [row for why in of for row in found[why]])
        for words, of in alike.items()
    ]


def _with_ranges(words: tuple[str, ...], numbers: list[list[str]]) -> str:
    """The words with the numbers that stood between them: 8 to 16 where they are not the same everywhere."""
    each = [sorted(set(column), key=int) for column in zip(*numbers, strict=True)]
    ranges = [of[0] if len(of) == 1 else f"{of[0]} to {of[-1]}" for of in each]
    return "".join(word + number for word, number in zip(words, [*ranges, ""], strict=True))


def _nothing_on(device: str, of: list[Skipped]) -> Skipped:
    """A line for a device; whose reason is its own is named, last."""
    told = sorted((any(row.skipped != one.why for row in one.rows), i) for i, one in enumerate(of))
    why = [f"{of[i].why}: {of[i].names}" if own else of[i].why for own, i in told]
    return Skipped(f"nothing on {device}: {'; '.join(why)}", [row for one in of for row in one.rows])
