"""The notices room: what happened to one's jobs, and by which ways one is told."""

from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard import audit
from dashboard.http import NoContent, Request
from dashboard.notices import events
from dashboard.notices.forms import PreferencesForm, WebhookForm
from dashboard.notices.models import TRIES, Delivery, Notice, Way, Webhook
from dashboard.notices.report import report

NOTICES_A_PAGE = 50
LOG_LINES = 30


@require_safe
@login_required
def index(request: Request) -> HttpResponse:
    """What happened to my jobs, the newest first."""
    mine = Notice.objects.shown_to(request.user)
    page = Paginator(mine.select_related("job"), NOTICES_A_PAGE).get_page(request.GET.get("page"))
    rows = [(notice, report(notice)) for notice in page]
    unread = mine.unread().exists()
    return TemplateResponse(request, "notices/list.html", {"page": page, "rows": rows, "unread": unread})


@require_safe
@login_required
def bell(request: Request) -> HttpResponse:
    """How many notices are unread; 204 when that is what the page shows."""
    unread = Notice.objects.shown_to(request.user).unread().count()
    if request.GET.get("seen") == str(unread):
        return NoContent()
    return TemplateResponse(request, "notices/_bell.html", {"unread": unread, "room": request.GET.get("room")})


@require_safe
@login_required
def follow(request: Request, pk: int) -> HttpResponse:
    """To the job that the notice is about; the notice is read then."""
    mine = Notice.objects.shown_to(request.user)
    notice = get_object_or_404(mine.select_related("job"), pk=pk)
    mine.filter(pk=pk).mark_read()
    return redirect(notice.job)


@require_POST
@login_required
def read_all(request: Request) -> HttpResponse:
    """Nothing is unread any more."""
    Notice.objects.shown_to(request.user).mark_read()
    return redirect("notices:list")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def settings(request: Request) -> HttpResponse:
    """Which events I hear of by which ways, my webhook, and how deliveries went."""
    form = PreferencesForm(request.user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        form.save()
        messages.success(request, _("Your notices are set."))
        return redirect("notices:settings")
    return _settings(request, form=form)


@require_POST
@login_required
@never_cache
def webhook(request: Request) -> HttpResponse:
    """Keeps the address of my webhook; the secret of a new one is shown whole, this once."""
    form = WebhookForm(request.POST)
    if not form.is_valid():
        return _settings(request, webhook_form=form)
    with transaction.atomic():
        secret = form.save(request.user)
        audit.record(request, "webhook.set", host=urlsplit(form.cleaned_data["url"]).hostname)
    if secret:
        return _settings(request, secret=secret)
    messages.success(request, _("Notices are posted to the new address from now on."))
    return redirect("notices:settings")


@require_POST
@login_required
@never_cache
def new_secret(request: Request) -> HttpResponse:
    """Another secret for my webhook, shown whole, this once; the one before is void at once."""
    hook = get_object_or_404(Webhook, person=request.user)
    hook.secret = Webhook.new_secret()
    with transaction.atomic():
        hook.save(update_fields=["secret"])
        audit.record(request, "webhook.renewed")
    return _settings(request, secret=hook.secret)


@require_POST
@login_required
def remove_webhook(request: Request) -> HttpResponse:
    """Nothing is posted any more; what was still on its way is dropped."""
    hook = get_object_or_404(Webhook, person=request.user)
    with transaction.atomic():
        hook.delete()
        audit.record(request, "webhook.removed")
    messages.success(request, _("The webhook is removed."))
    return redirect("notices:settings")


@require_POST
@login_required
def test(request: Request, way: str) -> HttpResponse:
    """Sends a test by that way, one at a time; the log shows what comes of it."""
    if way not in events.open_ways(request.user):
        raise Http404
    return _test(request, Way(way))


@require_POST
@login_required
def again(request: Request, pk: int) -> HttpResponse:
    """Sends a delivery once more. Of a test, that is a test of its way."""
    delivery = get_object_or_404(Delivery.objects.of_own_jobs(), person=request.user, pk=pk)
    if delivery.notice_id is None:
        return _test(request, Way(delivery.way))
    delivery.again()
    events.send()
    return redirect("notices:settings")


def _test(request: Request, way: Way) -> HttpResponse:
    Delivery.objects.test(request.user, way)
    events.send()
    return redirect("notices:settings")


@require_safe
@login_required
def log(request: Request) -> HttpResponse:
    """How my deliveries went; 204 while nothing is new."""
    known = _log(request)
    if request.GET.get("seen") == known["seen"]:
        return NoContent()
    return TemplateResponse(request, "notices/_log.html", known)


def _settings(
    request: Request,
    *,
    form: PreferencesForm | None = None,
    webhook_form: WebhookForm | None = None,
    secret: str = "",
) -> HttpResponse:
    hook = Webhook.objects.filter(person=request.user).first()
    context = {
        "form": form or PreferencesForm(request.user),
        "webhook_form": webhook_form or WebhookForm(initial={"url": hook.url} if hook else None),
        "webhook": hook,
        "secret": secret,
        "ways": events.open_ways(request.user),
        **_log(request),
    }
    return TemplateResponse(request, "notices/settings.html", context)


def _log(request: Request) -> dict[str, object]:
    own = Delivery.objects.of_own_jobs().filter(person=request.user)
    mine = own.select_related("notice__job").prefetch_related("log")
    deliveries = list(mine[:LOG_LINES])
    seen = "-".join(f"{one.pk}.{one.tries}.{one.next_try is None:d}" for one in deliveries)
    waiting = any(one.next_try for one in deliveries)
    return {"deliveries": deliveries, "seen": seen, "waiting": waiting, "tries": TRIES}
