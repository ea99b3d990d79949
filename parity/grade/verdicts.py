"""What has been found so far: each quantity right, wrong or open, and each mistake once a function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from parity.grade.findings import Finding, Note
from parity.grade.record import NO_VERDICT, Function, Played, Trouble


@dataclass(frozen=True)
class Units:
    """What was found in the functions that are no pass through a network.

    Attributes
    ----------
    findings, notes, troubles
        What is wrong; what is valid but different; what could not be run.
    scores : mapping
        By quantity: True where right, False where wrong, None where it could not be judged.
    """

    findings: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    scores: Mapping[str, bool | None] = field(default_factory=dict)


@dataclass
class Found:
    """The same of an exercise, in the making."""

    exercise: str
    findings: list[Finding] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    scores: dict[str, bool | None] = field(default_factory=dict)


class Verdicts(Found):
    """What the functions that are no pass add to it."""

    def right(self, quantity: str) -> None:
        """Nothing speaks against it, unless something did before."""
        if self.scores.get(quantity) is None:
            self.scores[quantity] = True

    def open(self, quantity: str) -> None:
        """It cannot be judged."""
        self.scores.setdefault(quantity, None)

    def wrong(
        self,
        quantity: str,
        mistake: str | None,
        symptom: str,
        function: Function,
        *,
        line: int | None = None,
        shown: str = "",
        guess: str = "",
    ) -> None:
        """A finding; the same mistake in another quantity of the function joins it."""
        self.scores[quantity] = False
        line = function.line if line is None else line
        new = Finding(self.exercise, (quantity,), mistake, symptom, shown, function.name, line, guess)
        for i, old in enumerate(self.findings):
            if _same(old, new):
                extra = () if quantity in old.quantities else (quantity,)
                self.findings[i] = replace(old, quantities=old.quantities + extra)
                return
        self.findings.append(new)

    def note(self, convention: str, function: Function, line: int | None = None) -> None:
        """A valid convention, said once a function."""
        if not any((n.convention, n.function) == (convention, function.name) for n in self.notes):
            self.notes.append(Note(convention, function.name, function.line if line is None else line))

    def raised(self, quantity: str, played: Played, function: Function) -> None:
        """What was raised: a finding where the function is at fault, a trouble where it could not be run."""
        assert played.trouble is not None
        trouble = played.trouble
        if trouble.kind in NO_VERDICT:
            self.open(quantity)
            if trouble not in self.troubles:
                self.troubles.append(trouble)
        else:
            self.wrong(quantity, None, f"raises {trouble.what}", function, line=trouble.line)

    def units(self) -> Units:
        """All of it."""
        return Units(tuple(self.findings), tuple(self.notes), tuple(self.troubles), dict(self.scores))


def _same(old: Finding, new: Finding) -> bool:
    """Unknown ones are the same only if they look the same."""
    if (old.mistake, old.function) != (new.mistake, new.function):
        return False
    return old.mistake is not None or (old.symptom, old.guess) == (new.symptom, new.guess)
