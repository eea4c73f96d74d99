"""The people room, for administrators: who has an account, what they have here, and what they may."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.http import Request
from dashboard.messages import explain
from dashboard.people import quotas
from dashboard.people.changes import LastAdministrator, set_administrator
from dashboard.people.counting import belongings, holdings
from dashboard.people.forms import QuotaForm, Which
from dashboard.people.models import Farewell
from dashboard.people.queries import people_like
from tuning.errors import ServiceError

PEOPLE_A_PAGE = 50


@require_safe
@login_required
def index(request: Request) -> HttpResponse:
    """Everybody who has an account, found by name or e-mail, with what they have here."""
    check_administrator(request)
    form = Which(request.GET)
    form.is_valid()
    said = {name: value for name, value in form.cleaned_data.items() if value}
    page = Paginator(people_like(**said), PEOPLE_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": holdings(page.object_list), "kinds": Which.KINDS, "asked": urlencode(said), **said}
    partial = "#found" if request.htmx.target == "found" else ""
    return TemplateResponse(request, f"people/list.html{partial}", context)


@require_safe
@login_required
def detail(request: Request, pk: int) -> HttpResponse:
    """One person: what they have, what they may, and how to change that."""
    person = person_of(request, pk)
    return _page(request, person, QuotaForm(person))


@require_POST
@login_required
def administrator(request: Request, pk: int) -> HttpResponse:
    """Makes somebody an administrator, or a member again; never the last one."""
    person, wanted = person_of(request, pk), request.POST.get("administrator") == "yes"
    try:
        with transaction.atomic():
            set_administrator(person, wanted)
            if wanted:
                audit.record(request, "person.administrator_made", person)
            else:
                audit.record(request, "person.administrator_unmade", person)
    except LastAdministrator:
        messages.error(
            request, _("%(person)s is the last administrator. Make somebody else one first.") % {"person": person}
        )
    # Who is an administrator no more has no way to this room.
    return redirect("accounts:account") if person == request.user else redirect("people:detail", pk)


@require_POST
@login_required
def quota(request: Request, pk: int) -> HttpResponse:
    """How much somebody may have, changed; or their page says what is wrong with it."""
    person = person_of(request, pk)
    form = QuotaForm(person, request.POST)
    if not form.is_valid():
        return _page(request, person, form)
    with transaction.atomic():
        form.save()
        said = form.cleaned_data
        audit.record(
            request, "person.quota_changed", person, jobs=_written(said["jobs"]), storage=_written(said["storage_mb"])
        )
    messages.success(request, _("The limits of %(person)s are saved.") % {"person": person})
    return redirect("people:detail", pk)


def check_administrator(request: Request) -> None:
    """Raises ``Http404`` for everybody else: the room is not theirs."""
    if not request.user.is_administrator:
        raise Http404


def person_of(request: Request, pk: int) -> User:
    """The person whom an administrator asks for. Raises ``Http404``."""
    check_administrator(request)
    return get_object_or_404(User, pk=pk)


def farewell_of(person: User) -> dict[str, Any]:
    """What is to be told of somebody who leaves; ``seen`` is another one whenever that is."""
    farewell = Farewell.objects.select_related("heir").filter(person=person).first()
    has = belongings(person)
    waiting = farewell is not None and not farewell.finished
    return {
        "person": person,
        "farewell": farewell,
        "has": has,
        "why": explain(ServiceError(farewell.problem)).title if farewell and farewell.problem else "",
        "seen": f"{has.left}-{farewell.problem}" if farewell and waiting else "over",
    }


def _written(limit: int | None) -> str:
    return _("as everybody") if limit is None else str(limit) if limit else _("no limit")


def _page(request: Request, person: User, form: QuotaForm) -> HttpResponse:
    context = farewell_of(person) | {
        "holding": next(iter(holdings([person]))),
        "jobs": quotas.jobs_of(person),
        "storage": quotas.storage_of(person),
        "memberships": person.memberships.select_related("team").order_by("team__name"),
        "form": form,
    }
    return TemplateResponse(request, "people/detail.html", context)
