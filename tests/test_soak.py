"""The drawn problems: what they cover, that no right implementation is reported, and that a wrong one is."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from parity import names
from parity.implementations import Quantities
from parity.implementations.reference import Reference
from parity.problems import ACTIVATIONS, FLOATS, MODELS, NETWORKS, Problem
from parity.run import Cell, Plan
from tests import soak
from tests.shared import place
from tests.soak import DRAWS, EXPONENTS, KINDS, LARGEST_SIZE, POSITIVE, PROBLEMS, WEIGHTS, Recipe

RECIPES = [Recipe.of(number) for number in range(PROBLEMS)]
ARCHITECTURES = [recipe for recipe in RECIPES[::DRAWS] if recipe.model in NETWORKS]
QUICK = ("reference", "reference-tuned", "reference-loop", "torch-eager", "torch-vmap", "sklearn-loss", "sklearn-mlp")
LAST_LINE = re.compile(
    r"(?P<problems>\d+) problems?: (?P<comparisons>\d+) comparisons, (?P<bits>\d+) identical bit for bit, "
    r"(?P<rounding>\d+) identical within rounding, (?P<differ>\d+) differ"
    r"(; largest share of the bound \S+ \(problem \d+, float\d\d, [a-z-]+, \w+\))?"
)


def test_a_number_is_a_problem() -> None:
    assert str(Recipe.of(137)) == (
        "deep_network 11-1-6-6-5-1 leaky_relu_exact leaky_relu_exact leaky_relu_exact leaky_relu_exact sigmoid, "
        "m = 26, X · 2^1, α = 1.2, 1/√n weights, P(y = 1) = 0.0"
    )
    fingerprints = [recipe.problem().fingerprint for recipe in RECIPES]
    assert fingerprints == [Recipe.of(number).problem().fingerprint for number in reversed(range(PROBLEMS))][::-1]
    assert len(set(fingerprints)) == PROBLEMS


def test_the_draws_of_an_architecture_share_what_is_compiled() -> None:
    kinds = [(r.model, r.layers, r.m, r.activations, r.learning_rate) for r in RECIPES]
    assert all(kinds[i] == kinds[i - i % DRAWS] for i in range(PROBLEMS))


def test_every_model_and_depth_is_there() -> None:
    assert {recipe.model for recipe in RECIPES} == set(MODELS)
    depths = Counter(len(recipe.activations) for recipe in ARCHITECTURES)
    assert set(depths) == set(range(1, 7))
    assert min(depths.values()) >= 10


def test_every_activation_is_there_in_both_dtypes() -> None:
    """In shallow networks, in deep ones beside others, and alone in deep ones, as MLPClassifier wants it."""
    hidden = [(recipe.model, recipe.activations[:-1]) for recipe in ARCHITECTURES]
    shallow = {name for model, names in hidden for name in names if model == "shallow_network"}
    mixed = {name for _, names in hidden for name in names if len(set(names)) > 1}
    alone = {names[0] for _, names in hidden if len(names) > 1 and len(set(names)) == 1}
    assert shallow == mixed == alone == set(ACTIVATIONS)
    assert all(recipe.problem().dtypes == FLOATS for recipe in RECIPES)


def test_sizes_are_small_and_large() -> None:
    sizes = Counter(size for recipe in ARCHITECTURES for size in (*recipe.layers, recipe.m))
    assert {1, 2, 3, LARGEST_SIZE} <= set(sizes)
    assert max(sizes) == LARGEST_SIZE
    assert sum(n for size, n in sizes.items() if size > LARGEST_SIZE // 2) > len(ARCHITECTURES) // 2
    for shape in (
        [r for r in ARCHITECTURES if r.m == 1],
        [r for r in ARCHITECTURES if r.layers[0] == 1],
        [r for r in ARCHITECTURES if r.layers[-1] > 1],
        [r for r in ARCHITECTURES if len({*r.layers, r.m}) == 1 and r.m > 1],
    ):
        assert len({len(recipe.activations) for recipe in shape}) >= 4, shape


def test_numbers_are_of_every_scale() -> None:
    networks = [recipe for recipe in RECIPES if recipe.model in NETWORKS]
    assert {recipe.exponent for recipe in networks} == set(EXPONENTS)
    assert {(recipe.weights, recipe.positive) for recipe in networks} == {(w, p) for w in WEIGHTS for p in POSITIVE}
    labels = [recipe.problem().Y for recipe in networks if recipe.m > 1]
    assert sum(len(set(Y.flat)) == 1 for Y in labels) > len(labels) // len(POSITIVE)
    assert sum(len(set(Y.flat)) == 2 for Y in labels) > len(labels) // len(POSITIVE)


def nothing_differs(numbers: range, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Both formats, in this process."""
    if reason := place(name).missing:
        pytest.skip(reason)
    tally, stopped = soak.soak(numbers, (name,), FLOATS, processes=False)
    assert (capsys.readouterr().out, stopped) == ("", False)
    assert not tally.differing
    assert len(tally.problems) == len(numbers)
    assert {dtype for dtype, *_ in tally.largest} == set(FLOATS)
    assert not any(reason.startswith("no exact value") for _, reason in tally.skipped)
    assert tally.verdicts


@pytest.mark.parametrize("name", QUICK)
def test_no_quick_implementation_is_reported(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Twelve problems of twelve architectures, in which every depth occurs."""
    numbers = range(0, 12 * DRAWS, DRAWS)
    assert {depth for _, depth in KINDS[: len(numbers)]} == set(range(7))
    nothing_differs(numbers, name, capsys)


def test_jax_is_not_reported(capsys: pytest.CaptureFixture[str]) -> None:
    nothing_differs(range(0, 2 * DRAWS, DRAWS), "jax-jit", capsys)


class Faulty(Reference):
    """The reference with twice dW1."""

    name = "soak-faulty"

    def quantities(self, problem: Problem, dtype: str, device: str) -> Quantities:
        found = super().quantities(problem, dtype, device)
        return found | {name: 2 * found[name] for name in ("dW1",) if name in found}


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name by which it is found meanwhile."""
    monkeypatch.setitem(names.BUILT_IN, Faulty.name, f"{__name__}:Faulty")
    names.available_names.cache_clear()
    yield Faulty.name
    names.available_names.cache_clear()


def totals(line: str) -> dict[str, int]:
    """The numbers of the last line."""
    match = LAST_LINE.fullmatch(line)
    assert match, line
    return {key: int(value) for key, value in match.groupdict().items()}


def test_a_planted_fault_is_found(faulty: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Problems 5 and 6 are shallow networks; 0 is a logistic regression, which has no dW1."""
    target = tmp_path / "soak.json"
    given = ["--implementation", faulty, "--dtype", "float64", "--json", str(target)]
    assert soak.main(["--first", "5", "--problems", "2", *given], processes=False) == 1
    *findings, _, last = capsys.readouterr().out.splitlines()
    for number, finding in zip((5, 6), findings, strict=True):
        assert finding.startswith(f"soak_{number} float64 on cpu, {faulty}: dW1[")
        assert f"; {Recipe.of(number)}; " in finding
        assert finding.endswith(f"; python -m tests.soak --first {number} --problems 1")
    assert {key: totals(last)[key] for key in ("problems", "differ")} == {"problems": 2, "differ": 2}
    written = json.loads(target.read_text(encoding="utf-8"))
    assert (written["schema"], written["totals"]) == ("parity.soak", last)
    assert [cell["problem"] for cell in written["cells"]] == ["soak_5", "soak_6"]
    assert soak.main(["--problems", "1", *given], processes=False) == 0


def test_a_run_without_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    """In processes; of two frameworks, one of which computes no function of one number."""
    numbers = ["--first", str(4 * DRAWS), "--problems", "1"]
    assert soak.main([*numbers, "--implementation", "numpy", "--implementation", "sklearn-mlp"]) == 0
    *skipped, shares, last = capsys.readouterr().out.splitlines()
    assert shares.startswith("largest shares: ")
    assert [line.split(":")[0] for line in skipped] == [
        "    2  skipped, reference-loop", "    2  skipped, reference-tuned", "    2  skipped, sklearn-mlp"
    ]  # fmt: skip
    found = totals(last)
    assert (found["problems"], found["differ"]) == (1, 0)
    assert found["comparisons"] == found["bits"] + found["rounding"] == len(FLOATS) * 2 * len(ACTIVATIONS)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--problems", "0"], "problems are numbered from 0"),
        (["--problems", "-3"], "problems are numbered from 0"),
        (["--first", "-1"], "problems are numbered from 0"),
        (["--first", str(2**32)], "problems are numbered from 0"),
        (["--first", "many"], "argument --first: invalid int value: 'many'"),
        (["--implementation", "reverence"], "there is no implementation 'reverence'; did you mean reference"),
        (["--dtype", "float16"], "there is no dtype 'float16'"),
        (["--json", "no/such/folder/soak.json"], "no/such/folder is no folder"),
        (["--problems", "1", "--implementation", "sklearn-optimum"], "nothing was compared: "),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = soak.main(arguments, processes=False)
    except SystemExit as end:
        status = end.code
    assert status == 2
    error = capsys.readouterr().err
    assert error.startswith(f"parity: {line}")
    assert error.count("\n") == 1


def test_what_was_reached_is_reported_when_it_is_stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C ends the run with its last line."""

    def stopped(plan: Plan, advance: Callable[[str], None], *, processes: bool) -> Iterator[Cell]:
        yield Cell(plan.problems[0], "float64", "cpu", "reference", skipped="this is a test")
        raise KeyboardInterrupt

    monkeypatch.setattr(soak, "matrix", stopped)
    assert soak.main(["--problems", "2"]) == 2
    captured = capsys.readouterr()
    assert captured.err == "parity: stopped\n"
    assert totals(captured.out.splitlines()[-1])["problems"] == 1
