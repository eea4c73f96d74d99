"""Who may do what: every route and method of the API, asked by everybody. A route that is not in the table fails."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern

from tests.tuning.server.test_queue import make_job
from tuning.engine.bases import catalogue
from tuning.resources import GranteeType, Role
from tuning.server.keys import ApiKey, digest
from tuning.server.models import Job, Upload
from tuning.server.urls import urlpatterns

pytestmark = pytest.mark.django_db

MATRIX = """
#                                                     stranger  shared  reader  writer  owner
GET     {version}/tunedModels                           200       200     200     200     200
POST    {version}/tunedModels                           400       400     400     400     400
GET     {version}/tunedModels/{model_id}                403       200     200     200     200
PATCH   {version}/tunedModels/{model_id}                403       403     403     200     200
DELETE  {version}/tunedModels/{model_id}                403       403     403     403     200
POST    {version}/tunedModels/{model_id}:cancel         403       403     403     200     200
POST    {version}/tunedModels/{model_id}:generateContent        403  400  400  400  400
POST    {version}/tunedModels/{model_id}:streamGenerateContent  403  400  400  400  400
POST    {version}/tunedModels/{model_id}:generateText           403  400  400  400  400
POST    {version}/tunedModels/{model_id}:countTokens            403  400  400  400  400
POST    {version}/tunedModels/{model_id}:countTextTokens        403  400  400  400  400
POST    {version}/tunedModels/{model_id}:transferOwnership  403   403     403     403     400
GET     {version}/tunedModels/{model_id}/permissions    403       403     403     200     200
POST    {version}/tunedModels/{model_id}/permissions    403       403     403     400     400
GET     {version}/tunedModels/{model_id}/permissions/{permission_id}     403  403  403  200  200
PATCH   {version}/tunedModels/{model_id}/permissions/{permission_id}     403  403  403  200  200
DELETE  {version}/tunedModels/{model_id}/permissions/{permission_id}     403  403  403  200  200
GET     {version}/tunedModels/{model_id}/operations     403       200     200     200     200
GET     {version}/tunedModels/{model_id}/operations/{operation_id}         403  200  200  200  200
DELETE  {version}/tunedModels/{model_id}/operations/{operation_id}         403  403  403  403  501
POST    {version}/tunedModels/{model_id}/operations/{operation_id}:cancel  403  403  403  200  200
GET     {version}/models                                200       200     200     200     200
GET     {version}/models/{model_id}                     200       200     200     200     200
POST    {version}/models/{model_id}:generateContent        400  400  400  400  400
POST    {version}/models/{model_id}:streamGenerateContent  400  400  400  400  400
POST    {version}/models/{model_id}:generateText           400  400  400  400  400
POST    {version}/models/{model_id}:countTokens            400  400  400  400  400
POST    {version}/models/{model_id}:countTextTokens        400  400  400  400  400
POST    tuneboard/v1/jobs                               400       400     400     400     400
GET     tuneboard/v1/jobs/{model_id}                    403       200     200     200     200
PATCH   tuneboard/v1/jobs/{model_id}                    403       403     403     403     403
POST    tuneboard/v1/jobs/{model_id}:retry              403       403     403     400     400
GET     tuneboard/v1/jobs/{model_id}/points             403       200     200     200     200
GET     tuneboard/v1/jobs/{model_id}/log                403       200     200     200     200
GET     tuneboard/v1/jobs/{model_id}/samples            403       403     403     200     200
GET     tuneboard/v1/jobs/{model_id}/adapter            403       400     400     400     400
PUT     tuneboard/v1/jobs/{model_id}/adapter            403       403     403     403     403
GET     tuneboard/v1/jobs/{model_id}/adapter.gguf       403       400     400     400     400
GET     tuneboard/v1/jobs/{model_id}/merged.gguf        403       400     400     400     400
GET     tuneboard/v1/jobs/{model_id}/modelfile          403       400     400     400     400
GET     tuneboard/v1/jobs/{model_id}/card               403       400     400     400     400
GET     tuneboard/v1/jobs/{model_id}/training-data      403       403     403     403     404
GET     tuneboard/v1/datasets/{sha256}                  404       404     404     404     200
PUT     tuneboard/v1/datasets/{sha256}                  400       400     400     400     400
GET     tuneboard/v1/keys                               200       200     200     200     200
POST    tuneboard/v1/keys                               403       403     403     403     403
DELETE  tuneboard/v1/keys/{key_id}                      404       404     404     404     200
POST    tuneboard/v1/tokens                             400       400     400     400     400
GET     tuneboard/v1/base-models                        200       200     200     200     200
POST    tuneboard/v1/base-models                        403       403     403     403     403
GET     tuneboard/v1/base-models/{name}                 200       200     200     200     200
DELETE  tuneboard/v1/base-models/{name}                 403       403     403     403     403
GET     tuneboard/v1/engine                             403       403     403     403     403
GET     tuneboard/v1/queue                              200       200     200     200     200
GET     tuneboard/v1/uses                               200       200     200     200     200
GET     tuneboard/v1/status                             200       200     200     200     200
"""
"""What each of :data:`PEOPLE` is answered, asking with an empty body: 400 says that they may and that it is empty.

The job has not begun. ``shared`` is a stranger to a model that is shared with everyone.
"""

PEOPLE = ["stranger", "shared", "reader", "writer", "owner"]
NOBODY = {"": 403, "wrong": 400}
"""What is answered without a key, and to a wrong one, by every one of those routes."""
OPEN = {"healthz", "openapi.json", ""}
"""Routes for everybody, by any method: these, and what is no route at all."""

SHARED = {"grantee_type": GranteeType.EVERYONE, "public_id": "everyone", "role": Role.READER}
DATASET = "0" * 64
"""The hash of a dataset that the owner sent, and of nothing that is sent here."""
READER = "1" * 21
"""The id of the reader's permission."""

ROWS = [tuple(line.split()) for line in MATRIX.strip().splitlines()[1:]]
CELLS = [(*row[:2], who, int(status)) for row in ROWS for who, status in zip(PEOPLE, row[2:], strict=True)]
CELLS += [(*row[:2], key, status) for row in ROWS for key, status in NOBODY.items()]


@pytest.fixture
def job() -> None:
    """The owner's job, shared with a writer and a reader, and everybody's key, which is their name."""
    job = make_job("model", sent_by="owner@example.com")
    for role in (Role.OWNER, Role.WRITER, Role.READER):
        job.permissions.create(email=f"{role.name.lower()}@example.com", role=role)
    job.permissions.filter(role=Role.READER).update(public_id=READER)
    Upload.objects.create(owner="owner@example.com", sha256=DATASET, training_data=DATASET, examples=1, size=1)
    for who in PEOPLE:
        ApiKey.objects.create(name=who, owner=f"{who}@example.com", digest=digest(who))


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize(("method", "route", "who", "status"), CELLS)
def test_everybody_is_answered_as_the_matrix_says(
    client: Client, method: str, route: str, who: str, status: int
) -> None:
    if who == "shared":
        Job.objects.get().permissions.create(**SHARED)
    headers = {"x-goog-api-key": who} if who else {}
    path = "/" + route.format(**sample(route))
    answer = client.generic(method, path, b"{}", content_type="application/json", headers=headers)
    assert answer.status_code == status, answer.content


def test_every_route_is_in_the_matrix() -> None:
    assert set(routes()) == {row[:2] for row in ROWS}


def sample(route: str) -> dict[str, object]:
    """Values for the placeholders of ``route``."""
    return {
        "version": "v1beta",
        "model_id": catalogue.DEFAULT if route.startswith("{version}/models") else "model",
        "operation_id": "op",
        "permission_id": READER,
        "sha256": DATASET,
        "name": catalogue.DEFAULT,
        "key_id": ApiKey.objects.filter(name="owner").values_list("pk", flat=True).first(),
    }


def routes() -> Iterator[tuple[str, str]]:
    """Each method and route, as the server itself tells them to somebody who asks by a wrong method."""
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern), f"{pattern}: this test walks a flat list"
        route = re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
        if route not in OPEN:
            refusal = Client().generic("BREW", "/" + route.format(**sample(route)))
            assert refusal.status_code == 405, f"{route} answers strangers: is it meant to be in OPEN?"
            yield from ((method, route) for method in refusal["Allow"].split(", "))
