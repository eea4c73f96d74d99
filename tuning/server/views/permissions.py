"""``…/tunedModels/{id}/permissions`` and ``:transferOwnership``."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from tuning import resources
from tuning.assertions import Identity
from tuning.errors import NotFound
from tuning.server import paging, rendering, sharing
from tuning.server.access import Action
from tuning.server.answers import answer, json_answer
from tuning.server.models import Permission
from tuning.server.names import PERMISSION_ID
from tuning.server.routing import read, read_masked
from tuning.server.views import tuned_models


def _find(caller: Identity, model_id: str, permission_id: str) -> Permission:
    job = tuned_models.find(caller, model_id, Action.CHANGE)
    known = PERMISSION_ID.fullmatch(permission_id)
    found = job.permissions.filter(public_id=permission_id).first() if known else None
    if found is None:
        raise NotFound("permission_missing", name=f"{job.name}/permissions/{permission_id[:40]}")
    return found


def create(request: HttpRequest, caller: Identity, version: str, model_id: str) -> HttpResponse:
    job = tuned_models.find(caller, model_id, Action.CHANGE)
    granted = sharing.share(job, read(resources.Permission, request, at="permission"))
    return answer(rendering.permission(granted))


def listing(request: HttpRequest, caller: Identity, version: str, model_id: str) -> HttpResponse:
    job = tuned_models.find(caller, model_id, Action.CHANGE)
    found, token = paging.page(job.permissions.all(), request)
    permissions = tuple(rendering.permission(permission) for permission in found)
    return answer(resources.PermissionPage(permissions=permissions, next_page_token=token))


def get(request: HttpRequest, caller: Identity, version: str, model_id: str, permission_id: str) -> HttpResponse:
    return answer(rendering.permission(_find(caller, model_id, permission_id)))


def patch(request: HttpRequest, caller: Identity, version: str, model_id: str, permission_id: str) -> HttpResponse:
    """Only the role may be changed; what else stands in the body is read and left alone."""
    found = _find(caller, model_id, permission_id)
    asked, changes = read_masked(resources.Permission, request, {"role"}, at="permission")
    if changes:
        sharing.change_role(found, asked.role)
    return answer(rendering.permission(found))


def delete(request: HttpRequest, caller: Identity, version: str, model_id: str, permission_id: str) -> HttpResponse:
    sharing.unshare(_find(caller, model_id, permission_id))
    return json_answer({})


def transfer(request: HttpRequest, caller: Identity, version: str, model_id: str) -> HttpResponse:
    asked = read(resources.TransferOwnershipRequest, request)
    with transaction.atomic():
        sharing.transfer(tuned_models.find(caller, model_id, Action.TRANSFER, hold=True), asked.email_address)
    return json_answer({})
