"""Pages in a headless Chromium: each check looks at the opened page and returns its complaints, none where all is well.

The functions that run in the page are in browser.js. Nothing is downloaded: browser and driver are those of the system.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from selenium.webdriver import ActionChains, Chrome, ChromeOptions, Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

PROGRAMS = ("chromium", "chromedriver")

FLAGS = (
    "--headless",
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
)

PAGE = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")

NARROW, WIDE = 400, 1200
WIDTHS = (320, 400, 768, 1280)

NAMED = {"button", "checkbox", "combobox", "image", "link", "radio", "region", "searchbox", "slider", "textbox"}
"""The roles that a screen reader announces by their name."""

BESIDE = ("numpy", "torch", "jax")
"""The columns that a wide page shows beside each other."""


def lacking() -> list[str]:
    """The programs that this machine lacks."""
    return [program for program in PROGRAMS if not shutil.which(program)]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """One browser for a module's tests; where PARITY_REQUIRE names chromium it has to be here."""
    if missing := lacking():
        required = "chromium" in os.environ.get("PARITY_REQUIRE", "").split(",")
        (pytest.fail if required else pytest.skip)(f"{' and '.join(missing)} not installed")
    with started(tmp_path_factory.mktemp("profile")) as found:
        yield found


@contextmanager
def started(profile: Path) -> Iterator[Chrome]:
    """A browser with an empty profile, which keeps what pages log and request."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    found = Chrome(options=options, service=Service(executable_path=shutil.which("chromedriver")))
    try:
        yield found
    finally:
        found.quit()


def opened(browser: Chrome, page: Path, width: int = WIDTHS[-1]) -> None:
    """Open a page from its file; what earlier pages logged is forgotten."""
    for log in ("browser", "performance"):
        browser.get_log(log)
    resized(browser, width)
    browser.get(page.as_uri())


def resized(browser: Chrome, width: int) -> None:
    """Lay the page out as in a window of this width, which a real one need not reach."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def ask(browser: Chrome, call: str, *arguments: object) -> Any:
    """What a function of browser.js returns."""
    return browser.execute_script(f"{PAGE}\nreturn {call}(...arguments);", *arguments)


# ---- the console and the network


def console_errors(browser: Chrome) -> list[str]:
    """What the page wrote as an error, exceptions among them."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def requests_outside(browser: Chrome, site: Path) -> list[str]:
    """Requests that failed, and those to anything but a file of the site."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {}
    found = []
    for event in events:
        method, of = event["method"], event["params"]
        if method == "Network.requestWillBeSent":
            asked[of["requestId"]] = address = of["request"]["url"]
            if not address.startswith((f"{site.as_uri()}/", "data:")):
                found.append(f"{address} is outside the site")
        elif method == "Network.loadingFailed":
            found.append(f"{asked.get(of['requestId'], 'a request')} failed: {of['errorText']}")
    return found


# ---- formulas and symbols


def formulas_without_a_box(browser: Chrome) -> list[str]:
    """Formulas that take no room, and fractions whose parts are not above one another."""
    return ask(browser, "formulasWithoutABox")


def not_lit(browser: Chrome, symbol: str) -> list[str]:
    """What does not light up, or goes on shining, when a symbol is clicked or its button pressed by keyboard."""
    found = []
    for kind, element in ask(browser, "whereSymbolStands", symbol).items():
        for way, question in (("clicked", ("lit", symbol)), ("clicked again", ("dark",))):
            click(browser, element)
            found += [f"{symbol} {way} in {kind}: {each}" for each in ask(browser, *question)]
    buttons = browser.find_elements(By.CSS_SELECTOR, f'button[data-symbol="{symbol}"]')
    if not buttons:
        return [*found, f"{symbol} has no button"]
    for name, key in (("Enter", Keys.ENTER), ("Space", Keys.SPACE)):
        browser.execute_script("arguments[0].focus()", buttons[0])
        for press, question in ((key, ("lit", symbol)), (Keys.ESCAPE, ("dark",))):
            ActionChains(browser, duration=0).send_keys(press).perform()
            way = name if press == key else f"{name}, then Escape"
            found += [f"{symbol} by {way}: {each}" for each in ask(browser, *question)]
    return found


def click(browser: Chrome, element: WebElement) -> None:
    """Click in the middle of an element, as a hand does: what covers it gets the click."""
    browser.execute_script("arguments[0].scrollIntoView({block: 'center', inline: 'center'})", element)
    ActionChains(browser, duration=0).move_to_element(element).click().perform()


# ---- the layout


def not_stacked(browser: Chrome) -> list[str]:
    """Columns that are not below one another in a narrow window, or not beside each other in a wide one."""
    resized(browser, NARROW)
    found = [f"at {NARROW} px {each}" for each in ask(browser, "notBelowOneAnother")]
    resized(browser, WIDE)
    return found + [f"at {WIDE} px {each}" for each in ask(browser, "notBeside", BESIDE)]


def sideways(browser: Chrome) -> list[str]:
    """The widths of the window at which the page scrolls sideways."""
    found = []
    for width in WIDTHS:
        resized(browser, width)
        found += [f"at {width} px {each}" for each in ask(browser, "sideways")]
    return found


def low_contrast(browser: Chrome) -> list[str]:
    """Text whose contrast is below AA, in the light and in the dark theme."""
    browser.execute_script("""
        const still = document.createElement("style");
        still.textContent = "*, *::before, *::after { transition: none !important; animation: none !important }";
        document.head.append(still);
    """)
    found = []
    for theme in ("light", "dark"):
        media = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        browser.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
        found += ask(browser, "lowContrast", theme)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    return found


# ---- the structure


def headings(browser: Chrome) -> list[str]:
    """Whether there is one h1, and no level is skipped on the way down."""
    return ask(browser, "headings")


def unlabelled(browser: Chrome) -> list[str]:
    """Images, drawings, tables and controls that have no name in the browser's tree for screen readers."""
    nodes = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    found = [node for node in nodes if not node["ignored"] and node["role"]["value"] in NAMED]
    nameless = [node for node in found if not node.get("name", {}).get("value", "").strip()]
    return ask(browser, "unlabelled") + [f"{_described(browser, node)} has no name" for node in nameless]


def _described(browser: Chrome, node: dict[str, Any]) -> str:
    of = browser.execute_cdp_cmd("DOM.describeNode", {"backendNodeId": node["backendDOMNodeId"]})["node"]
    pairs = zip(of["attributes"][::2], of["attributes"][1::2], strict=True)
    return " ".join([of["localName"], *(f'{name}="{value}"' for name, value in pairs)])


# ---- the search and the links


def search_misses(browser: Chrome, word: str, to: str) -> list[str]:
    """What goes wrong from a word in the search to the page and the anchor of the first link that it finds."""
    field = browser.find_element(By.ID, "search")
    field.clear()
    field.send_keys(word)
    links = browser.find_elements(By.CSS_SELECTOR, "#found a")
    if not links:
        return [f"{word} is not found"]
    links[0].click()
    page, anchor = to.split("#")
    there = urlsplit(browser.current_url)
    if (Path(there.path).name, there.fragment) != (page, anchor):
        return [f"{word} leads to {Path(there.path).name}#{there.fragment}, not to {to}"]
    return [] if browser.find_elements(By.ID, anchor) else [f"{page} has no {anchor}"]


class _Links(HTMLParser):
    """The addresses and the identifiers of a page."""

    ADDRESSES = ("href", "src", "xlink:href", "action", "formaction", "poster", "data", "cite")
    REFERENCES = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "list", "headers")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.references: list[str] = []
        self._style = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._style = tag == "style"
        for name, value in ((name, value or "") for name, value in attrs):
            if name == "id":
                self.ids.append(value)
            elif name in self.ADDRESSES:
                self.addresses.append(value)
            elif name in ("srcset", "style"):
                self.addresses += (
                    [each.split()[0] for each in value.split(",")] if name == "srcset" else _of_style(value)
                )
            elif name in self.REFERENCES:
                self.references += value.split()

    def handle_endtag(self, tag: str) -> None:
        self._style = False

    def handle_data(self, data: str) -> None:
        if self._style:
            self.addresses += _of_style(data)


def _of_style(text: str) -> list[str]:
    return re.findall(r"""(?:url\(|@import)\s*["']?([^"')\s]+)""", text)


def _of_search(site: Path) -> list[str]:
    """Where the entries of the search lead."""
    index = site / "search-index.js"
    found = re.search(r"\[.*\]", index.read_text(encoding="utf-8"), re.DOTALL) if index.exists() else None
    return [entry["href"] for entry in json.loads(found[0])] if found else []


def dead_links(site: Path) -> list[str]:
    """Links that lead outside, to no file or to no anchor, and identifiers that none or two elements have.

    They are those of all pages and style sheets, and of the search.
    """
    site = site.resolve()
    pages = {path: _Links(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    addresses = {path: page.addresses for path, page in pages.items()}
    addresses |= {path: _of_style(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.css"))}
    addresses[site / "search-index.js"] = _of_search(site)
    found = [
        f"{path.relative_to(site)}: {each}"
        for path, those in addresses.items()
        for address in those
        for each in _dead(site, path, address, pages)
    ]
    for path, page in pages.items():
        name = path.relative_to(site)
        found += [f"{name}: there is no element {each}" for each in page.references if each not in page.ids]
        found += [f"{name}: two elements are {each}" for each, count in Counter(page.ids).items() if count > 1]
    return found


def _dead(site: Path, at: Path, address: str, pages: dict[Path, _Links]) -> Iterator[str]:
    """The complaint about an address, if there is one."""
    parts = urlsplit(address)
    to = (at.parent / unquote(parts.path)).resolve() if parts.path else at
    if parts.scheme == "data":
        return
    if parts.scheme or parts.netloc or not to.is_relative_to(site):
        yield f"{address} is outside the site"
    elif not to.is_file():
        yield f"{address} leads to no file"
    elif parts.fragment and to in pages and unquote(parts.fragment) not in pages[to].ids:
        yield f"{address} leads to no anchor"
