"""What a person does, one function a step; each ends when the page shows that it is done."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

EMAIL = "ada@example.com"
PASSWORD = "correct horse battery"

QUICK = "Tiny Llama"
"""A base model that learns nothing worth knowing, in the seconds that loading the libraries takes."""

PREPARING = 240_000
"""Milliseconds that a first job may wait for its base model to be prepared."""


def come_in(page: Page, link: str) -> None:
    """Open the welcome link and become the administrator."""
    page.goto(link)
    page.get_by_label("Name").fill("Ada Lovelace")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Datasets")


def sign_in(page: Page, password: str = PASSWORD) -> None:
    """Fill in the form that the page shows."""
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def upload(page: Page, file: Path, name: str) -> None:
    """Make a dataset of ``file`` and end on its page."""
    page.goto("/datasets/new/")
    page.get_by_label("File").set_input_files(file)
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name=re.compile("Upload")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def start_job(page: Page, name: str, *, epochs: int = 5, batch: int = 4, base: str = "") -> None:
    """From a dataset's page to the page of a job that tunes the usual base model on it, or the one called ``base``."""
    page.get_by_role("link", name="Start tuning").click()
    page.get_by_label("Name").fill(name)
    if base:
        choose_base(page, base)
    page.get_by_label("Epochs").fill(str(epochs))
    page.get_by_label("Batch size").fill(str(batch))
    page.get_by_role("button", name="Start tuning").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def choose_base(page: Page, base: str) -> None:
    """In the form that the page shows; ``base`` is a part of what the choice says."""
    choice = page.get_by_label("Base model")
    choice.select_option(choice.locator("option", has_text=base).get_attribute("value"))


def losses_while_tuning(page: Page, look: Callable[[], None] = lambda: None) -> list[float]:
    """What the curve of a job's page had drawn when the job was last seen at work. Ends when it is done.

    Nobody reloads the page: every value has arrived while somebody looked on. ``look`` is called at some time
    in between.
    """
    state = page.locator("#job-header .state")
    while state.inner_text() == "Queued":  # a page asks less and less often while nothing happens; who comes back to it
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # sees a short job begin, too
        page.wait_for_timeout(500)
    drawn: list[float] = []
    looked = False
    while state.inner_text() == "Tuning":
        drawn = page.evaluate("document.getElementById('loss').data?.[0].y ?? []")
        if len(drawn) > 5 and not looked:
            look()
            looked = True
        page.wait_for_timeout(100)
    expect(state).to_have_text("Done")
    return drawn


def ask(page: Page, prompt: str) -> str:
    """Put a question in the playground; the answer."""
    turns = page.locator(".turn")
    earlier = turns.count()
    page.get_by_label("Prompt").fill(prompt)
    page.get_by_role("button", name="Ask").click()
    expect(turns).to_have_count(earlier + 1, timeout=60_000)
    return turns.last.locator(".answer").inner_text()


SIGNED_OUT = {"sign-in": "/sign-in/", "welcome-over": "/welcome/used/", "invitation-over": "/invitation/used/"}
"""Pages that a stranger sees."""

ROOMS = {
    "jobs": "/jobs/",
    "new-job": "/jobs/new/",
    "sweeps": "/sweeps/",
    "new-sweep": "/sweeps/new/",
    "compare": "/compare/",
    "paste": "/jobs/new/paste/",
    "presets": "/presets/",
    "new-preset": "/presets/new/",
    "library": "/library/",
    "narrow-library": "/library/facets/",
    "connections": "/connections/",
    "connection": "/connections/1/",
    "edit-connection": "/connections/1/edit/",
    "new-connection": "/connections/new/",
    "new-gemini": "/connections/new/gemini/",
    "datasets": "/datasets/",
    "new-dataset": "/datasets/new/",
    "filter-jobs": "/jobs/filters/",
    "import-jobs": "/jobs/import/",
    "run-bundle": "/lineage/import/",
    "queue": "/queue/",
    "audit": "/audit/",
    "playground": "/playground/",
    "engine": "/engine/",
    "add-base": "/engine/bases/",
    "account": "/account/",
    "change-password": "/account/password/",
    "keys": "/account/keys/",
    "teams": "/teams/",
    "new-team": "/teams/new/",
    "people": "/people/",
    "invitations": "/invitations/",
    "new-invitation": "/invitations/new/",
    "bin": "/library/bin/",
    "cleanup": "/library/cleanup/?fate=remove&older_days=1",
    "moving": "/library/moving/",
    "upload-library": "/library/moving/upload/",
    "notices": "/notices/",
    "notice-settings": "/notices/settings/",
    "not-found": "/nothing/here/",
}
"""Pages that are there from the start."""

MADE = ("dataset", "rename-dataset", "new-version", "delete-dataset", "job", "delete-job")
"""Pages of what :func:`first_job` made."""
MADE += ("cancelled-job", "held-out-job", "columns", "sweep", "comparison")
"""And of what :func:`cancelled_job`, :func:`held_out_job`, :func:`column_choice` and :func:`sweep_of_four` did."""
MADE += ("tune-further", "new-job-advice", "preset", "delete-preset", "model", "edit-model", "sharing")
"""And the ways on from a job, as :func:`ways_on` finds them."""
MADE += ("evaluate", "evaluation", "delete-evaluation")
"""And of the evaluation that :func:`evaluation` made."""
MADE += ("team", "rename-team", "delete-team", "leave-team", "remove-member", "person", "leaving", "not-invited")
"""And of the team that :func:`team_of_two` made."""


@dataclass(frozen=True, kw_only=True)
class FirstJob:
    """What a person saw of their first job: the losses that arrived, its step count, and an answer at the end."""

    losses: list[float]
    steps: str
    answer: str
    places: dict[str, str]


def first_job(page: Page, file: Path, look: Callable[[str], None]) -> FirstJob:
    """From a file to a tuned model that answers: 5 epochs, batch size 4, then "LXIII" in the playground.

    ``look`` is called with the name of what there is to be seen: "job-running", "job", "playground-answer".
    """
    upload(page, file, "Next number")
    dataset = _path(page)
    start_job(page, "Counting")
    job = _path(page)
    losses = losses_while_tuning(page, lambda: look("job-running"))
    look("job")
    steps = page.locator("#live dt", has_text="Step").locator("xpath=../dd").inner_text()
    page.get_by_role("link", name="Ask the model").click()
    answer = ask(page, "LXIII")
    look("playground-answer")
    paths = [dataset, f"{dataset}rename/", f"{dataset}upload/", f"{dataset}delete/", job, f"{job}delete/"]
    places = {**ROOMS, **dict(zip(MADE, paths, strict=False))}
    return FirstJob(losses=losses, steps=steps, answer=answer, places=places)


def cancelled_job(page: Page, dataset: str) -> str:
    """Start a long job and cancel it; the path of its page."""
    page.goto(dataset)
    start_job(page, "Counting for long", epochs=500)
    page.get_by_role("button", name="Cancel job").click()
    expect(page.locator("#job-header .state")).to_have_text("Cancelled")
    return _path(page)


def held_out_job(page: Page, dataset: str, *, base: str = "") -> str:
    """Start a job with held-out examples and sample answers, by keyboard where that is less usual, and wait for its
    end; the path of its page. ``base`` is as for :func:`start_job`.
    """
    page.goto(dataset)
    page.get_by_role("link", name="Start tuning").click()
    page.get_by_label("Name").fill("Held out")
    if base:
        choose_base(page, base)
    page.get_by_label("Epochs").fill("2")
    page.get_by_text("More settings").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Share held out").select_option("20 %")
    page.get_by_label("Sample answers").fill("2")
    page.get_by_role("button", name="Start tuning").click()
    expect(page.locator("#job-header .state")).to_have_text("Done", timeout=PREPARING)
    return _path(page)


def sweep_of_four(
    page: Page, dataset: str, look: Callable[[str], None] = lambda _name: None, *, base: str = ""
) -> dict[str, str]:
    """From the form of a job to a sweep of four, and to its end; the addresses of its page and of its comparison.

    ``base`` is as for :func:`start_job`.

    ``look`` is called with the name of what there is to be seen: "sweep-running".
    """
    page.goto(dataset)
    page.get_by_role("link", name="Start tuning").click()
    page.get_by_label("Name").fill("Numbers")
    if base:
        choose_base(page, base)
    page.get_by_role("button", name="As a sweep").click()
    expect(page.get_by_label("Name")).to_have_value("Numbers")
    page.get_by_label("Learning rate").fill("0.0005, 0.002")
    page.get_by_label("Epochs").fill("1..2")
    expect(page.locator("#estimate dd").first).to_have_text("4")
    page.get_by_role("button", name="Start the sweep").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Numbers")
    sweep = _path(page)
    expect(page.locator("#live .as-expected")).to_have_text("best so far", timeout=PREPARING)
    look("sweep-running")
    expect(page.get_by_text("Best:")).to_be_visible(timeout=PREPARING)
    page.get_by_role("link", name="Compare", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare")
    return {"sweep": sweep, "comparison": page.url.removeprefix(page.url.split("/compare/")[0])}


def ways_on(page: Page, job: str) -> dict[str, str]:
    """Go on to a job's model, and keep its settings as a preset; the paths of both and of the forms that go on from
    the job.
    """
    pk = job.split("/")[2]
    page.goto(job)
    page.locator("#live a[href^='/library/']").click()
    expect(page.get_by_role("heading", name="Ask it by code")).to_be_visible()
    model = _path(page)
    page.goto(f"/presets/new/?job={pk}")
    page.get_by_label("Name").fill("Five epochs, gently")
    page.get_by_role("button", name="Save preset").click()
    page.get_by_role("link", name="Five epochs, gently").first.click()
    preset = _path(page)
    return {
        "tune-further": f"/jobs/new/?further={pk}",
        "new-job-advice": f"/jobs/new/?again={pk}&epoch_count=50&learning_rate=0.02",
        "preset": preset,
        "delete-preset": f"{preset}delete/",
        "model": model,
        "edit-model": f"{model}edit/",
        "sharing": f"{model}sharing/",
    }


def evaluation(page: Page, model: str, look: Callable[[str], None] = lambda _name: None) -> dict[str, str]:
    """Have a model, by its page, be asked the examples that it was tuned on; the paths of the pages about that.

    ``look`` is called with the name of what there is to be seen: "evaluation-running".
    """
    page.goto(model)
    page.get_by_role("link", name="Evaluate", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Evaluate the model")
    form = _path(page)
    page.get_by_role("button", name="Start the evaluation").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Evaluation of")
    look("evaluation-running")
    expect(page.locator("#evaluation-header .state")).to_have_text("Done", timeout=PREPARING)
    begun = _path(page)
    return {"evaluate": form, "evaluation": begun, "delete-evaluation": f"{begun}delete/"}


def invite(page: Page, **said: str) -> str:
    """Make a link that lets somebody in: ``Team`` and ``E-mail`` say more about it. The link."""
    page.goto("/invitations/new/")
    if "team" in said:
        page.get_by_label("Team").select_option(said["team"])
    if "email" in said:
        page.get_by_label("E-mail").fill(said["email"])
    page.get_by_role("button", name="Make the link").click()
    return page.locator("#link").inner_text()


def accept(page: Page, link: str, name: str, email: str) -> None:
    """Open an invitation and make an account by it."""
    page.goto(link)
    page.get_by_label("Name").fill(name)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()


def team_of_two(page: Page, others_page: Page) -> dict[str, str]:
    """Make a team and invite somebody into it, who comes; the paths of the pages about them."""
    page.goto("/teams/new/")
    page.get_by_label("Name").fill("Number people")
    page.get_by_role("button", name="Create team").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Number people")
    team = _path(page)
    accept(others_page, invite(page, team="Number people"), "Grace Hopper", "grace@example.com")
    expect(others_page.get_by_role("heading", level=1)).to_have_text("Number people")
    page.goto(team)
    page.get_by_role("link", name="Grace Hopper", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Grace Hopper")
    person = _path(page)
    plan = f"heir_email={EMAIL}&jobs=hand&datasets=hand&presets=remove&views=hand"
    return {
        "team": team,
        "rename-team": f"{team}rename/",
        "delete-team": f"{team}delete/",
        "leave-team": f"{team}leave/",
        "remove-member": f"{team}members/{person.split('/')[2]}/remove/",
        "person": person,
        "leaving": f"{person}leaving/?{plan}",
        "not-invited": urlsplit(invite(page, email="somebody@example.com")).path,
    }


def column_choice(page: Page) -> str:
    """Upload a file whose columns have names of their own; the path of the page that asks for them."""
    page.goto("/datasets/new/")
    rows = "Nr,Frage,Antwort\n1,Was folgt auf eins?,zwei\n2,Was folgt auf zwei?,drei\n"
    page.get_by_label("File").set_input_files({"name": "fragen.csv", "mimeType": "text/csv", "buffer": rows.encode()})
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("column")
    return _path(page)


def open_page(page: Page, path: str) -> None:
    """Go there and wait until its chart, where it has one, is drawn."""
    page.goto(path)
    expect(page.locator(":is([data-figure], [data-series], [data-curve]):not([data-drawn])")).to_have_count(0)


def unfold(page: Page) -> None:
    """Open everything that is folded away."""
    page.evaluate("document.querySelectorAll('details.more').forEach((more) => { more.open = true })")


def _path(page: Page) -> str:
    return urlsplit(page.url).path
