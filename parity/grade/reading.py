"""What a learner's text says of a value: which name was returned, on which line a key got its value, what is a loop."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from parity.grade import names
from parity.grade.mentions import functions_of, key_text, words
from parity.grade.record import Binding, Source

Code = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


SPELLINGS = {"w": ("W", "w", "weights", "weight"), "b": ("b", "B", "bias", "biases")}


OUTPUT = re.compile("sigm|exp|logistic|tanh", re.I)
OF_LOGITS = re.compile("logit|logaddexp|softplus|log_?sigmoid|log1p", re.I)


class Text:
    """A file's functions, each read once."""

    def __init__(self, source: Source) -> None:
        self.functions = functions_of(source.tree)
        self._read: dict[str, Reading] = {}
        self._later: dict[int, frozenset[str]] = {}

    def of(self, function: str) -> Reading:
        """What is read in a function; nothing where it is not in the file."""
        if function not in self._read:
            self._read[function] = Reading(self.functions.get(function))
        return self._read[function]

    @cached_property
    def words(self) -> frozenset[str]:
        """Those of all functions."""
        return frozenset(word for node in self.functions.values() for word in words(node))

    def spelled(self, parameter: str) -> str:
        """The key under which a file's functions look for a parameter: W1, unless they know but w1, W_1 or weights1."""
        stem, l = parameter[0], parameter[1:]
        for other in SPELLINGS[stem.lower()]:
            for joint in ("", "_"):
                if {f"{other}{joint * bool(l)}{l}", *([f"{other}{joint}{{}}"] if l else [])} & self.words:
                    return f"{other}{joint * bool(l)}{l}"
        return parameter

    def gives_logits(self, function: str) -> bool:
        """Whether a forward pass leaves the last sigmoid to the cost: it has none, and the cost is one of logits."""
        node = self.functions.get(function)
        own = " ".join(words(node)) if node is not None else "sigmoid"
        return not OUTPUT.search(own) and any(OF_LOGITS.search(word) for word in self.words)

    def later(self, L: int) -> frozenset[str]:
        """The kinds that a file of L layers counts from 2 on, the inputs being a1: z2, z3, delta3."""
        if L not in self._later:
            named = {names.quantity(word) for word in self.words}
            late = {kind for kind in ("Z", "dZ") if f"{kind}{L + 1}" in named and f"{kind}1" not in named}
            late |= {"A"} if "Z" in late and f"A{L + 1}" in named else set()
            self._later[L] = frozenset(late)
        return self._later[L]

    def calls(self, function: str) -> frozenset[str]:
        """The last names of what a function calls."""
        return self.of(function).calls


class Reading:
    """What one function's text says.

    Attributes
    ----------
    calls : frozenset of str
        The last names of what it calls.
    words : frozenset of str
    stores : bool
        Whether it assigns to attributes of self, or to what they hold.
    begins : frozenset of str
        The attributes of self that are bound to something that is not made of them.
    returns : list of (first line, last line, names)
        Of each return, the names of the returned tuple's elements, None where an element is no name.
    """

    def __init__(self, node: Code | None) -> None:
        parts = [node, *_inside(node)] if node is not None else []
        self._called = [(_last_name(part.func), part.lineno) for part in parts if isinstance(part, ast.Call)]
        self.calls = frozenset(name for name, _ in self._called)
        self.words = frozenset(words(node)) if node is not None else frozenset()
        self.returns = [
            (part.lineno, part.end_lineno or part.lineno, _elements(part.value))
            for part in parts
            if isinstance(part, ast.Return) and part.value is not None
        ]
        if isinstance(node, ast.Lambda):
            self.returns = [(node.lineno, node.end_lineno or node.lineno, _elements(node.body))]
        self.stores = any(isinstance(p, ast.Assign | ast.AugAssign) and _of_self(p) for p in parts)
        self.begins = frozenset(name for p in parts if isinstance(p, ast.Assign) for name in _made_anew(p))
        self._multiplied = {found for part in parts for found in _multiplied(part)}
        self._keys = [found for part in parts for found in _keys(part)]
        self._loops = [(p.lineno, p.end_lineno or p.lineno) for p in parts if isinstance(p, ast.For | ast.While)]
        self._statements = [found for part in parts for found in _statements(part)]
        self._refined: dict[tuple[str, int, int], bool] = {}

    def returned(self, line: int | None) -> list[str | None]:
        """The names of what is returned on a line; an empty list where that is not known."""
        for first, last, called in self.returns:
            if line is not None and first <= line <= last:
                return called
        return self.returns[0][2] if len(self.returns) == 1 else []

    def key_line(self, key: str) -> int | None:
        """Where a dict's item is made: the first line of `grads["dW1"] = …`, or of the key in a literal."""
        lines = [line for pattern, line in self._keys if re.fullmatch(pattern, key)]
        return lines[-1] if lines else None

    def multiplies(self, name: str) -> bool:
        """Whether it makes dZ of dA under the one name, `dA *= g'` or `dA = dA * g'`."""
        return name in self._multiplied

    def call_line(self, name: str) -> int | None:
        """The first line on which a function of this name is called."""
        return next((line for called, line in self._called if called == name), None)

    def in_loop(self, line: int | None) -> bool:
        """Whether a line is inside of a loop."""
        return line is not None and any(first < line <= last for first, last in self._loops)

    def refines(self, name: str, before: int, after: int) -> bool:
        """Whether the second line follows on the first in one block, and only works on: `dZ = dZ * g`, `dZ *= g`."""
        key = (name, before, after)
        if key not in self._refined:
            one, two = self._statement(before), self._statement(after)
            self._refined[key] = bool(
                one and two and one[2] == two[2] and one[0] < two[0] and _reads(two[3], name.removeprefix("self."))
            )
        return self._refined[key]

    def _statement(self, line: int) -> tuple[int, int, int, ast.stmt] | None:
        holding = [s for s in self._statements if s[0] <= line <= s[1] and not isinstance(s[3], ast.For | ast.While)]
        return holding[-1] if holding else None


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of the functions in it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield child
            yield from _inside(child)


def _of_self(statement: ast.Assign | ast.AugAssign) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    parts = (part for target in targets for part in ast.walk(target) if isinstance(part, ast.Attribute))
    return any(_last_name(part.value) == "self" for part in parts)


def _made_anew(statement: ast.Assign) -> set[str]:
    flat = [t for target in statement.targets for t in (target.elts if isinstance(target, ast.Tuple) else [target])]
    bound = {t.attr for t in flat if isinstance(t, ast.Attribute) and _last_name(t.value) == "self"}
    return bound - {_last_name(part) for part in ast.walk(statement.value)}


def _multiplied(part: ast.AST) -> Iterator[str]:
    if isinstance(part, ast.AugAssign) and isinstance(part.op, ast.Mult):
        yield _last_name(part.target)
    if isinstance(part, ast.Assign) and isinstance(part.value, ast.BinOp) and isinstance(part.value.op, ast.Mult):
        read = {_last_name(side) for side in (part.value.left, part.value.right)}
        yield from read & {_last_name(target) for target in part.targets}


def _last_name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _elements(value: ast.expr) -> list[str | None]:
    parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
    return [
        part.id
        if isinstance(part, ast.Name)
        else f"self.{part.attr}"
        if isinstance(part, ast.Attribute) and _last_name(part.value) == "self"
        else None
        for part in parts
    ]


def _keys(part: ast.AST) -> Iterator[tuple[str, int]]:
    if isinstance(part, ast.Dict):
        for key in part.keys:
            text = key_text(key) if key is not None else None
            if text is not None and key is not None:
                yield _pattern(text), key.lineno
    if isinstance(part, ast.Call) and _last_name(part.func) == "dict":
        yield from ((_pattern(word.arg), word.value.lineno) for word in part.keywords if word.arg)
    if isinstance(part, ast.Assign | ast.AugAssign):
        targets = part.targets if isinstance(part, ast.Assign) else [part.target]
        flat = [t for target in targets for t in (target.elts if isinstance(target, ast.Tuple) else [target])]
        for target in flat:
            if isinstance(target, ast.Subscript) and (text := key_text(target.slice)) is not None:
                yield _pattern(text), target.lineno


def _pattern(text: str) -> str:
    return r"\d+".join(map(re.escape, text.split("{}")))


def _statements(part: ast.AST) -> Iterator[tuple[int, int, int, ast.stmt]]:
    """(first line, last line, which block, statement) of each statement in the blocks of a node."""
    for field in ("body", "orelse", "finalbody"):
        block = getattr(part, field, None)
        if isinstance(block, list):
            for statement in block:
                if isinstance(statement, ast.stmt):
                    yield statement.lineno, statement.end_lineno or statement.lineno, id(block), statement


def _reads(statement: ast.stmt, name: str) -> bool:
    if isinstance(statement, ast.AugAssign):
        return True
    value = getattr(statement, "value", None)
    return value is not None and any(_last_name(part) == name for part in ast.walk(value))


def settled(name: str, bindings: Sequence[Binding], reading: Reading) -> list[Binding]:
    """The bindings of a name without those that the next statement works on: of Z = W @ A, Z = Z + b the second."""
    return [
        binding
        for at, binding in enumerate(bindings)
        if at + 1 == len(bindings) or not reading.refines(name, binding.line, bindings[at + 1].line)
    ]
