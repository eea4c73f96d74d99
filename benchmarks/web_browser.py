"""A job's page in Chromium, for ``benchmarks/web.py``: how soon its curve is there, and how soon a part of it."""

from statistics import median

from playwright.sync_api import Browser, Page

from tests.browser.chromium import chromium, opened

LOADS, ZOOMS = 10, 20
CHART = "#loss[data-drawn]"
NOTES_DRAWN = """
    window.drawn = new Promise((resolve) => {
      new MutationObserver((_, observer) => {
        if (!document.querySelector("#loss[data-drawn]")) return;
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
      }).observe(document, { subtree: true, childList: true, attributes: true });
    });
"""
"""Milliseconds from the navigation until the chart is painted and the page's thread is free."""
NOTES_REDRAWN = """
    const chart = document.getElementById("loss");
    window.addEventListener("mouseup", () => { window.released = performance.now(); }, true);
    chart.on("plotly_afterplot", () => { window.redrawn = performance.now(); });
"""
SETTLE = 600
"""Milliseconds after which nothing is redrawn any more."""


def rows(port: int, session: str, job: int) -> list[list[str]]:
    """Rows of the table: medians."""
    with chromium() as browser:
        loads = [_loaded(browser, port, session, job) for _ in range(LOADS)]
        zooms = _zoomed(browser, port, session, job)
    return [
        ["its page in Chromium, nothing cached: curve drawn (s)", f"{median(loads) / 1000:.2f}", "<= 1.5"],
        ["… a part of the curve, from letting go to redrawn (ms)", f"{median(zooms):.0f}", "<= 150"],
    ]


def _loaded(browser: Browser, port: int, session: str, job: int) -> float:
    with opened(browser, f"http://127.0.0.1:{port}", storage_state=_signed_in(session)) as page:
        page.add_init_script(NOTES_DRAWN)
        page.goto(f"/jobs/{job}/")
        return float(page.evaluate("window.drawn"))


def _zoomed(browser: Browser, port: int, session: str, job: int) -> list[float]:
    """A range is chosen with the mouse, then the whole curve shown again."""
    with opened(browser, f"http://127.0.0.1:{port}", storage_state=_signed_in(session)) as page:
        page.goto(f"/jobs/{job}/")
        page.wait_for_selector(CHART)
        page.evaluate(f"() => {{ {NOTES_REDRAWN} }}")
        return [_zoom(page, 0.2 + 0.01 * number) for number in range(ZOOMS)]


def _zoom(page: Page, start: float) -> float:
    plot = page.locator("#loss .nsewdrag").first
    place = plot.bounding_box()
    assert place
    middle = place["y"] + place["height"] / 2
    page.mouse.move(place["x"] + start * place["width"], middle)
    page.mouse.down()
    page.mouse.move(place["x"] + (start + 0.3) * place["width"], middle, steps=5)
    page.mouse.up()
    page.wait_for_timeout(SETTLE)
    taken = float(page.evaluate("window.redrawn - window.released"))
    plot.dblclick()
    page.wait_for_timeout(SETTLE)
    return taken


def _signed_in(session: str) -> dict[str, list[object]]:
    cookie = {"name": "sessionid", "value": session, "domain": "127.0.0.1", "path": "/", "expires": -1}
    return {"cookies": [cookie | {"httpOnly": True, "secure": False, "sameSite": "Lax"}], "origins": []}
