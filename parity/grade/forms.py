"""The forms of a file's own containers, learned from what its functions returned on the first probe."""

from __future__ import annotations

from parity.grade import names
from parity.grade.collect import Reader
from parity.grade.handing import Forms
from parity.grade.leaves import Leaf, Packing, Path, parts
from parity.grade.probes import Probe
from parity.grade.record import Played, Value
from parity.grade.series import array


def learn_forward(role: str, played: Played, leaves: list[Leaf], reader: Reader, forms: Forms) -> None:
    """Where in the result of a forward function each quantity, each name and the cache are."""
    forms.results[role] = {leaf.quantity: leaf.path for leaf in reversed(leaves) if leaf.quantity}
    frame = played.frames[0] if played.frames else None
    called = reader.text.of(frame.function).returned(frame.line) if frame else []
    value = played.returned
    if isinstance(value, tuple) and len(called) == len(value):
        forms.results[role] |= {f"name {name}": (i,) for i, name in enumerate(called) if name}
    if isinstance(value, dict | list):
        forms.cache[role] = ()
    elif isinstance(value, tuple) and len(value) > 1:
        holding = [i for i, part in enumerate(value) if isinstance(part, dict | list | tuple)]
        forms.cache[role] = (holding[0],) if holding else (1,) if len(value) == 2 else ()
    if role == "forward" and role in forms.cache:
        forms.kept = _kept(value, leaves, forms.cache[role])


def _kept(value: Value, leaves: list[Leaf], at: Path) -> Packing | None:
    """The cache, and what is in it."""
    inside = [leaf for leaf in leaves if leaf.quantity and leaf.path[: len(at)] == at]
    quantities = {leaf.path[len(at) :]: leaf.quantity or "" for leaf in inside}
    for key in at:
        value = value[key]
    return Packing(value, quantities) if quantities and isinstance(value, dict | list | tuple) else None


def packed(value: Value, leaves: list[Leaf], letter: str) -> Packing | None:
    """The container of gradients in a result: a dict or tuple of its own, or the result itself."""
    known = {leaf.path: leaf.quantity for leaf in leaves if leaf.quantity and leaf.quantity[0] == letter}
    tops = {path[:1] for path in known if len(path) > 1}
    if isinstance(value, tuple) and len(tops) == 1:
        top = next(iter(tops))
        return Packing(value[int(top[0])], {path[1:]: q for path, q in known.items() if path[:1] == top})
    return Packing(value, known) if known and isinstance(value, dict | list | tuple) else None


def initial(value: Value, leaves: list[Leaf], probe: Probe) -> Packing | None:
    """The container of parameters that an initialisation returned, if it holds them all."""
    known = {leaf.path: leaf.quantity for leaf in leaves if leaf.quantity in probe.params}
    both = isinstance(value, tuple) and len(value) == 2 and all(isinstance(part, list) for part in value)
    if both and all(len(part) == probe.L for part in value) and not known:  # weights, biases
        known = {(i, l): f"{'Wb'[i]}{l + 1}" for i in range(2) for l in range(probe.L)}
    if isinstance(value, list | tuple) and len(value) == probe.L and not known:
        known = {(l, key): f"{stem}{l + 1}" for l, layer in enumerate(value) for key, stem in _of_layer(layer)}
    if isinstance(value, dict) and not known:
        known = {(key, l): f"{key}{l + 1}" for key in ("W", "b") for l, _ in enumerate(value.get(key, ()))}
    whole = set(known.values()) == set(probe.params)
    return Packing(value, {path: q for path, q in known.items() if q}) if whole else None


def _of_layer(layer: Value) -> list[tuple[int | str, str]]:
    if isinstance(layer, dict):
        return [(key, names.quantity(key) or "") for key in layer if isinstance(key, str)]
    return [(0, "W"), (1, "b")] if isinstance(layer, list | tuple) and len(layer) == 2 else []


def attributes(played: Played, reader: Reader, probe: Probe, letter: str = "") -> dict[str, str | Packing]:
    """The attributes of an object that hold parameters, or with the letter d gradients."""
    wanted = {f"{letter}{name}" for name in probe.params}
    found: dict[str, str | Packing] = {}
    for name, value in played.attributes.items():
        quantity = reader.quantity(name)
        if quantity in wanted and (value is None or array(value) is not None):
            found[name] = str(quantity)
        elif isinstance(value, dict | list) and (packing := _held(name, value, reader, wanted, probe)) is not None:
            found[name] = packing
    return found


def _held(name: str, value: Value, reader: Reader, wanted: set[str], probe: Probe) -> Packing | None:
    """A dict or a list of all parameters, or a list of the weights or of the biases."""
    inner = {path: reader.quantity(key) for path, _, key, _ in parts(value) if key}
    known = {path: q for path, q in inner.items() if q in wanted}
    if set(known.values()) == wanted:
        return Packing(value, {path: str(q) for path, q in known.items()})
    if wanted != set(probe.params):
        return None
    stem = {"weights": "W", "biases": "b", "Ws": "W", "bs": "b", "W": "W", "b": "b"}.get(name)
    if stem and isinstance(value, list) and len(value) == probe.L:
        return Packing(value, {(l,): f"{stem}{l + 1}" for l in range(probe.L)})
    return initial(value, [], probe)


def known(forms: Forms) -> str:
    """All that is known, without the values: to see whether a round has taught anything."""
    packings = (forms.params, forms.grads, *forms.attributes.values(), *forms.gradients.values())
    quantities = [packing.quantities if isinstance(packing, Packing) else packing for packing in packings]
    return repr((forms.results, forms.cache, quantities))
