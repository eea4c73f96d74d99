"""The library as a file: for administrators. Files lie in MOVING_DIR; what is large need go through no browser."""

from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard import audit
from dashboard.fingerprints import fingerprint
from dashboard.http import NoContent, Request
from dashboard.moving import files, uploading
from dashboard.moving.models import Kind, Move
from dashboard.moving.tasks import move

MOVES_SHOWN = 10


@require_safe
@login_required
def index(request: Request) -> HttpResponse:
    """What was written and what can be brought in."""
    _require_administrator(request)
    context = _progress() | {"files": list(files.kept()), "folder": settings.MOVING_DIR}
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
    _begin(request, Kind.EXPORT, files.new_name())
    messages.success(request, _("The library is being written. Nothing depends on this page being open."))
    return redirect("moving:index")


@require_POST
@login_required
def bring(request: Request) -> HttpResponse:
    """Has the worker bring in a library."""
    _require_administrator(request)
    path = files.find(request.POST.get("file", ""))
    _begin(request, Kind.IMPORT, path.name)
    messages.success(request, _("“%(name)s” is checked, then brought in.") % {"name": path.name})
    return redirect("moving:index")


@csrf_exempt  # the token is in the form, which is read when a place for the file is known: _taken is protected
@require_http_methods(["GET", "POST"])
@login_required
def upload(request: Request) -> HttpResponse:
    """A library's file to be sent here from the browser; then it lies among the files."""
    _require_administrator(request)
    request.upload_handlers = [uploading.LibraryFile(request)]
    return _taken(request)


@csrf_protect
def _taken(request: Request) -> HttpResponse:
    form = uploading.LibraryForm(request.POST, request.FILES) if request.method == "POST" else uploading.LibraryForm()
    if form.is_valid():
        file = form.cleaned_data["file"]
        name = files.keep(Path(file.temporary_file_path()), file.name)
        audit.record(request, "library.uploaded", audit.Thing("library", name, name))
        messages.success(request, _("“%(name)s” is here. Nothing of it is in the library yet.") % {"name": name})
        return redirect("moving:index")
    part = "#upload" if request.htmx.target == "upload" else ""
    context = {"form": form, "limit": uploading.most_bytes(), "folder": settings.MOVING_DIR}
    return TemplateResponse(request, f"moving/upload.html{part}", context)


@require_safe
@login_required
def download(request: Request, file: str) -> HttpResponseBase:
    """The file, for whoever keeps backups."""
    _require_administrator(request)
    path = files.find(file)
    audit.record(request, "library.downloaded", audit.Thing("library", path.name, path.name))
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name)


@require_POST
@login_required
def remove(request: Request, file: str) -> HttpResponse:
    """Removes a file."""
    _require_administrator(request)
    path = files.find(file)
    audit.record(request, "library.file_removed", audit.Thing("library", path.name, path.name))
    path.unlink(missing_ok=True)
    messages.success(request, _("“%(name)s” was removed.") % {"name": path.name})
    return redirect("moving:index")


def _begin(request: Request, kind: Kind, file: str) -> None:
    """One at a time of a kind: a second press waits for the first."""
    files.folder()
    if not Move.objects.unfinished().filter(kind=kind).exists():
        begun = Move.objects.create(kind=kind, file=file, by=request.user)
        move.enqueue(begun.pk)


def _progress() -> dict[str, object]:
    moves = list(Move.objects.select_related("by")[:MOVES_SHOWN])
    live = any(one.finished is None for one in moves)
    seen = fingerprint([(one.pk, one.done, one.total, one.problem, one.finished) for one in moves])
    return {"moves": moves, "live": live, "seen": seen}


def _require_administrator(request: Request) -> None:
    if not request.user.is_administrator:
        raise Http404
