"""Who is in a team: coming, managing, going."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from dashboard import audit
from dashboard.http import Request
from dashboard.teams.forms import NewMemberForm
from dashboard.teams.models import Membership
from dashboard.teams.views import managed, team_page


@require_POST
@login_required
def add(request: Request, pk: int) -> HttpResponse:
    """Somebody who has an account here comes into the team; or its page says why not."""
    team = managed(request, pk)
    form = NewMemberForm(team, request.POST)
    if not form.is_valid():
        return team_page(request, team, form)
    with transaction.atomic():
        _member, is_new = team.memberships.get_or_create(person=form.person)
        if is_new:
            audit.record(request, "team.member_added", team, person=form.person.email)
    if is_new:
        messages.success(request, _("%(person)s is in the team now.") % {"person": form.person})
    return redirect(team)


@require_POST
@login_required
def manage(request: Request, pk: int, person: int) -> HttpResponse:
    """Makes a member manager of the team, or an ordinary member again."""
    team = managed(request, pk)
    member = get_object_or_404(team.memberships.select_related("person"), person=person)
    member.is_manager = request.POST.get("manager") == "yes"
    with transaction.atomic():
        member.save(update_fields=["is_manager"])
        if member.is_manager:
            audit.record(request, "team.manager_made", team, person=member.person.email)
        else:
            audit.record(request, "team.manager_unmade", team, person=member.person.email)
    return redirect(team)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def remove(request: Request, pk: int, person: int) -> HttpResponse:
    """Asks whether somebody is to be out of the team; then its page."""
    team = managed(request, pk)
    member = get_object_or_404(team.memberships.select_related("person"), person=person)
    if request.method == "POST":
        with transaction.atomic():
            audit.record(request, "team.member_removed", team, person=member.person.email)
            member.delete()
        messages.success(request, _("%(person)s is no longer in the team.") % {"person": member.person})
        return redirect(team if team.may_be_seen_by(request.user) else "teams:list")
    return TemplateResponse(request, "teams/remove.html", {"team": team, "person": member.person})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def leave(request: Request, pk: int) -> HttpResponse:
    """Asks whether I want to be out of the team; then my teams."""
    mine = Membership.objects.filter(person=request.user, team=pk).select_related("team")
    membership = get_object_or_404(mine)
    team = membership.team
    if request.method == "POST":
        with transaction.atomic():
            audit.record(request, "team.left", team)
            membership.delete()
        messages.success(request, _("You are no longer in the team “%(name)s”.") % {"name": team})
        return redirect("teams:list")
    return TemplateResponse(request, "teams/remove.html", {"team": team, "person": request.user})
