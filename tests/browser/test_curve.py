"""The loss chart in a real browser: zoom, controls, keyboard, exports, and a live run that several tabs watch."""

import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, expect

from dashboard.datasets.samples import SAMPLES
from tests.browser import walk
from tests.browser.chromium import HEIGHT, WIDTHS, Visit
from tests.browser.planted import SPIKE
from tests.browser.product import Product
from tests.browser.test_pages import assert_fits_and_is_accessible


@pytest.fixture(scope="module")
def long_job(product: Product, person: Any) -> str:
    return product.plant("long")


@pytest.fixture(scope="module")
def stalled_job(product: Product, person: Any) -> str:
    return product.plant("stalled")


def drawn(page: Page, line: str = "losses") -> dict[str, list[float]]:
    """What the chart shows of one of its lines."""
    script = (
        "line => { const t = document.getElementById('loss').data.find(t => t.meta === line); return {x: t.x, y: t.y} }"
    )
    return page.evaluate(script, line)  # type: ignore[no-any-return]


def wait_until(page: Page, condition: str) -> None:
    script = f"() => {{ const chart = document.getElementById('loss'); return {condition} }}"
    page.wait_for_function(script, timeout=walk.PREPARING)


def drag(page: Page, first: float, last: float) -> None:
    """Select a range of the plot: from and to as shares of its width."""
    box = page.locator("#loss .nsewdrag").first.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + first * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + last * box["width"], y, steps=8)
    page.mouse.up()


def test_spike_of_one_step_in_a_hundred_thousand_is_seen_from_far_and_near(page: Page, long_job: str) -> None:
    walk.open_page(page, long_job)
    expect(page.locator("#curve-note")).to_have_text(re.compile(r"^1,\d\d\d of 100,000 points, extremes kept$"))
    assert SPIKE in drawn(page)["x"]
    drag(page, 0.55, 0.65)
    wait_until(page, "chart.columns.of < 20000")
    near = drawn(page)
    assert dict(zip(near["x"], near["y"], strict=True))[SPIKE] == 50
    drag(page, 0.6, 0.8)
    wait_until(page, "chart.columns.of < 4000")
    while page.evaluate("document.getElementById('loss').columns.of") > 1300:
        start, end = (page.evaluate(f"document.getElementById('loss').view.{name}") for name in ("start", "end"))
        share = (SPIKE - start) / (end - start)
        seen = page.evaluate("document.getElementById('loss').columns.of")
        drag(page, max(share - 0.2, 0.01), min(share + 0.2, 0.99))
        wait_until(page, f"chart.columns.of < {seen}")
    nearest = drawn(page)
    assert dict(zip(nearest["x"], nearest["y"], strict=True))[SPIKE] == 50
    assert nearest["x"] == list(range(int(nearest["x"][0]), int(nearest["x"][-1]) + 1)), "every step is drawn"
    page.get_by_role("button", name="Reset zoom").click()
    wait_until(page, "chart.columns.of === 100000")
    assert page.evaluate("document.getElementById('loss').layout.xaxis.range") == [0, 100_000]


def test_few_steps_have_a_tick_each_and_no_name_twice(page: Page, long_job: str) -> None:
    walk.open_page(page, long_job)
    page.evaluate("document.getElementById('loss').zoomTo(10, 12)")
    wait_until(page, "chart.columns.steps.length < 10 && chart.layout.xaxis.range[1] < 20")
    assert page.locator("#loss .xtick text").all_text_contents() == ["10", "11", "12"]


def test_zoomed_view_and_controls_come_back_with_the_address(page: Page, long_job: str) -> None:
    walk.open_page(page, long_job)
    page.get_by_role("button", name="Log").click()
    page.get_by_role("button", name="Gaussian").click()
    drag(page, 0.2, 0.4)
    wait_until(page, "chart.columns.of < 30000")
    seen = page.evaluate("document.getElementById('loss').layout.xaxis.range")
    page.reload()
    wait_until(page, "'drawn' in chart.dataset")
    assert page.evaluate("document.getElementById('loss').layout.xaxis.range") == pytest.approx(seen)
    for name in ("Log", "Gaussian"):
        expect(page.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")


def test_log_axis_copes_with_zero_and_negative_losses(page: Page, long_job: str) -> None:
    walk.open_page(page, long_job)
    page.get_by_role("button", name="Log").click()
    wait_until(page, "chart.layout.yaxis.tickmode === 'array'")
    labels = page.evaluate("document.getElementById('loss').layout.yaxis.ticktext")
    assert {"0", "1", "10"} <= set(labels)
    assert any(label.startswith("-") for label in labels)
    shown = drawn(page)
    assert dict(zip(shown["x"], shown["y"], strict=True))[30_001] < 0


def test_x_axis_by_epoch_and_time_keeps_the_zoomed_part(page: Page, long_job: str) -> None:
    walk.open_page(page, long_job)
    drag(page, 0.5, 0.6)
    wait_until(page, "chart.columns.of < 20000")
    first = page.evaluate("document.getElementById('loss').columns.steps[0]")
    for name, x in (("Epoch", "epoch"), ("Time", "time"), ("Step", "step")):
        page.get_by_role("button", name=name, exact=True).click()
        wait_until(page, f"chart.view.x === '{x}' && chart.columns.steps.length > 10")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.getElementById('loss').columns.steps[0]") == pytest.approx(first, abs=120)


def test_throughput_stands_in_a_panel_of_its_own(page: Page, long_job: str) -> None:
    walk.open_page(page, long_job)
    page.get_by_role("button", name="Throughput").click()
    wait_until(page, "chart.data.find(line => line.meta === 'throughput').visible === true")
    assert drawn(page, "throughput")["y"][5] == pytest.approx(4, rel=0.01)
    page.get_by_role("button", name="Throughput").click()
    wait_until(page, "chart.data.find(line => line.meta === 'throughput').visible === false")


def test_evidence_is_marked_on_whatever_axis(page: Page, long_job: str) -> None:
    walk.open_page(page, long_job)
    page.get_by_role("button", name="Epoch").click()
    wait_until(page, "chart.view.x === 'epoch'")
    tell = "detail => document.getElementById('loss').dispatchEvent(new CustomEvent('evidence', { detail }))"
    page.evaluate(tell, {"start": 25_200, "end": 50_400, "text": "flat"})
    wait_until(page, "chart.layout.shapes.some(shape => shape.type === 'rect')")
    band = page.evaluate("document.getElementById('loss').layout.shapes.find(shape => shape.type === 'rect')")
    assert [band["x0"], band["x1"]] == pytest.approx([2, 4])
    page.evaluate(tell, None)
    wait_until(page, "!chart.layout.shapes.some(shape => shape.type === 'rect')")


def test_curve_by_keyboard_says_each_point(page: Page, long_job: str) -> None:
    walk.open_page(page, long_job)
    page.locator("#loss").focus()
    said = page.locator("#curve-cursor")
    page.keyboard.press("Home")
    expect(said).to_have_text(re.compile(r"^step 1, epoch \S+, \S+ s: loss \S+, smoothed \S+$"))
    page.keyboard.press("ArrowRight")
    expect(said).not_to_have_text(re.compile("^step 1,"))
    page.keyboard.press("End")
    expect(said).to_have_text(re.compile("^step 100000, epoch 7.94, .*held-out loss"))
    page.keyboard.press("+")
    wait_until(page, "chart.columns.of < 60000")
    page.keyboard.press("0")
    wait_until(page, "chart.columns.of === 100000")


def test_controls_by_keyboard(page: Page, long_job: str) -> None:
    walk.open_page(page, long_job)
    slider = page.get_by_label("Weight of the past")
    slider.focus()
    page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "0.999")
    page.wait_for_load_state("networkidle")
    flat = drawn(page, "smoothed")["y"]
    slider.focus()
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "0.00")
    wait_until(page, "chart.data[1].y[100] === chart.data[0].y[100]")
    assert max(loss for loss in flat if loss is not None) < 20
    page.get_by_role("button", name="Log").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log")).to_have_attribute("aria-pressed", "true")


def test_table_twin_has_every_point(page: Page, long_job: str) -> None:
    walk.open_page(page, long_job)
    page.get_by_text("The curve as a table").click()
    table = page.get_by_role("table", name=re.compile("newest step first"))
    expect(table.get_by_role("row")).to_have_count(51)
    expect(table.get_by_role("row").nth(1)).to_contain_text("100000")
    page.get_by_role("link", name="Older").click()
    expect(table.get_by_role("row").nth(1)).to_contain_text("99950")


def test_picture_and_points_can_be_taken_away(page: Page, long_job: str) -> None:
    walk.open_page(page, long_job)
    menu = page.get_by_label("Save the curve")
    files: dict[str, bytes] = {}
    for name in ("Picture, SVG", "Picture, PNG", "Every point, CSV", "Every point, JSON"):
        if not page.get_by_text(name).is_visible():
            menu.click()
        with page.expect_download() as download:
            page.get_by_text(name).click()
        files[download.value.suggested_filename] = download.value.path().read_bytes()
    assert set(files) == {"A-long-one-loss.svg", "A-long-one-loss.png", "a-long-one-loss.csv", "a-long-one-loss.json"}
    assert ElementTree.fromstring(files["A-long-one-loss.svg"]).tag.endswith("svg")
    assert files["A-long-one-loss.png"].startswith(b"\x89PNG")
    assert files["a-long-one-loss.csv"].count(b"\n") == 1 + 100_000 + 8
    assert len(json.loads(files["a-long-one-loss.json"])["training"]) == 100_000


def test_full_screen_and_back(page: Page, long_job: str) -> None:
    walk.open_page(page, long_job)
    page.get_by_role("button", name="Full screen").click()
    wait_until(page, "document.fullscreenElement?.id === 'curve'")
    page.get_by_role("button", name="Full screen").click()
    wait_until(page, "!document.fullscreenElement")


def test_choice_of_a_person_is_kept_for_the_next_job(page: Page, long_job: str, stalled_job: str) -> None:
    walk.open_page(page, long_job)
    page.get_by_role("button", name="Epoch").click()
    wait_until(page, "chart.view.x === 'epoch'")
    walk.open_page(page, stalled_job)
    expect(page.get_by_role("button", name="Epoch")).to_have_attribute("aria-pressed", "true")


def test_stalled_job_says_so(page: Page, stalled_job: str) -> None:
    walk.open_page(page, stalled_job)
    expect(page.locator("#job-header .state")).to_have_text("Stalled")
    expect(page.get_by_text("No step has come for far longer")).to_be_visible()
    expect(page.locator("#last-snapshot")).to_have_text(re.compile(r"^Last snapshot 1\d min ago$"))


@pytest.mark.parametrize("job", ["long_job", "stalled_job"])
def test_curve_fits_and_is_accessible(page: Page, request: pytest.FixtureRequest, job: str) -> None:
    page.set_viewport_size({"width": WIDTHS["phone"], "height": HEIGHT})
    walk.open_page(page, request.getfixturevalue(job))
    walk.unfold(page)
    assert_fits_and_is_accessible(page)


def test_live_run_in_two_tabs_of_which_one_is_closed_and_reopened(visit: Visit) -> None:
    with visit() as page:
        walk.upload(page, SAMPLES[0].path, "Numbers to watch")
        walk.start_job(page, "Watched", epochs=500)
        expect(page.locator("#job-header .state")).to_have_text("Tuning", timeout=walk.PREPARING)
        other = page.context.new_page()
        other.goto(page.url)
        for tab in (page, other):
            tab.bring_to_front()  # a tab behind another is hidden, and asks for nothing until it is seen
            wait_until(tab, "(chart.columns?.steps.length ?? 0) > 3")
            assert drawn(tab)["x"] == list(range(1, len(drawn(tab)["x"]) + 1)), "no step is missing or twice"
        seen = len(drawn(page)["x"])
        other.close()
        page.bring_to_front()
        drag(page, 0.0, 0.02)
        wait_until(page, "chart.view.start !== null")
        zoomed = page.evaluate("document.getElementById('loss').layout.xaxis.range")
        wait_until(page, f"Number(document.querySelector('#live progress').value) > {seen + 3}")
        assert page.evaluate("document.getElementById('loss').layout.xaxis.range") == zoomed, "the view stays"
        again = page.context.new_page()
        again.goto(page.url.split("?")[0])
        wait_until(again, f"(chart.columns?.steps.length ?? 0) > {seen + 3}")
        assert drawn(again)["x"] == list(range(1, len(drawn(again)["x"]) + 1))
        page.bring_to_front()
        page.get_by_role("button", name="Cancel job").click()
        for tab in (page, again):
            tab.bring_to_front()
            expect(tab.locator("#job-header .state")).to_have_text("Cancelled")
        expect(again.locator("[data-live]")).to_have_count(0)


def test_poll_asks_less_often_while_nothing_changes(visit: Visit, stalled_job: str) -> None:
    with visit() as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if "/live/" in request.url else None)
        page.clock.install()
        walk.open_page(page, stalled_job)
        for _second in range(60):
            page.clock.run_for(1000)
            page.wait_for_timeout(40)  # for the answer, which comes in real time
        page.wait_for_load_state("networkidle")
        assert 5 <= len(asked) <= 12
