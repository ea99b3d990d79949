"""One thin adapter a framework and variant: a problem goes in, named NumPy arrays come out.

An adapter imports its framework only when it is asked to compute, and never assumes that it is alone in its process or
on one device. Others register theirs under the entry point group `parity.implementations`
(docs/adding-an-implementation.md).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import import_module, metadata
from typing import Any, ClassVar

import numpy as np

from parity.compare import Comparison, Standard
from parity.errors import FOREIGN, one_line
from parity.names import BUILT_IN, GROUP, available_names
from parity.problems import NETWORKS, Problem
from parity.training import Descent

Quantities = dict[str, np.ndarray]

Stepped = tuple[Quantities, np.ndarray | None]
"""The parameters after a step, and J before it."""

Task = Callable[[Any, Any, Any], Any]
"""A function of (params, X, Y)."""

_STEPPERS: dict[tuple[str, str, str], Callable[..., tuple[dict[str, Any], Any]]] = {}
"""The function that takes the steps of the descent that this process is at."""


@dataclass(frozen=True)
class Call:
    """Work that is ready to be timed: its inputs lie where, and as, the implementation wants them.

    Attributes
    ----------
    run : callable
        Does the work once, and returns when every output is there.
    home : callable
        What `run` returned as NumPy arrays in the notes' names: J and the gradients of a step, the cache of a forward
        pass, the `costs` and the new parameters of training.
    """

    run: Callable[[], Any]
    home: Callable[[Any], Quantities]


class Implementation(ABC):
    """What the witness asks of an implementation.

    Attributes
    ----------
    name, framework, variant : str
        "torch-compile" is the variant "compile" of "torch". The framework is the module that is imported.
    about : str
        One line: what it is.
    slow : bool
        Whether it compiles or dispatches slowly; it then runs on one problem a model and dtype, or on all if asked to.
    trains_by_name : bool
        Whether it trains only where it is asked for by name.
    whole : bool
        Whether it computes every quantity of a problem, so that one that is missing is a difference.
    gives_cost : bool
        Whether a step that is timed gives J beside the gradients.
    eager : str
        Of one that compiles: the variant that does not, beside which compiling is to pay.
    """

    name: ClassVar[str]
    framework: ClassVar[str]
    variant: ClassVar[str] = ""
    about: ClassVar[str] = ""
    slow: ClassVar[bool] = False
    trains_by_name: ClassVar[bool] = False
    whole: ClassVar[bool] = False
    gives_cost: ClassVar[bool] = True
    eager: ClassVar[str] = ""

    def unavailable(self) -> str | None:
        """Why it cannot run on this machine at all, or None."""
        try:
            import_module(self.framework)
        except ImportError as error:
            return f"{self.framework} is not installed ({error})"
        return None

    def devices(self) -> Mapping[str, str | None]:
        """Every device it knows, with the reason why it cannot be used here, or None."""
        return {"cpu": None}

    def refuses(self, problem: Problem, dtype: str, device: str) -> str | None:
        """Why it does not compute this problem, or None."""
        return None

    @abstractmethod
    def quantities(self, problem: Problem, dtype: str, device: str) -> Quantities:
        """Every quantity that it computes, under the notes' names, in `dtype`.

        For a network also the updated parameters `new_W1`, …, and for a problem that trains the `costs` and the
        parameters after the last step.
        """

    def refuses_training(self, descent: Descent) -> str | None:
        """Why it does not take the steps of gradient descent on this problem, or None."""
        return self.refuses(replace(descent.problem, iterations=1), descent.dtype, descent.device)

    def train(self, descent: Descent, params: Quantities, first: int, steps: int) -> Iterator[Stepped]:
        """The steps from `first` on: after each the parameters, and J before it, or None where it computes none.

        Unless an implementation has a way of its own, a step is a pass of `quantities` with its update.
        """
        for step in range(first, first + steps):
            found = self.quantities(descent.at(step, params), descent.dtype, descent.device)
            missing = [f"new_{name}" for name in params if f"new_{name}" not in found]
            if missing:
                raise ValueError(f"quantities returned no {missing[0]}: it makes no update")
            params = {name: found[f"new_{name}"] for name in params}
            yield params, found.get("J")

    def train_in_one_go(self, descent: Descent, params: Quantities) -> tuple[Quantities, np.ndarray] | None:
        """The parameters after all steps and the costs, by its own loop; None where the loop is that of `train`."""
        return None

    def refuses_work(self, work: str, problem: Problem, dtype: str, device: str) -> str | None:
        """Why there is nothing to time, or None. Works are a step, train and forward (`parity.bench.cases`)."""
        return "offers nothing that can be timed"

    def prepare(self, work: str, problem: Problem, dtype: str, device: str, steps: int = 1) -> Call:
        """The work, ready to be timed; training takes so many steps in one call."""
        raise NotImplementedError

    def judge(self, standard: Standard, found: Quantities) -> Iterable[Comparison]:
        """The verdict on every quantity found."""
        return standard.compare(found, whole=self.whole)


class Mirrored(Implementation):
    """An implementation that consists of the mirrored files: a package with the same names as reference/."""

    package: ClassVar[str]
    whole = True

    @abstractmethod
    def to_framework(self, array: np.ndarray, device: str) -> Any:
        """The array's bits on `device`."""

    @abstractmethod
    def to_numpy(self, array: Any) -> np.ndarray:
        """The array's bits in NumPy."""

    def learning_rate(self, problem: Problem, dtype: str) -> Any:
        """α as the framework takes it."""
        return problem.learning_rate

    def run(self, compute: Callable[..., dict[str, Any]], *inputs: Any) -> dict[str, Any]:
        """Call `compute` in the manner of this variant."""
        return compute(*inputs)

    def compute(self, problem: Problem, dtype: str) -> Callable[..., dict[str, Any]]:
        """The function of (params, X, Y) whose result is compared."""
        return whole_pass(import_module(f"{self.package}.{problem.model}"), problem, self.learning_rate(problem, dtype))

    def quantities(self, problem: Problem, dtype: str, device: str) -> Quantities:
        with self.switches():
            return self._home(self.run(self.compute(problem, dtype), *self.moved(problem, dtype, device)))

    def switches(self) -> AbstractContextManager[object]:
        """The framework's global switches as the witness needs them, and as before afterwards."""
        return nullcontext()

    def moved(self, problem: Problem, dtype: str, device: str) -> tuple[dict[str, Any], Any, Any]:
        """params, X and Y on `device`."""
        params, X, Y = problem.inputs(dtype)
        at = {name: self.to_framework(p, device) for name, p in params.items()}
        return at, self.to_framework(X, device), self.to_framework(Y, device)

    def _home(self, found: Mapping[str, Any]) -> Quantities:
        return {name: self.to_numpy(value) for name, value in found.items()}

    def refuses_work(self, work: str, problem: Problem, dtype: str, device: str) -> str | None:
        return self.refuses(problem, dtype, device)

    def task(self, work: str, problem: Problem, dtype: str, steps: int) -> Task:
        """The work as a function of the package's own, in the manner of this variant."""
        module, options = import_module(f"{self.package}.{problem.model}"), problem.options
        if work == "step":
            return partial(module.cost_and_gradients, **options)
        if work == "forward":
            return lambda params, X, Y: module.forward(params, X, **options)
        rate = self.learning_rate(problem, dtype)
        return partial(module.train, learning_rate=rate, iterations=steps, **options)

    def finished(self, task: Task, device: str) -> Task:
        """The same, returning when every output is there."""
        return task

    def prepare(self, work: str, problem: Problem, dtype: str, device: str, steps: int = 1) -> Call:
        task = self.finished(self.task(work, problem, dtype, steps), device)
        return Call(partial(task, *self.moved(problem, dtype, device)), partial(self._named, work))

    def _named(self, work: str, found: Any) -> Quantities:
        """What the package's functions return, in the notes' names."""
        if work == "forward":
            return self._home(found[1])
        if work == "step":
            J, grads = found
            return self._home({"J": J, **grads})
        params, costs = found
        new = self._home({f"new_{name}": p for name, p in params.items()})
        in_numpy = np.array([self.to_numpy(J) for J in costs]) if isinstance(costs, list) else self.to_numpy(costs)
        return {"costs": in_numpy, **new}

    def stepper(self, descent: Descent) -> Callable[..., tuple[dict[str, Any], Any]]:
        """A function of (params, X, Y) that takes one step: the new parameters, and J before it."""
        return lambda params, X, Y: self._trained(descent, params, X, Y, 1)

    def train(self, descent: Descent, params: Quantities, first: int, steps: int) -> Iterator[Stepped]:
        key = (self.name, descent.fingerprint, descent.device)
        if key not in _STEPPERS:
            _STEPPERS.clear()  # a compiled function is kept for as long as its descent goes on
            _STEPPERS[key] = self.stepper(descent)
        with self.switches():
            at, X, Y = self.moved(descent.at(first, params), descent.dtype, descent.device)
            for step in range(first, first + steps):
                if descent.batches is not None and step > first:
                    _, X, Y = self.moved(descent.at(step, params), descent.dtype, descent.device)
                at, J = _STEPPERS[key](at, X, Y)
                yield self._home(at), self.to_numpy(J).reshape(())

    def train_in_one_go(self, descent: Descent, params: Quantities) -> tuple[Quantities, np.ndarray] | None:
        at, batches = descent.device, descent.batches
        with self.switches():
            inputs = self.moved(replace(descent.problem, params=params), descent.dtype, at)
            steps = descent.iterations if batches is None else self.to_framework(batches, at)
            found, costs = self.loop(descent)(*inputs, steps)
            return self._home(found), self.to_numpy(costs)

    def loop(self, descent: Descent) -> Callable[..., tuple[dict[str, Any], Any]]:
        """A function of (params, X, Y, steps) that takes all steps: so many, or one a batch."""
        return partial(self._trained, descent)

    def _trained(self, descent: Descent, params: Any, X: Any, Y: Any, steps: Any) -> tuple[dict[str, Any], Any]:
        """The package's own `train`, or `train_on_batches`."""
        problem = descent.problem
        module, rate = import_module(f"{self.package}.{problem.model}"), self.learning_rate(problem, descent.dtype)
        train = module.train if isinstance(steps, int) else module.train_on_batches
        return train(params, X, Y, rate, steps, **problem.options)


ALIGNED = 64
"""Bytes at a multiple of which an array must begin for JAX to take it as it is, and not copy it."""


def aligned(array: np.ndarray) -> np.ndarray:
    """A copy in NumPy's own memory that PyTorch and JAX can share.

    NumPy asks the kernel for large pages, which Linux gives on advice; in memory that the frameworks allocate
    themselves a large X is read by a fifth slower.
    """
    room = np.empty(array.nbytes + ALIGNED, np.uint8)
    first = -room.ctypes.data % ALIGNED
    copy = room[first : first + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def whole_pass(module: Any, problem: Problem, learning_rate: Any) -> Callable[..., dict[str, Any]]:
    """Everything that a mirrored module computes of `problem`, as one function of (params, X, Y)."""

    def functions_of_one_number(params: dict[str, Any], X: Any, Y: Any) -> dict[str, Any]:
        if problem.model == "derivatives":
            table, slope = module.FUNCTIONS, module.slope
        else:
            table, slope = module.ACTIVATIONS, module.derivative
        return {key: value for name, g in table.items() for key, value in ((name, g(X)), ("d" + name, slope(name, X)))}

    def training(params: dict[str, Any], X: Any, Y: Any) -> dict[str, Any]:
        params, costs = module.train(params, X, Y, learning_rate, problem.iterations, **problem.options)
        return {"costs": costs, **params}

    def one_pass(params: dict[str, Any], X: Any, Y: Any) -> dict[str, Any]:
        found = module.quantities(params, X, Y, **problem.options)
        if learning_rate is None:
            return found
        new = module.update(params, {"d" + name: found["d" + name] for name in params}, learning_rate)
        return found | {"new_" + name: p for name, p in new.items()}

    if problem.model == "computation_graph":
        return lambda params, X, Y: module.quantities(**params)
    if problem.model not in NETWORKS:
        return functions_of_one_number
    return training if problem.iterations else one_pass


def gradients_by_example(module: Any, problem: Problem) -> Callable[..., dict[str, Any]]:
    """The gradients of one example at a time, averaged."""
    return lambda params, X, Y: module.gradients_by_example(params, X, Y, **problem.options)


def steps_from_python(step: Callable[..., tuple[Any, Any]], steps: int, params: Any, X: Any, Y: Any) -> tuple[Any, Any]:
    """Training by a function that takes one step: the parameters after the last, and J before each."""
    costs = []
    for _ in range(steps):
        params, J = step(params, X, Y)
        costs.append(J)
    return params, costs


def only_one_step(work: str) -> str | None:
    """The same of its timing."""
    return None if work == "step" else "computes gradients, and nothing else"


def only_gradients(problem: Problem) -> str | None:
    """The refusal of a variant that computes gradients and nothing else."""
    if problem.model not in NETWORKS:
        return "computes networks and logistic regression only"
    return "computes gradients, and does not train" if problem.iterations else None


def by_framework() -> dict[str, list[str]]:
    """The implementations of every framework, but for one that is called as one of them."""
    found: dict[str, list[str]] = {}
    for name in available_names():
        found.setdefault(find(name).framework, []).append(name)
    return {framework: names for framework, names in found.items() if framework not in available_names()}


class Unloadable(Implementation):
    """Stands for a registration whose implementation cannot be loaded, and says why."""

    framework = "unloadable"
    name = "unloadable"

    def __init__(self, name: str, reason: str) -> None:
        self.reason = f"{name} cannot be loaded: {reason}"

    def unavailable(self) -> str | None:
        return self.reason

    def quantities(self, problem: Problem, dtype: str, device: str) -> Quantities:
        raise ImportError(self.reason)


@cache
def find(name: str) -> Implementation:
    """The implementation called `name`; one that was registered and cannot be loaded is `Unloadable`.

    Raises
    ------
    KeyError
        No implementation has that name.
    """
    if name in BUILT_IN:
        module, attribute = BUILT_IN[name].split(":")
        return getattr(import_module(module), attribute)()
    entries = metadata.entry_points(group=GROUP, name=name)
    if not entries:
        raise KeyError(name)
    try:
        found = next(iter(entries)).load()
        found = found() if isinstance(found, type) else found
    except FOREIGN as error:
        return Unloadable(name, one_line(error))
    return (
        found
        if isinstance(found, Implementation)
        else Unloadable(name, "it is no parity.implementations.Implementation")
    )
