"""How a model is drawn in the library, as a row or as a card. A page has hundreds of pieces, so that functions write
them, not templates.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from dashboard.library.listing.rows import Arrival, Listed, Row, seen_as
from dashboard.library.models import TunedModel
from dashboard.listing.drawing import small_curve, tag_marks
from dashboard.markup import filled
from dashboard.templatetags.tuneboard import ago, loss, percent

Drawing = Callable[[Row, str, bool], SafeString]

ROW = """<tr id="model-{key}"{again}>\
<td class="tick">{tick}</td><td class="star">{star}</td>\
<td class="name"><a href="{room}{key}/" id="open-{key}">{name}</a>{about}</td>\
<td class="number">{loss}</td><td class="wide">{curve}</td>\
<td class="number wide">{evaluation}</td><td class="number wide">{match}</td>\
<td class="wide mono">{base}</td><td class="wide">{dataset}</td><td class="wide">{owner}</td>\
<td class="number wide">{used}</td><td class="number wide">{created}</td><td class="wide">{tags}</td></tr>"""
CARD = """<li id="model-{key}"{again}>\
<div class="card-head"><span class="tick">{tick}</span>\
<h2 class="name"><a href="{room}{key}/" id="open-{key}">{name}</a></h2>{star}</div>{about}\
<div class="card-curve">{curve}<span class="number">{loss}</span></div>\
<p class="small muted">{made_of}</p><p class="small muted">{owner} · {created}{used}</p>{tags}</li>"""
TICK = (
    '<input type="checkbox" name="model" value="{}" id="tick-{}" aria-labelledby="select open-{}">'
    '<input type="hidden" name="seen" value="{}">'
)
STAR = (
    '<button class="star quiet" type="submit" id="star-{key}" formaction="{room}{key}/star/" formnovalidate'
    ' name="star" value="{turns}" hx-post="{room}{key}/star/" hx-target="this" hx-swap="outerHTML" hx-params="star"'
    ' aria-pressed="{pressed}" aria-label="{label}" aria-describedby="open-{key}" title="{label}"'
    " data-star>{sign}</button>"
)


def star(model: TunedModel | Listed, room: str) -> SafeString:
    """The button that makes ``model`` a favourite, or one no more."""
    own = model.is_favourite
    look = {"turns": "off" if own else "on", "pressed": "true" if own else "false", "sign": "★" if own else "☆"}
    return filled(STAR, key=str(model.pk), room=room, label=gettext("Favourite"), **look)


def as_row(row: Row, room: str, again: bool = False) -> SafeString:
    about = filled('<small class="one-line">{}</small>', said) if (said := row.model.description) else ""
    return filled(
        ROW,
        about=about,
        evaluation=loss(row.model.evaluation),
        match=percent(row.model.last_match),
        base=row.model.base_model,
        dataset=row.model.dataset or "–",
        used=ago(row.model.last_used),
        tags=tag_marks(row.tags.values()),
        **_common(row, room, again),
    )


def as_card(row: Row, room: str, again: bool = False) -> SafeString:
    model = row.model
    about = filled('<p class="clamp muted small">{}</p>', model.description) if model.description else ""
    held_out = gettext("held-out loss %s") % loss(model.evaluation) if model.evaluation is not None else ""
    match = gettext("%s as expected") % percent(model.last_match) if model.last_match is not None else ""
    parts = [model.base_model, model.dataset, held_out, match]
    used = filled(" · " + gettext("used {when}"), when=ago(model.last_used)) if model.last_used else ""
    return filled(
        CARD,
        about=about,
        made_of=" · ".join(part for part in parts if part),
        used=used,
        tags=filled("<p>{}</p>", tag_marks(row.tags.values())) if row.tags else "",
        **_common(row, room, again),
    )


DRAWINGS: dict[str, Drawing] = {"table": as_row, "cards": as_card}
HOLDERS = {"table": "tbody", "cards": "ul"}
"""What holds a drawing while it is on its way into a page."""


@dataclass(frozen=True, slots=True)
class DrawnArrival:
    html: SafeString
    after: int | None


def drawn(rows: Iterable[Row], view: str, *, again: bool = False) -> list[SafeString]:
    """``rows`` as the view draws them; ``again``: each takes the place of what it looked like before."""
    room, draw = reverse("library:list"), DRAWINGS[view]
    return [draw(row, room, again) for row in rows]


def drawn_arrivals(arrivals: Iterable[Arrival], view: str) -> list[DrawnArrival]:
    arrived = list(arrivals)
    pictures = drawn((arrival.row for arrival in arrived), view)
    return [DrawnArrival(html, arrival.after) for html, arrival in zip(pictures, arrived, strict=True)]


def _common(row: Row, room: str, again: bool) -> dict[str, str]:
    """What rows and cards both show."""
    model, key = row.model, str(row.model.pk)
    return {
        "key": key,
        "room": room,
        "again": SafeString(' hx-swap-oob="true"') if again else "",
        "tick": filled(TICK, key, key, key, seen_as(row)),
        "star": star(model, room),
        "name": model.display_name,
        "loss": loss(model.last_loss),
        "curve": small_curve(model.curve),
        "owner": model.owner,
        "created": ago(model.created),
    }
