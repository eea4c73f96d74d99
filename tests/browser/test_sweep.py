"""A sweep of four jobs, from its form to a comparison whose link shows the same again."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser import walk
from tests.browser.chromium import Visit


def shown(page: Page) -> list[dict[str, Any]]:
    """The lines of the chart: the job, how many points, and what they are called."""
    script = "document.getElementById('overlay').data.map((t) => ({job: t.meta, points: t.x.length, x: t.x[0]}))"
    return list(page.evaluate(script))


def test_sweep_ends_with_its_best_and_all_that_were_tried(page: Page, places: dict[str, str]) -> None:
    walk.open_page(page, places["sweep"])
    rows = page.locator("#live tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.locator(".state", has_text="Done")).to_have_count(4)
    expect(page.locator("#live .as-expected")).to_have_text("best")
    assert page.evaluate("document.querySelector('#parallel-part .chart').data.length") == 4
    best = page.locator("#best a").inner_text()
    page.get_by_role("link", name="Use the best settings").click()
    expect(page.get_by_label("Name")).to_have_value(best)


def test_comparison_overlays_all_and_shows_what_differs(page: Page, places: dict[str, str]) -> None:
    walk.open_page(page, places["comparison"])
    assert len({line["job"] for line in shown(page)}) == 4
    heads = [head.strip() for head in page.locator("table.compare th").all_inner_texts()]
    assert {"Epochs", "Learning rate", "Last loss"} <= set(heads)
    assert "Batch size" not in heads
    page.get_by_label("that are the same for all").check()
    expect(page.get_by_role("button", name="Batch size")).to_be_visible()


def test_table_is_sorted_by_keyboard(page: Page, places: dict[str, str]) -> None:
    walk.open_page(page, places["comparison"])
    head = page.locator("th", has=page.get_by_role("button", name="Last loss"))
    losses = page.locator("table.compare tbody tr").locator("td.number")
    page.get_by_role("button", name="Last loss").focus()
    for direction in ("ascending", "descending"):
        page.keyboard.press("Enter")
        expect(head).to_have_attribute("aria-sort", direction)
        expect(page.get_by_role("button", name="Last loss")).to_be_focused()
    assert losses.count()
    column = [head.strip() for head in page.locator("table.compare th").all_inner_texts()].index("Last loss")
    texts = page.locator(f"table.compare tbody td:nth-child({column + 1})").all_inner_texts()
    assert [float(text) for text in texts] == sorted(map(float, texts), reverse=True)


PRESS_AT_ONCE = """() => {
    const seen = new MutationObserver(() => { seen.disconnect(); document.getElementById("sort-final").click(); });
    seen.observe(document.getElementById("view"), { childList: true });
    window.isTheSame = true;
}"""


def test_head_that_has_just_come_sorts_without_leaving_the_page(page: Page, places: dict[str, str]) -> None:
    walk.open_page(page, places["comparison"])
    page.evaluate(PRESS_AT_ONCE)
    page.get_by_role("button", name="Last loss").press("Enter")
    expect(page.locator("th[aria-sort=descending]")).to_have_text("Last loss")
    expect(page.get_by_role("button", name="Last loss")).to_be_focused()
    assert page.evaluate("window.isTheSame")


def test_link_restores_the_view(visit: Visit, places: dict[str, str]) -> None:
    with visit() as page:
        walk.open_page(page, places["comparison"])
        page.get_by_text("Time from start").click()
        page.get_by_text("Log", exact=True).click()
        page.get_by_label("Smoothing").fill("0.3")
        page.get_by_role("button", name="Last loss").click()
        expect(page.locator("th[aria-sort=ascending]")).to_have_text("Last loss")
        page.locator("[data-shows]").first.uncheck()
        page.wait_for_function("document.getElementById('overlay').layout.yaxis.ticktext")
        page.wait_for_function("new Set(document.getElementById('overlay').data.map((t) => t.meta)).size === 3")
        link, lines = page.url, shown(page)
    with visit() as page:
        walk.open_page(page, link)
        expect(page.get_by_label("Time from start")).to_be_checked()
        expect(page.get_by_label("Log", exact=True)).to_be_checked()
        expect(page.get_by_label("Smoothing")).to_have_value("0.3")
        expect(page.locator("th[aria-sort=ascending]")).to_have_text("Last loss")
        expect(page.locator("[data-shows]").first).not_to_be_checked()
        assert shown(page) == lines
        assert page.evaluate("document.getElementById('overlay').layout.yaxis.tickvals.length") > 1


def test_pointing_at_a_row_brings_out_its_line(page: Page, places: dict[str, str]) -> None:
    walk.open_page(page, places["comparison"])
    row = page.locator("table.compare tbody tr").first
    row.hover()
    job = row.get_attribute("data-job")
    page.wait_for_function("document.getElementById('overlay').data.some((t) => t.opacity < 0.25)")
    for chart in ("#overlay", "#parallel-part .chart"):
        strong = page.evaluate(
            f"document.querySelector('{chart}').data.filter((t) => (t.opacity ?? 1) === 1).map((t) => String(t.meta))"
        )
        assert set(strong) == {job}


def test_job_is_removed_and_found_again(page: Page, places: dict[str, str]) -> None:
    walk.open_page(page, places["comparison"])
    name = page.locator("table.compare tbody tr").first.locator("a").inner_text()
    page.get_by_role("button", name=f"Remove {name}").click()
    expect(page.locator("table.compare tbody tr")).to_have_count(3)
    page.get_by_label("A part of its name").fill(name)
    page.get_by_role("button", name=f"Add {name}").first.click()
    expect(page.locator("table.compare tbody tr")).to_have_count(4)


def test_curve_of_a_running_job_grows_while_somebody_compares_it(
    page: Page, places: dict[str, str], first_job: walk.FirstJob
) -> None:
    page.goto(first_job.places["dataset"])
    walk.start_job(page, "Running on", epochs=200)
    running = page.url
    expect(page.locator("#job-header .state")).to_have_text("Tuning", timeout=walk.PREPARING)
    done, pk = places["job"].split("/")[-2], running.split("/")[-2]
    walk.open_page(page, f"/compare/?jobs={done},{pk}")
    grown = "(least) => document.getElementById('overlay').data.find((t) => t.meta === {})?.x.length > least"
    page.wait_for_function(grown.replace("{}", pk), arg=2)
    length = page.evaluate(f"document.getElementById('overlay').data.find((t) => t.meta === {pk}).x.length")
    page.wait_for_function(grown.replace("{}", pk), arg=length + 2)
    page.goto(running)
    page.get_by_role("button", name="Cancel job").click()
    expect(page.locator("#job-header .state")).to_have_text("Cancelled")
