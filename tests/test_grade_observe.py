"""What a learner's functions computed is found under the notes' names, with its line, and what they fail to return."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from parity.grade import names, observe
from parity.grade.grade import DTYPES
from parity.grade.handing import Manner, formulas
from parity.grade.observed import Observed
from parity.grade.probes import probes
from parity.grade.room import Contained, Here, Limits
from parity.grade.source import read
from tests.grade_learners import (
    CLASS,
    DEEP,
    JAX,
    LISTS,
    LOGISTIC,
    LOOP_LOGISTIC,
    LOOP_SHALLOW,
    MODEL,
    OWN_DEEP,
    ROWS,
    SEPARATE,
    SHALLOW,
    TORCH,
    TRAIN,
)


def layers(*stems: str, L: int) -> set[str]:
    return {f"{stem}{l}" for stem in stems for l in range(1, L + 1)}


NEW = ("new_W", "new_b")
PASS = ("Z", "A", "dZ", "dW", "db")
FOUND: dict[str, tuple[str, str, set[str]]] = {
    "logistic": ("logistic", LOGISTIC, {"m", "Z", "A", "J", "dw", "db", "new_w", "new_b"}),
    "shallow": ("shallow", SHALLOW, {"m", "J"} | layers(*PASS, *NEW, L=2)),
    "deep": ("deep", DEEP, {"m", "J", "dA0"} | layers(*PASS, *NEW, "dA", L=4)),
    "own deep": ("deep", OWN_DEEP, {"m", "J"} | layers(*PASS, *NEW, L=4)),
    "separate arguments": ("shallow", SEPARATE, {"m", "J"} | layers(*PASS, *NEW, L=2)),
    "loop logistic": ("logistic", LOOP_LOGISTIC, {"m", "Z", "A", "J", "dZ", "dw", "db"}),
    "loop shallow": ("shallow", LOOP_SHALLOW, {"m", "J"} | layers(*PASS, L=2)),
    "class": ("deep", CLASS, {"m", "dA1", "dA2", "dA3"} | layers(*PASS, *NEW, L=4)),
    "rows": ("shallow", ROWS, {"m"} | layers(*PASS, L=2)),
    "lists": ("deep", LISTS, {"m"} | layers(*PASS, *NEW, L=4)),
    "training": ("shallow", TRAIN, {"m", "J"} | layers(*PASS, *NEW, L=2)),
    "training alone": ("shallow", MODEL, {"m", "J"} | layers(*PASS, *NEW, L=2)),
    "torch": ("shallow", TORCH, {"J"} | layers("Z", "A", "dW", "db", L=2)),
    "jax": ("logistic", JAX, {"J", "Z", "dw", "db"}),
}

Observe = Callable[..., list[Observed]]


@pytest.fixture
def observed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Observe:
    def of(text: str, exercise: str, dtypes: tuple[str, ...] = ("float64",), few: bool = False) -> list[Observed]:
        path = tmp_path / "learner.py"
        path.write_text(text.lstrip("\n"), "utf-8")
        if few:
            every = observe.probes
            monkeypatch.setattr(observe, "probes", lambda *given: every(*given)[:1])
        with Here(read(str(path))) as room:
            return observe.passes(room, exercise, dtypes)

    return of


def right(of: Observed) -> dict[str, np.ndarray]:
    """Every quantity by the reference."""
    found = formulas(of.probe)
    new = {f"new_{n}": p - of.probe.learning_rate * found[f"d{n}"] for n, p in of.probe.params.items()}
    return found | new | {"m": np.array(of.probe.m)}


def alike(value: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether both are the same number in fewer digits than loops and frameworks differ in."""
    fewer = np.float32 if wanted.dtype == np.float64 else np.float16
    one, two = value.astype(fewer), wanted.astype(fewer)
    return (value.size == wanted.size == 1 or one.shape == two.shape) and bool(np.all(np.ravel(one) == np.ravel(two)))


@pytest.mark.parametrize("name", FOUND)
def test_what_is_computed_is_found(name: str, observed: Observe) -> None:
    exercise, text, quantities = FOUND[name]
    if name in {"torch", "jax"}:
        pytest.importorskip(name)
    passes = observed(text, exercise, few=name in {"torch", "jax"})
    assert {q for of in passes for q in of.seen if not q.startswith("m@")} == quantities
    for of in passes:
        assert (of.troubles, of.absent, of.mutated) == ({}, (), ())
        if of.probe.name != "saturated":  # a cost from probabilities is nan there, and with it what is compared
            wanted = right(of)
            assert [q for q, seen in of.seen.items() if not alike(seen.value, wanted[q.partition("@")[0]])] == []
            assert [q for q, seen in of.again.items() if not alike(seen.value, wanted[q.partition("@")[0]])] == []
        assert of.conventions == ({"rows"} if name == "rows" else frozenset())


def lines(text: str, passes: list[Observed], probe: str = "distinct") -> dict[str, str]:
    """Of each quantity, the line that it was found on."""
    of_file = text.lstrip("\n").splitlines()
    return {
        q: of_file[s.line - 1].strip() for of in passes if of.probe.name == probe for q, s in of.seen.items() if s.line
    }


def test_lines_are_those_where_values_were_computed(observed: Observe) -> None:
    found = lines(SHALLOW, observed(SHALLOW, "shallow", few=True))
    for name in ("Z1", "A1", "Z2", "A2", "dZ2", "dW2", "db2", "dW1", "db1"):
        assert found[name].startswith(f"{name} = ")
    assert found["dZ1"] == "dZ1 = dZ1 * (1 - A1**2)"
    assert found["new_W1"].startswith("W1 = ")
    deep = lines(DEEP, [of for of in observed(DEEP, "deep", few=True) if "forward" in of.roles])
    assert deep["Z3"] == "Z = np.dot(W, A) + b"
    assert deep["dW2"].startswith("dW = ")


def on_distinct(passes: list[Observed], role: str) -> Observed:
    return next(of for of in passes if of.probe.name == "distinct" and role in of.roles)


def test_a_result_that_is_not_returned(observed: Observe) -> None:
    text = SHALLOW.replace('"dW2": dW2, "db2": db2}', '"dW2": dW2}')
    of = on_distinct(observed(text, "shallow", few=True), "backward")
    assert [(function, what) for function, what, _ in of.absent] == [("backward_propagation", "db2")]
    assert alike(of.seen["db2"].value, right(of)["db2"])
    text = SHALLOW.replace("return np.sum(-", "cost = np.sum(-")
    of = on_distinct(observed(text, "shallow", few=True), "cost")
    assert [(function, what) for function, what, _ in of.absent] == [("compute_cost", "anything")]
    text = LOGISTIC.replace('return {"dw": dw, "db": db}, cost', "return cost")
    of = on_distinct(observed(text, "logistic", few=True), "gradients")
    assert [what for _, what, _ in of.absent] == ["dw", "db"]


def test_an_argument_that_is_changed(observed: Observe) -> None:
    text = SHALLOW.replace("    return A2, cache", "    X *= 2\n    return A2, cache")
    assert on_distinct(observed(text, "shallow", few=True), "forward").mutated == (("forward_propagation", "X"),)
    assert not on_distinct(observed(DEEP, "deep", few=True), "update").mutated
    text = DEEP.replace('params["W" + str(l + 1)] = params["W" + str(l + 1)] - ', 'params["W" + str(l + 1)] -= ')
    assert on_distinct(observed(text, "deep", few=True), "update").mutated == (("update_parameters", "params"),)
    text = SHALLOW.replace("    A1 = cache", '    cache["dZ2"] = 0\n    A1 = cache')
    assert not on_distinct(observed(text, "shallow", few=True), "backward").mutated
    text = SHALLOW.replace('    A2 = cache["A2"]\n    dZ2 = A2 - Y', '    A2 = cache["A2"]\n    A2 -= Y\n    dZ2 = A2')
    assert on_distinct(observed(text, "shallow", few=True), "backward").mutated == (("backward_propagation", "cache"),)


def test_a_wrong_shape_is_kept(observed: Observe) -> None:
    text = SHALLOW.replace("db1 = np.sum(dZ1, axis=1, keepdims=True) / m", "db1 = np.sum(dZ1, axis=1) / m")
    assert on_distinct(observed(text, "shallow", few=True), "backward").seen["db1"].value.shape == (3,)
    text = LOGISTIC.replace("dw = np.dot(X, (A - Y).T) / m", "dZ = A - Y.T\n    dw = np.dot(X, dZ.T) / m")
    assert on_distinct(observed(text, "logistic", few=True), "gradients").seen["dZ"].value.shape == (8, 8)
    text = DEEP.replace("db = np.sum(dZ, axis=1, keepdims=True) / m", "db = np.sum(dZ, axis=1) / m")
    passes = observed(text, "deep", few=True)
    assert on_distinct(passes, "linear_backward").seen["db2"].value.shape == (4,)
    assert on_distinct(passes, "backward").seen["db3"].value.shape == (3,)


def test_a_mistake_is_seen_as_it_is(observed: Observe) -> None:
    """dZ1 with W2 after its update."""
    update = "        W2 = W2 - learning_rate * dW2\n        b2 = b2 - learning_rate * db2\n"
    text = TRAIN.replace(update, "").replace("        dZ1 = W2", f"{update}        dZ1 = W2")
    of = on_distinct(observed(text, "shallow", few=True), "train")
    wanted = right(of)
    assert [q for q in ("dW2", "new_W2", "dZ2") if not alike(of.seen[q].value, wanted[q])] == []
    slope = 1 - wanted["A1"] ** 2
    assert alike(of.seen["dZ1"].value, of.seen["new_W2"].value.T @ wanted["dZ2"] * slope)
    assert not alike(of.seen["dZ1"].value, wanted["dZ1"])


def test_accumulators_that_are_not_reset(observed: Observe) -> None:
    text = LOGISTIC.replace("def propagate", "total = 0\ndef propagate")
    text = text.replace("    dw = np", "    global total\n    total = total + np").replace('{"dw": dw', '{"dw": total')
    text = text.replace("    db = np", "    dw = total\n    db = np")
    of = on_distinct(observed(text, "logistic", few=True), "gradients")
    assert not alike(of.again["dw"].value, of.seen["dw"].value)


def test_a_cost_with_an_m_of_its_own(observed: Observe) -> None:
    text = SHALLOW.replace("    m = Y.shape[1]", "    m = Y.shape[0]")
    passes = [of for of in observed(text, "shallow", few=True) if "update" not in of.roles]
    assert [int(of.seen["m"].value) for of in passes] == [8, 1]
    assert ["J" in of.seen for of in passes] == [False, True]


def test_caches_are_given_where_there_is_no_forward_pass(observed: Observe) -> None:
    start, end = SHALLOW.index("def forward"), SHALLOW.index("def compute_cost")
    of = on_distinct(observed(SHALLOW[:start] + SHALLOW[end:], "shallow", few=True), "backward")
    assert set(of.given) == {"Z1", "A1", "Z2", "A2"}
    assert alike(of.seen["dW1"].value, right(of)["dW1"])


def test_what_comes_after_a_name_that_is_missing_is_given_its_caches(observed: Observe) -> None:
    passes = observed(SHALLOW.replace("np.tanh(Z1)", "tangent(Z1)"), "shallow")
    assert {of.troubles["forward"].kind for of in passes if "forward" in of.troubles} == {"missing"}
    of = next(of for of in passes if of.probe.name == "distinct" and "dW1" in of.seen)
    assert "forward" not in of.roles
    assert alike(of.seen["dW1"].value, right(of)["dW1"])


def test_what_comes_after_a_cost_without_an_end_is_judged(tmp_path: Path) -> None:
    path = tmp_path / "learner.py"
    path.write_text(
        SHALLOW.replace("def compute_cost(A2, Y):", "def compute_cost(A2, Y):\n    while True: pass"), "utf-8"
    )
    with Contained(read(str(path)), Limits(call=0.2, grace=0.2)) as room:
        passes = observe.passes(room, "shallow", ("float64",))
    assert "time" in {trouble.kind for of in passes for trouble in of.troubles.values()}
    assert any("dW1" in of.seen for of in passes)


def test_a_trouble_is_told_by_role(observed: Observe) -> None:
    text = SHALLOW.replace("dW1 = np.dot(dZ1, X.T) / m", "dW1 = np.dot(dZ1, X) / m")
    of = on_distinct(observed(text, "shallow", few=True), "backward")
    assert of.troubles["backward"].kind == "error"
    assert alike(of.seen["dZ1"].value, right(of)["dZ1"])
    text = SHALLOW.replace(
        "def update_parameters(parameters, grads,", "def update_parameters(parameters, grads, fudge,"
    )
    of = next(of for of in observed(text, "shallow", few=True) if "update" in of.troubles)
    assert "fudge" in of.troubles["update"].what


def test_another_packing_and_own_activations(observed: Observe) -> None:
    """An initialisation returns (w, b) while the others take a dict; activations are functions, not names."""
    text = """
import numpy as np
def initialize(n_x):
    return np.zeros((n_x, 1)), 0.0
def forward(params, X):
    Z = np.dot(params["w"].T, X) + params["b"]
    return 1 / (1 + np.exp(-Z)), {"Z": Z}
"""
    of = on_distinct(observed(text, "logistic", few=True), "forward")
    assert not of.troubles
    assert set(of.seen) == {"Z", "A"}
    text = SHALLOW.replace("(X, parameters):", "(X, parameters, activations=(np.tanh,)):").replace(
        "np.tanh(Z1)", "activations[0](Z1)"
    )
    of = on_distinct(observed(text, "shallow", few=True), "forward")
    assert not of.troubles
    assert alike(of.seen["A1"].value, right(of)["A1"])


def test_rows_are_known_where_something_else_raises(observed: Observe) -> None:
    text = ROWS.replace("dW1 = X.T @ dZ1", "dW1 = X @ dZ1")
    of = on_distinct(observed(text, "shallow", few=True), "backward")
    assert of.conventions == {"rows"}
    assert "backward" in of.troubles
    assert alike(of.seen["dZ1"].value, right(of)["dZ1"])
    text = SHALLOW.replace('np.dot(parameters["W1"], X)', 'np.dot(parameters["W1"].T, X)')
    assert not on_distinct(observed(text, "shallow", few=True), "forward").conventions


def test_integers_are_handed_over(observed: Observe) -> None:
    probes = {of.probe.name for of in observed(LOGISTIC, "logistic")}
    assert "integer" in probes


def test_float32_is_kept(observed: Observe) -> None:
    for of in observed(SHALLOW, "shallow", ("float32",)):
        assert {str(seen.value.dtype) for q, seen in of.seen.items() if q[0] not in "mJ"} == {"float32"}


@pytest.mark.parametrize(
    ("text", "exercises"),
    [
        (LOGISTIC, ("logistic", "activations", "initialization")),
        (SHALLOW, ("shallow", "initialization")),
        (DEEP, ("deep", "activations")),
        (OWN_DEEP, ("deep",)),
        (CLASS, ("deep",)),
        (LISTS, ("deep", "initialization")),
        (TRAIN, ("shallow",)),
        (LOGISTIC + SHALLOW, ("logistic", "shallow", "activations", "initialization")),
        ("def relu(z):\n    return z", ("activations",)),
        ("x = 1", ()),
    ],
)
def test_the_exercises_of_a_file(text: str, exercises: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "learner.py"
    path.write_text(text.lstrip("\n"), "utf-8")
    with Here(read(str(path))) as room:
        assert names.exercises(room.source, room.inventory) == exercises


def test_roles_where_a_file_holds_several_exercises(tmp_path: Path) -> None:
    path = tmp_path / "learner.py"
    path.write_text((SHALLOW + LOGISTIC).lstrip("\n"), "utf-8")
    with Here(read(str(path))) as room:
        logistic, shallow = (names.roles(room.inventory, e, room.source) for e in ("logistic", "shallow"))
        missing = names.missing(room.inventory, "deep", room.source)
    assert (logistic["gradients"].name, logistic["train"].name) == ("propagate", "optimize")
    assert not {"forward", "backward", "update"} & set(logistic)
    assert (shallow["forward"].name, shallow["train"].name) == ("forward_propagation", "nn_model")
    assert "gradients" not in shallow
    assert missing == ()


def test_what_has_no_effects_is_called_once_more_on_two_probes(observed: Observe) -> None:
    again = {of.probe.name for of in observed(SHALLOW, "shallow") if of.again}
    assert again == {"distinct", "square"}


def test_what_was_played_to_learn_the_forms_is_not_played_again(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(SHALLOW, encoding="utf-8")
    source = read(str(path))
    with Here(source) as room:
        observer = observe.Observer(room, "shallow", names.roles(room.inventory, "shallow", source))
        observer.settle("float64")
        played: list[str] = []
        play = room.play
        room.play = lambda scenes: played.extend(scene.name for scene in scenes) or play(scenes)  # type: ignore[method-assign]
        passes = observer.observe(("float64",))
    assert played
    assert not [name for name in played if name.startswith("distinct")]
    assert "distinct" in {of.probe.name for of in passes}


def test_in_float32_jax_is_made_to_compile_one_set_of_shapes(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(SHALLOW, encoding="utf-8")
    source = read(str(path))
    with Here(source) as room:
        observer = observe.Observer(room, "shallow", names.roles(room.inventory, "shallow", source))
    observer.planner.manner = Manner("jax")
    played = {dtype: [p.X.shape for p in probes("shallow", dtype) if observer._is_played(p)] for dtype in DTYPES}
    assert played["float32"] == [played["float64"][0]]
    assert len(played["float64"]) > len(played["float32"])
