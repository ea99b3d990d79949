"""The table of K: what it claims holds, what it does not know it says, and what is wrong is found."""

from __future__ import annotations

import numpy as np
import pytest

import reference.activations
from parity import elementary
from parity.elementary import FUNCTIONS, TABLE, VARIANTS, Unmeasured, every, measure, sample, truth, ulps
from parity.formats import FORMATS
from parity.implementations import find
from parity.names import DEVICES
from parity.problems import FLOATS
from tests.shared import place

HALVES = ("bfloat16", "float16")
COMPILED = ("torch-compile", "torch-compile scalar")
QUICK = [variant for variants in VARIANTS.values() for variant in variants if variant not in COMPILED]
NORMAL = {dtype: FORMATS[dtype].smallest_normal for dtype in FORMATS}


def missing(variant: str) -> None:
    """Skip with the reason where the framework is not here."""
    if reason := place(variant.split()[0]).missing:
        pytest.skip(reason)


def framework(variant: str) -> str:
    return next(name for name, variants in VARIANTS.items() if variant in variants)


def exceeding(variant: str, dtype: str, points: int) -> list[elementary.Entry]:
    """What is beyond its K: every value of a half format, a sample of others that is not the one behind the table."""
    missing(variant)
    blocks = every(dtype) if dtype in HALVES else sample(dtype, points, seed=1)
    found = measure([variant], "cpu", blocks)
    assert found
    assert all(entry.points for entry in found)
    return [entry for entry in found if not entry.ulps <= ulps(framework(variant), dtype)[entry.function]]


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("variant", [variant for variant in QUICK if not variant.startswith(elementary.NO_HALVES)])
def test_no_value_of_a_half_format_is_further_off_than_K(variant: str, dtype: str) -> None:
    assert exceeding(variant, dtype, 0) == []


@pytest.mark.parametrize(("dtype", "points"), [("float64", 2**13), ("float32", 2**17)])
@pytest.mark.parametrize("variant", QUICK)
def test_no_point_of_another_sample_is_further_off_than_K(variant: str, dtype: str, points: int) -> None:
    assert exceeding(variant, dtype, points) == []


@pytest.mark.parametrize("variant", COMPILED)
def test_the_tanh_that_torch_compiles_is_no_further_off_than_K(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One function, for compiling takes seconds; it is another with and without vectors."""
    monkeypatch.setattr(elementary, "FUNCTIONS", {"tanh": (0,)})
    assert exceeding(variant, "float32", 2**17) == []


def test_every_entry_says_where_it_comes_from() -> None:
    assert all(entry.source and entry.points and entry.ulps > 0 for entry in TABLE)
    keys = [(entry.framework, entry.function, entry.dtype, entry.device) for entry in TABLE]
    assert len(set(keys)) == len(keys)
    assert {entry.framework for entry in TABLE} == set(VARIANTS)


@pytest.mark.parametrize("dtype", FORMATS)
def test_a_framework_that_is_not_in_the_table_gets_the_largest_K(dtype: str) -> None:
    known = [ulps(name, dtype) for name in VARIANTS]
    assert ulps("somebody's", dtype) == {g: max(K[g] for K in known) for g in FUNCTIONS}


def test_what_a_framework_lacks_in_the_table_is_the_largest_K() -> None:
    anybody = ulps("", "float32")
    assert not [entry for entry in TABLE if (entry.framework, entry.function) == ("sklearn", "log")]
    assert ulps("sklearn", "float32")["log"] == anybody["log"]
    assert ulps("sklearn", "float32")["loss"] < anybody["loss"]
    assert ulps("sklearn", "float16") == ulps("", "float16")


@pytest.mark.parametrize("device", [device for device in DEVICES if device != "cpu"])
def test_a_device_without_entries_has_no_K_and_says_so(device: str) -> None:
    with pytest.raises(Unmeasured, match=f"float32 on {device}") as found:
        ulps("torch", "float32", device)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("dtype", ["float32", *HALVES])
@pytest.mark.parametrize(("function", "y"), [(g, y) for g, labels in FUNCTIONS.items() for y in labels])
def test_the_truth_in_float64_is_as_near_to_arb_as_it_says(function: str, y: int, dtype: str) -> None:
    Z = np.concatenate(list(sample(dtype, 2**11, seed=2)))
    Z = Z[np.abs(Z) >= NORMAL[dtype]]
    narrow, wide = truth(function, y, Z), truth(function, y, Z.astype(np.float64))
    apart = np.abs(narrow.high - wide.high / wide.scale)
    said = narrow.unit * 2**-25 + NORMAL["float64"]
    assert np.all(apart <= said)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_off_by_twice_its_K_is_found(function: str, dtype: str) -> None:
    Z = np.concatenate(list(sample(dtype, 2**10)))
    true = truth(function, 0, Z)
    value, unit = true.high / true.scale, true.unit / true.scale
    K = ulps("", dtype)[function]
    assert true.worst(value.astype(Z.dtype))[0] <= K
    position = int(np.argmax(np.abs(value)))
    value[position] += 2 * K * np.broadcast_to(unit, value.shape)[position]
    found, where = true.worst(value)
    assert found > K
    assert where == position


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_not_a_number_is_infinitely_wrong(wrong: float) -> None:
    Z = np.array([0.5, 1, 2])
    assert truth("tanh", 0, Z).worst(np.where(Z == 1, wrong, np.tanh(Z))) == (np.inf, 1)


def test_flushing_to_zero_is_allowed_and_no_more() -> None:
    tiny = NORMAL["float64"]
    Z = np.array([tiny / 2, 0])
    assert truth("tanh", 0, Z).worst(np.zeros(2))[0] == 0
    found, where = truth("tanh", 0, Z).worst(np.array([0, 2 * tiny]))
    assert (where, found > ulps("", "float64")["tanh"]) == (1, True)


@pytest.mark.parametrize("dtype", HALVES)
def test_every_value_is_every_finite_value_once(dtype: str) -> None:
    bits = np.concatenate([Z.view(np.uint16) for Z in every(dtype)])
    everything = np.arange(2**16).astype(np.uint16)
    with np.errstate(invalid="ignore"):  # signalling nans
        finite = np.isfinite(everything.view(FORMATS[dtype].dtype).astype(np.float32))
    assert np.array_equal(np.sort(bits), everything[finite])


def test_a_wrong_implementation_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert elementary.main(["--framework", "numpy", "--dtype", "bfloat16"]) == 0
    assert "none exceeds its K" in capsys.readouterr().out
    off = 1 + 4 * ulps("numpy", "bfloat16")["tanh"] * FORMATS["bfloat16"].u
    right = reference.activations.tanh
    wrong = lambda Z: (right(Z).astype(np.float32) * np.float32(off)).astype(Z.dtype)  # noqa: E731
    monkeypatch.setitem(reference.activations.ACTIVATIONS, "tanh", wrong)
    assert elementary.main(["--framework", "numpy", "--dtype", "bfloat16"]) == 1
    assert "1 exceed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--framework", "nunpy"], "there is no framework 'nunpy'; did you mean numpy?"),
        (["--dtype", "float8"], "there is no dtype 'float8'; did you mean float"),
        (["--device", "tpu"], "there is no device 'tpu'; did you mean cpu?"),
        (["--framework", "numpy", "--device", "cuda"], "nothing can be measured: reference knows no device cuda"),
        (["--framework", "sklearn", "--dtype", "float16"], "nothing can be measured: scikit-learn computes in float64"),
        (["--framework", "numpy", "--dtype", "float16", "--every-float32"], "--every-float32 is about float32"),
        (["--points", "3"], "unrecognized arguments: --points 3; see 'python -m parity.elementary --help'"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = elementary.main(arguments)
    except SystemExit as stop:
        status = int(stop.code or 0)
    printed = capsys.readouterr()
    assert (status, printed.out) == (2, "")
    assert printed.err.startswith(f"parity: {message}")
    assert printed.err.count("\n") == 1


def test_every_implementation_that_computes_one_of_the_functions_is_measured() -> None:
    """All that is built in, but for the loops, whose functions are those of reference, and the solver's optimum."""
    from parity.names import BUILT_IN

    measured = {variant.split()[0] for variants in VARIANTS.values() for variant in variants}
    assert set(BUILT_IN) - measured == {"reference-loop", "sklearn-optimum"}
    assert all(find(variant.split()[0]).framework == framework(variant) for variant in QUICK)
