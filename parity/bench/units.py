"""How a number of a run is written, on the terminal and on the page: three digits and a unit."""

from __future__ import annotations

import math

DIGITS = 3
"""Of what is measured: the fourth is noise."""

TIMES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
SIZES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))
"""From large to small; a unit is taken from 1 of it on, and the last for whatever is smaller."""

RATES = {"flops": "GFLOP/s", "bytes": "GB/s"}
"""What 10⁹ of it in a second are called: one unit, so that rates can be compared at a glance."""

INFINITE = "∞"


def digits(x: float, n: int = DIGITS) -> str:
    """The first n digits, without an exponent, and what is left of the point in full.

    >>> digits(1.0432), digits(12.96), digits(98765.0), digits(0.00123), digits(0.0)
    ('1.04', '13.0', '98,765', '0.00123', '0')
    """
    if not math.isfinite(x):
        return INFINITE if x > 0 else str(x)
    if x == 0:
        return "0"
    exponent = int(f"{x:.{n - 1}e}".partition("e")[2])  # of the rounded number: 9.996 is 10.0
    return f"{x:,.{max(0, n - 1 - exponent)}f}"


def about(x: float) -> str:
    """Two digits, and zeros.

    >>> about(2231.7), about(0.956), about(24.1)
    ('2,200', '0.96', '24')
    """
    return digits(float(f"{x:.2g}"), 2)


def seconds(t: float) -> str:
    """A time.

    >>> seconds(4.2134e-6), seconds(0.0986), seconds(0.9996e-3), seconds(135.2)
    ('4.21 µs', '98.6 ms', '1.00 ms', '135 s')
    """
    return _scaled(t, TIMES)


def bytes_(n: float) -> str:
    """A size in memory.

    >>> bytes_(0), bytes_(1536), bytes_(188_160_000)
    ('0 B', '1.54 kB', '188 MB')
    """
    return f"{n:.0f} B" if abs(n) < 1000 else _scaled(n, SIZES)


def rate(x: float, of: str) -> str:
    """So many operations or bytes in a second.

    >>> rate(95.12e9, "flops"), rate(11.3e9, "bytes")
    ('95.1 GFLOP/s', '11.3 GB/s')
    """
    return f"{digits(x / 1e9)} {RATES[of]}"


def interval(low: float, high: float) -> str:
    """The interval of a ratio.

    >>> interval(1.024, 1.0604)
    '[1.02, 1.06]'
    """
    return f"[{digits(low)}, {digits(high)}]"


def percent(share: float) -> str:
    """A share, to two digits from 1 % on and to one below, down to a thousandth.

    >>> percent(0.812), percent(0.0314), percent(0.0098), percent(0.0042), percent(0.00042)
    ('81 %', '3.1 %', '1.0 %', '0.4 %', '<0.1 %')
    """
    x = 100 * share
    if 0 < x < 1:
        x = float(f"{x:.1g}")  # 0.98 is 1.0, with the digits of 1.0
    return "<0.1 %" if 0 < 10 * x < 1 else f"{digits(x, 2 if x >= 1 else 1)} %"


def of_bound(share: float) -> str:
    """The share of a bound that was used, to one digit: below a thousandth it is of no interest how far.

    >>> of_bound(0.0314), of_bound(0.62), of_bound(0.000005), of_bound(0.0)
    ('0.03', '0.6', '<0.001', '0')
    """
    return "<0.001" if 0 < 1000 * share < 1 else digits(share, 1)


def steps(n: float) -> str:
    """After how many steps something has paid.

    >>> steps(4811.3), steps(0), steps(math.inf)
    ('4,812', 'at once', 'never')
    """
    if n <= 0:
        return "at once"
    return "never" if math.isinf(n) else f"{math.ceil(n):,}"


def count(n: int, what: str) -> str:
    """So many of something, in the plural where it takes one.

    >>> count(1, "thread"), count(2, "thread")
    ('1 thread', '2 threads')
    """
    return f"{n:,} {what}" + "s" * (n != 1)


def _scaled(x: float, units: tuple[tuple[float, str], ...]) -> str:
    if not math.isfinite(x):
        return digits(x)
    rounded = abs(float(f"{x:.{DIGITS - 1}e}"))
    unit, name = next((u for u in units if rounded >= u[0]), units[-1])
    return f"{digits(x / unit)} {name}"
