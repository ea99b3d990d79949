"""Files as learners write them: right ones, and ones with a mistake of the catalogue planted.

bases/      right files from which the planted ones are made, in the course's names and in this project's
right/      right files in other manners (right.py says which)
planted.py  how a planted file is made
logistic.py, shallow.py, deep.py  what is planted, a line each
drive.py    calls a file's functions on the probes, without the grader
graded.py   grades a text

The files end in .py.txt: they are data, in the manners of their writers, and are neither linted nor collected.
"""

from tests.learners.deep import DEEP
from tests.learners.logistic import LOGISTIC
from tests.learners.planted import Planted
from tests.learners.shallow import SHALLOW

PLANTED: tuple[Planted, ...] = LOGISTIC + SHALLOW + DEEP
