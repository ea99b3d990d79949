"""What the grader finds in a file: mistakes, notes, and what could not be run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from parity.grade.record import NO_VERDICT, Trouble

EXERCISES = ("logistic", "shallow", "deep", "activations", "initialization")


@dataclass(frozen=True)
class Finding:
    """A mistake, or something that is wrong and meets none of the catalogue.

    Attributes
    ----------
    exercise : str
        One of `EXERCISES`.
    quantities : tuple of str
        In the notes' names, in the order of computation: ("dW3", "dW2", "dW1") where all have the same mistake.
    mistake : str or None
        Its id in the catalogue; None is unknown.
    symptom : str
        What was seen, one line: "dW1 is 8 times what its formula gives", "raises ValueError: …".
    shown : str
        An element: "dW1[0, 2] is 0.5, its formula gives 0.0625", or an empty string.
    function, line
        Where in the learner's file.
    guess : str
        Where the mistake is unknown, what can be said of the difference: "a factor 3", "a sign"; or empty.
    """

    exercise: str
    quantities: tuple[str, ...]
    mistake: str | None
    symptom: str
    shown: str = ""
    function: str | None = None
    line: int | None = None
    guess: str = ""

    @property
    def about(self) -> tuple[str, ...]:
        """Its quantities, and the one that it was seen in, with which the symptom begins: dZ1 of an unnamed dA1."""
        return (*self.quantities, self.symptom.partition(" ")[0])


@dataclass(frozen=True)
class Note:
    """A convention that differs from the notes' and is valid; or what was not looked at, and why.

    Attributes
    ----------
    convention : str
        A key of `parity.grade.catalogue.CONVENTIONS`.
    """

    convention: str
    function: str | None = None
    line: int | None = None


@dataclass(frozen=True)
class Graded:
    """All that is said of a file.

    Attributes
    ----------
    file : str
        As it was given.
    exercises : tuple of str
        Those that were graded.
    findings, notes, troubles
        What is wrong; what is valid but different; what could not be run.
    scores : mapping
        By exercise and quantity: True where right, False where wrong, None where it follows from what is wrong before
        it or could not be judged: {"shallow": {"Z1": True, …, "dW1": False}}.
    missing : mapping
        By exercise, the functions that were looked for in vain.
    printed : str
        The beginning of what the file printed.
    """

    file: str
    exercises: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    scores: Mapping[str, Mapping[str, bool | None]] = field(default_factory=dict)
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    printed: str = ""

    @property
    def names(self) -> frozenset[str | None]:
        """The ids of the mistakes; None among them is an unknown one."""
        return frozenset(finding.mistake for finding in self.findings)

    @property
    def status(self) -> int:
        """0 right, 1 mistakes, 2 something could not be run: the exit status."""
        if not self.exercises or any(trouble.kind in NO_VERDICT for trouble in self.troubles):
            return 2
        return 1 if self.findings else 0
