"""The grader: somebody's own backpropagation is run, each quantity is held to its formula, and the mistake is named.

source      a .py or .ipynb file as text and lines
room        a process of its own with limits, in which `stage` runs the file and says what happened
process     that process, as the room sees it
stage       that process from inside: it runs the file, statement by statement
playing     … and calls its functions
tracing     … and records their local names
values      … as plain data
inventory   what the file defines
standins    modules that it asks for and need not be there
guards      what limits it
troubles    what goes wrong in it, in words
wire        how values travel between the two
record      what is asked of the stage, and what it tells
names       what people call these functions and quantities
words       the names and keys in a learner's functions
protocol    which of the file's functions are called on a probe, in which order
handing     what each of their arguments is given
forms       how the file packs parameters, caches and gradients, learned by calling it once
observe     what they computed, under the notes' names
view        what one scene showed
collect     the quantities in a call's result and in its local names
leaves      the parts of a result, and what they are where only the function's role tells
series      which layers, or examples, the values of one name belong to
reading     what the text says of a value: where it was returned, or bound, or keyed
probes      the inputs, which tell all mistakes apart
bounded     numbers with the error that rounding may have given them
formulas    the notes' formulas, and what each would be with a mistake in it
held        a quantity held to its formula
unformed    mistakes that are no formula
judge       what differs from its formula, and which mistake explains it
units       activation functions, initialisation, prediction, training
catalogue   the mistakes in words
findings    what is found
words       what is said of them, the formula of every quantity, and the reference's line for each
once        what two of its exercises would both tell
run         a file from its path to what is said of it
report      what a person and a program read
command     `parity grade`
checking    `check`, for a test suite
templates   files to start from
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from parity.grade.checking import check as check


def __getattr__(name: str) -> Any:
    """`check`, once it is asked for: what it needs is not imported before."""
    if name != "check":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from parity.grade.checking import check

    return check
