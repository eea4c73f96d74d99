"""The library as a file: for administrators. Files lie in MOVING_DIR; what is large need go through no browser."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from dashboard import audit
from dashboard.fingerprints import fingerprint
from dashboard.http import NoContent, Request
from dashboard.moving.models import Kind, Move
from dashboard.moving.tasks import move

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,150}\.zip", re.ASCII)
MOVES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of MOVING_DIR."""

    name: str
    size: int
    written: datetime


@require_safe
@login_required
def index(request: Request) -> HttpResponse:
    """What was written and what can be brought in."""
    _require_administrator(request)
    context = _progress() | {"files": list(_files()), "folder": settings.MOVING_DIR}
    return TemplateResponse(request, "moving/index.html", context)


@require_safe
@login_required
def live(request: Request) -> HttpResponse:
    """How far it is; 204 to a poll where nothing changed."""
    _require_administrator(request)
    context = _progress()
    if request.GET.get("seen") == context["seen"]:
        return NoContent()
    response = TemplateResponse(request, "moving/index.html#moves", context)
    if not context["live"]:
        response["HX-Refresh"] = "true"  # a file was written, or the library is another
    return response


@require_POST
@login_required
def export(request: Request) -> HttpResponse:
    """Has the worker write the library."""
    _require_administrator(request)
    name = f"library-{timezone.now():%Y-%m-%d-%H%M%S}.zip"
    _begin(request, Kind.EXPORT, name)
    messages.success(request, _("The library is being written. Nothing depends on this page being open."))
    return redirect("moving:index")


@require_POST
@login_required
def bring(request: Request) -> HttpResponse:
    """Has the worker bring in a library."""
    _require_administrator(request)
    path = _file(request.POST.get("file", ""))
    _begin(request, Kind.IMPORT, path.name)
    messages.success(request, _("“%(name)s” is checked, then brought in.") % {"name": path.name})
    return redirect("moving:index")


@require_safe
@login_required
def download(request: Request, file: str) -> HttpResponseBase:
    """The file, for whoever keeps backups."""
    _require_administrator(request)
    path = _file(file)
    audit.record(request, "library.downloaded", audit.Thing("library", path.name, path.name))
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name)


@require_POST
@login_required
def remove(request: Request, file: str) -> HttpResponse:
    """Removes a file."""
    _require_administrator(request)
    path = _file(file)
    audit.record(request, "library.file_removed", audit.Thing("library", path.name, path.name))
    path.unlink(missing_ok=True)
    messages.success(request, _("“%(name)s” was removed.") % {"name": path.name})
    return redirect("moving:index")


def _begin(request: Request, kind: Kind, file: str) -> None:
    """One at a time of a kind: a second press waits for the first."""
    Path(settings.MOVING_DIR).mkdir(parents=True, exist_ok=True)
    if not Move.objects.unfinished().filter(kind=kind).exists():
        begun = Move.objects.create(kind=kind, file=file, by=request.user)
        move.enqueue(begun.pk)


def _progress() -> dict[str, object]:
    moves = list(Move.objects.select_related("by")[:MOVES_SHOWN])
    live = any(one.finished is None for one in moves)
    seen = fingerprint([(one.pk, one.done, one.total, one.problem, one.finished) for one in moves])
    return {"moves": moves, "live": live, "seen": seen}


def _files() -> Iterator[Kept]:
    paths = [path for path in Path(settings.MOVING_DIR).glob("*.zip") if path.is_file() and NAME.fullmatch(path.name)]
    for path in sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True):
        stat = path.stat()
        yield Kept(path.name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, tz=UTC))


def _file(name: str) -> Path:
    """The file of that name in MOVING_DIR; 404 for what is none, or leads out of there."""
    root = Path(settings.MOVING_DIR).resolve()
    if not NAME.fullmatch(name) or not (path := root / name).is_file() or path.resolve().parent != root:
        raise Http404
    return path


def _require_administrator(request: Request) -> None:
    if not request.user.is_administrator:
        raise Http404
