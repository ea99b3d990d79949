"""`python -m tests.screenshots SITE [DIR]`: pictures of the pages for docs/, in both themes, wide and narrow."""

from __future__ import annotations

import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from selenium.webdriver import Chrome

from tests.browser import started

SHOWN = {"start": ("index.html", ""), "shallow": ("shallow.html", "dZ1"), "traps": ("traps.html", "main")}
"""A picture's name: the page, and what is at its top; nothing is the page's own top."""

WINDOWS = {"wide": (1280, 1500), "narrow": (400, 1500)}
THEMES = ("light", "dark")

COLOURS = 128
"""Enough for text and a few accents; a picture has a quarter of the bytes."""


def taken(browser: Chrome, page: Path, anchor: str, window: tuple[int, int], theme: str) -> bytes:
    """The picture of a page in a window of that size, as PNG."""
    size = {"width": window[0], "height": window[1], "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    )
    browser.get("about:blank")
    browser.get(page.as_uri() + (f"#{anchor}" if anchor else ""))
    picture = Image.open(BytesIO(browser.get_screenshot_as_png())).convert("RGB")
    smaller, file = picture.quantize(COLOURS, dither=Image.Dither.NONE), BytesIO()
    smaller.save(file, "PNG", optimize=True)
    return file.getvalue()


def main(site: Path, folder: Path) -> None:
    """All pictures."""
    with tempfile.TemporaryDirectory() as profile, started(Path(profile)) as browser:
        for name, (page, anchor) in SHOWN.items():
            for kind, window in WINDOWS.items():
                for theme in THEMES:
                    path = folder / f"study-{name}-{kind}-{theme}.png"
                    path.write_bytes(taken(browser, site / page, anchor, window, theme))
                    print(path, f"{path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2] if len(sys.argv) > 2 else "docs/figures"))
