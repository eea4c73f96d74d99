"""The teams room: people to whom models are shared as one."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from dashboard import audit
from dashboard.http import Request
from dashboard.teams.forms import NewMemberForm, TeamForm
from dashboard.teams.models import Team


@require_safe
@login_required
def index(request: Request) -> HttpResponse:
    """The teams I am in; administrators see all."""
    visible = Team.objects.visible_to(request.user).values("pk")
    mine = Count("memberships", filter=Q(memberships__person=request.user, memberships__is_manager=True))
    teams = Team.objects.filter(pk__in=visible).annotate(people=Count("memberships"), mine=mine)
    return TemplateResponse(request, "teams/list.html", {"teams": teams})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new(request: Request) -> HttpResponse:
    """The name of a new team, asked of administrators; whoever makes it manages it."""
    if not request.user.is_administrator:
        raise Http404
    form = TeamForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with transaction.atomic():
            team = form.save()
            team.memberships.create(person=request.user, is_manager=True)
            audit.record(request, "team.created", team)
        return redirect(team)
    return TemplateResponse(request, "teams/form.html", {"form": form})


@require_safe
@login_required
def detail(request: Request, pk: int) -> HttpResponse:
    """Who is in the team; its managers change that."""
    team = get_object_or_404(Team.objects.visible_to(request.user), pk=pk)
    return team_page(request, team, NewMemberForm(team))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def rename(request: Request, pk: int) -> HttpResponse:
    """The team's name, to be changed."""
    team = managed(request, pk)
    before = team.name
    form = TeamForm(request.POST if request.method == "POST" else None, instance=managed(request, pk))
    if form.is_valid():
        with transaction.atomic():
            audit.record(request, "team.renamed", form.save(), before=before)
        return redirect(team)
    return TemplateResponse(request, "teams/form.html", {"form": form, "team": team})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: Request, pk: int) -> HttpResponse:
    """Asks administrators whether the team may go, and says what that means; then the list."""
    team = managed(request, pk)
    if not request.user.is_administrator:
        raise PermissionDenied(_("Only administrators delete teams."))
    if request.method == "POST":
        with transaction.atomic():
            audit.record(request, "team.deleted", team)
            team.delete()
        messages.success(request, _("The team “%(name)s” was deleted.") % {"name": team})
        return redirect("teams:list")
    return TemplateResponse(request, "teams/delete.html", {"team": team, "people": team.members.count()})


def team_page(request: Request, team: Team, form: NewMemberForm) -> HttpResponse:
    """The team's page, with ``form`` as it was filled in."""
    memberships = team.memberships.select_related("person").order_by("-is_manager", "person__name", "person__email")
    context = {
        "team": team,
        "memberships": memberships,
        "form": form,
        "manages": team.may_be_changed_by(request.user),
        "is_in": team.members.filter(pk=request.user.pk).exists(),
        "invitations": team.invitations.open().select_related("made_by"),
    }
    return TemplateResponse(request, "teams/detail.html", context)


def managed(request: Request, pk: int) -> Team:
    """The team, for those who may change it. Raises ``Http404``, or ``PermissionDenied`` for its other members."""
    team = get_object_or_404(Team.objects.visible_to(request.user), pk=pk)
    if not team.may_be_changed_by(request.user):
        raise PermissionDenied(_("Only the managers of a team and administrators change it."))
    return team
