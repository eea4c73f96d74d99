"""Pictures of every page: Tuneboard is started, given real data by a real job, and looked at.

    .venv/bin/python -m scripts.screenshots /tmp/look                 all of them
    .venv/bin/python -m scripts.screenshots /tmp/look job datasets    these pages only

A picture is called PAGE-SCHEME-WIDTH.png, for light and dark and for each width of ``tests.browser.chromium``.
What README.md and docs/ show stands in docs/screenshots, and nothing else.
Needs what ``make test`` installs.
"""

import sys
import tempfile
from dataclasses import dataclass
from itertools import product as combinations
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

from dashboard.datasets.samples import SAMPLES
from tests.browser import walk
from tests.browser.chromium import HEIGHT, WIDTHS, chromium, opened
from tests.browser.product import Product, running

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@dataclass(frozen=True)
class Camera:
    """Takes pictures of the ``wanted`` pages (all, where none is named) into ``folder``."""

    page: Page
    folder: Path
    wanted: tuple[str, ...]

    def take(self, name: str) -> None:
        """The page as it is now, whole, in both schemes and all widths."""
        if self.wanted and name not in self.wanted:
            return
        for scheme, width in combinations(SCHEMES, WIDTHS.values()):
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            self.page.set_viewport_size({"width": width, "height": HEIGHT})
            # A window as high as the page, so that what floats at the window's foot lies at the page's.
            height = self.page.evaluate("document.documentElement.scrollHeight")
            self.page.set_viewport_size({"width": width, "height": max(HEIGHT, height)})
            self.page.wait_for_timeout(400)  # the chart follows its frame
            self.page.screenshot(path=self.folder / f"{name}-{scheme}-{width}.png")

    def visit(self, name: str, path: str) -> None:
        self.page.goto(path, wait_until="networkidle")
        self.take(name)


def tour(camera: Camera, product: Product, others_page: Page) -> None:
    """From the first start to a model that answers, and somebody else who comes by ``others_page``."""
    page = camera.page
    camera.visit("welcome", product.link)
    walk.come_in(page, product.link)
    for name in ("jobs", "library", "datasets", "playground"):
        camera.visit(f"{name}-empty", walk.ROOMS[name])
    first = walk.first_job(page, SAMPLES[0].path, camera.take)
    for name, path in first.places.items():
        if name != "job":
            camera.visit(name, path)
    swept = walk.sweep_of_four(page, first.places["dataset"], camera.take)
    for name, path in swept.items():
        camera.visit(name, path)
    onwards = walk.ways_on(page, first.places["job"])
    onwards |= walk.evaluation(page, onwards["model"], camera.take)
    for name, path in onwards.items():
        camera.visit(name, path)
    camera.visit("presets", walk.ROOMS["presets"])
    camera.visit("audit", walk.ROOMS["audit"])
    for name, path in walk.team_of_two(page, others_page).items():
        camera.visit(name, path)
    for name in ("teams", "people", "invitations", "new-invitation", "account"):
        camera.visit(name, walk.ROOMS[name])
    camera.visit("columns", walk.column_choice(page))
    camera.visit("cancelled-job", walk.cancelled_job(page, first.places["dataset"]))
    camera.visit("long-job", product.plant("long"))
    camera.visit("stalled-job", product.plant("stalled"))
    camera.visit("advised-job", product.plant("advised"))
    product.plant("library")
    camera.visit("library-cards", "/library/?q=shelved+1")
    page.get_by_role("button", name="Table").click()
    camera.visit("library-table", "/library/?q=shelved+1")
    camera.visit("model-with-notes", product.plant("kept-model"))
    camera.visit("bin", product.plant("binned"))
    camera.visit("cleanup", "/library/cleanup/?fate=remove&older_days=90&loss_above=0.4")
    camera.visit("moving", "/library/moving/")
    camera.visit("held-out-job", walk.held_out_job(page, first.places["dataset"]))


def strangers_tour(camera: Camera) -> None:
    """What somebody sees who is not signed in."""
    for name, path in walk.SIGNED_OUT.items():
        camera.visit(name, path)
    camera.page.goto(walk.SIGNED_OUT["sign-in"])
    walk.sign_in(camera.page, "not the password")
    camera.take("sign-in-mistake")


def main(folder: str, *wanted: str) -> None:
    """Take the ``wanted`` pictures into ``folder``."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as var_dir, chromium() as browser, running(Path(var_dir)) as product:
        with opened(browser, product.url) as page, opened(browser, product.url) as others_page:
            tour(Camera(page, Path(folder), wanted), product, others_page)
        with opened(browser, product.url) as page:
            strangers_tour(Camera(page, Path(folder), wanted))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
