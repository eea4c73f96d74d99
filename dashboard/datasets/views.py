"""The datasets room: the list, an upload with its choice of columns, and what a dataset holds."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, ProtectedError
from django.forms import Form
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard import audit
from dashboard.datasets.forms import ColumnsForm, FileForm, NewDatasetForm, RenameForm, header
from dashboard.datasets.models import Dataset, DatasetVersion, Upload
from dashboard.datasets.samples import SAMPLES
from dashboard.datasets.uploads import upload_limit
from dashboard.http import Request
from dashboard.messages import explain
from tuning.datasets import Parsed, parse
from tuning.errors import Exhausted

T = TypeVar("T")

DATASETS_A_PAGE = 50
EXAMPLES_A_PAGE = 50


@require_safe
@login_required
def index(request: Request) -> HttpResponse:
    """My datasets, the last changed first; where there are none, how to get one."""
    datasets = Dataset.objects.visible_to(request.user).with_versions()
    page = Paginator(datasets, DATASETS_A_PAGE).get_page(request.GET.get("page"))
    return TemplateResponse(request, "datasets/list.html", {"page": page, "samples": SAMPLES})


@require_http_methods(["GET", "POST"])
@login_required
def new(request: Request) -> HttpResponse:
    """A file to be uploaded, or a sample; then the new dataset, its columns' choice, or what is wrong with it."""
    form = NewDatasetForm(request.POST, request.FILES) if request.method == "POST" else NewDatasetForm()
    if form.is_valid():
        name = form.cleaned_data["name"]
        if not form.parsed:
            return redirect(_kept(request, form, name, None))
        if dataset := _with_room(form, partial(Dataset.objects.start, request.user, name, form.parsed)):
            return redirect(dataset)
    return _upload_page(request, form, {"samples": SAMPLES})


@require_http_methods(["GET", "POST"])
@login_required
def add_version(request: Request, pk: int) -> HttpResponse:
    """A file to be uploaded as the dataset's next version; then the dataset."""
    dataset = _dataset(request, pk)
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    if form.is_valid():
        if not form.parsed:
            return redirect(_kept(request, form, dataset.name, dataset))
        if added := _with_room(form, partial(_version_added, request, dataset, form.parsed)):
            return added
    return _upload_page(request, form, {"dataset": dataset})


@require_http_methods(["GET", "POST"])
@login_required
def columns(request: Request, key: str) -> HttpResponse:
    """The first rows of an uploaded file, and which of its columns is the input and which the output."""
    upload = get_object_or_404(Upload.objects.select_related("dataset"), owner=request.user, key=key)
    with upload.path.open("rb") as file:
        found = header(file, upload.file_name)
    form = ColumnsForm(upload, found, request.POST if request.method == "POST" else None)
    if form.is_valid() and form.parsed:
        made = partial(_made_of, request, upload, form.parsed)
        if response := _with_room(form, made):
            upload.delete()
            return response
    return TemplateResponse(request, "datasets/columns.html", {"upload": upload, "form": form})


@require_POST
@login_required
def use_sample(request: Request, slug: str) -> HttpResponse:
    """The dataset made of a sample: the one I have already, or a new one."""
    sample = next((sample for sample in SAMPLES if sample.slug == slug), None)
    if sample is None:
        raise Http404
    with sample.path.open("rb") as file:
        parsed = parse(file, sample.path.name)
    mine = Dataset.objects.filter(owner=request.user, versions__sha256=parsed.sha256).first()
    return redirect(mine or Dataset.objects.start(request.user, str(sample.title), parsed))


@require_safe
@login_required
def detail(request: Request, pk: int, number: int | None = None) -> HttpResponse:
    """What a dataset holds: facts, examples page by page, its versions. The newest, unless one is asked for."""
    dataset = _dataset(request, pk)
    versions = dataset.versions.annotate(job_count=Count("jobs")).order_by("-number")
    version = get_object_or_404(versions, number=number) if number else versions[0]
    page = Paginator(range(version.examples), EXAMPLES_A_PAGE).get_page(request.GET.get("page"))
    context = {"dataset": dataset, "version": version, "versions": versions, "page": page}
    context["examples"] = version.preview(page.start_index() - 1, EXAMPLES_A_PAGE)
    part = "#preview" if request.htmx.target == "preview" else ""
    return TemplateResponse(request, f"datasets/detail.html{part}", context)


@require_safe
@login_required
def download(request: Request, pk: int, number: int) -> FileResponse:
    """The version's JSONL, as a file."""
    dataset = _dataset(request, pk)
    version = get_object_or_404(dataset.versions, number=number)
    if request.method == "GET":
        audit.record(request, "dataset.downloaded", dataset, version=number)
    name = f"{slugify(dataset.name) or 'dataset'}-v{version.number}.jsonl"
    return FileResponse(
        version.path.open("rb"), as_attachment=True, filename=name, content_type="application/jsonl; charset=utf-8"
    )


@require_http_methods(["GET", "POST"])
@login_required
def rename(request: Request, pk: int) -> HttpResponse:
    """The dataset's name, to be changed."""
    dataset = _dataset(request, pk)
    before = dataset.name
    form = RenameForm(request.POST if request.method == "POST" else None, instance=dataset)
    if form.is_valid():
        with transaction.atomic():
            audit.record(request, "dataset.renamed", form.save(), before=before)
        return redirect(dataset)
    return TemplateResponse(request, "datasets/rename.html", {"dataset": _dataset(request, pk), "form": form})


@require_http_methods(["GET", "POST"])
@login_required
def delete(request: Request, pk: int) -> HttpResponse:
    """Asks whether the dataset may go, or says why it may not; then the list."""
    dataset = _dataset(request, pk)
    if request.method == "POST":
        try:
            with transaction.atomic():
                audit.record(request, "dataset.deleted", dataset)
                dataset.delete()
        except ProtectedError:
            return redirect("datasets:delete", dataset.pk)
        messages.success(request, _("“%(name)s” was deleted.") % {"name": dataset})
        return redirect("datasets:list")
    jobs = DatasetVersion.objects.filter(dataset=dataset, jobs__isnull=False).count()
    return TemplateResponse(request, "datasets/delete.html", {"dataset": dataset, "jobs": jobs})


def _dataset(request: Request, pk: int) -> Dataset:
    return get_object_or_404(Dataset.objects.visible_to(request.user), pk=pk)


def _kept(request: Request, form: FileForm, name: str, dataset: Dataset | None) -> Upload:
    return Upload.objects.keep(form.cleaned_data["file"], owner=request.user, name=name, dataset=dataset)


def _made_of(request: Request, upload: Upload, parsed: Parsed) -> HttpResponse:
    if upload.dataset:
        return _version_added(request, upload.dataset, parsed)
    return redirect(Dataset.objects.start(request.user, upload.name, parsed))


def _with_room(form: Form, keep: Callable[[], T]) -> T | None:
    """What ``keep`` makes. ``None`` where there is no room for it: the form then says how much there is."""
    try:
        return keep()
    except Exhausted as error:
        message = explain(error)
        form.add_error(next(iter(form.fields)), f"{message.title}. {message.advice}")
        return None


def _version_added(request: Request, dataset: Dataset, parsed: Parsed) -> HttpResponse:
    with transaction.atomic():
        version, is_new = dataset.add_version(parsed)
        if is_new:
            facts = {"version": version.number, "examples": version.examples}
            audit.record(request, "dataset.version_added", dataset, **facts)
    if is_new:
        text = ngettext(
            "Version %(number)s holds %(count)s example.", "Version %(number)s holds %(count)s examples.", parsed.count
        )
    else:
        text = _("The file holds the same examples as version %(number)s, so no new version was made.")
    messages.info(request, text % {"number": version.number, "count": f"{parsed.count:,}"})
    return redirect(dataset)


def _upload_page(request: Request, form: FileForm, context: dict[str, Any]) -> HttpResponse:
    part = "#upload" if request.htmx.target == "upload" else ""
    context |= {"form": form, "limit": upload_limit()}
    return TemplateResponse(request, f"datasets/upload.html{part}", context)
