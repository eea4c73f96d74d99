"""A client of the tuned-models REST API, whoever serves it."""

import re
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import closing
from typing import TypeVar

from tuning import wire
from tuning.client import failures
from tuning.client.failures import readable
from tuning.client.transport import Credentials, Transport
from tuning.errors import BadAnswer, InvalidRequest
from tuning.resources import (
    CountTokensRequest,
    CountTokensResponse,
    GenerateContentRequest,
    GenerateContentResponse,
    Model,
    ModelPage,
    Operation,
    OperationPage,
    Permission,
    PermissionPage,
    Role,
    TransferOwnershipRequest,
    TunedModel,
    TunedModelPage,
)

__all__ = ["LONG_TIMEOUT", "Credentials", "TunedModels", "api_key", "bearer"]

TIMEOUT = 30.0
LONG_TIMEOUT = 180.0
"""For a model to answer, where small machines write a few words a second, and for a dataset to be sent."""
PAGE_SIZE = 100

R = TypeVar("R")
_NAME = re.compile(r"[A-Za-z]+/[A-Za-z0-9][\w.-]*(/(operations|permissions)/[A-Za-z0-9][\w.-]*)?", re.ASCII)


def api_key(key: str) -> Credentials:
    """Credentials of a script: a key in the header where Google's clients put it."""
    return lambda: {"x-goog-api-key": key}


def bearer(token: Callable[[], str]) -> Credentials:
    """Credentials by token: OAuth's, or a signed assertion."""
    return lambda: {"Authorization": f"Bearer {token()}"}


class TunedModels(Transport):
    """The tuned-models API at ``base_url``, asked with ``credentials``.

    Every method raises :class:`tuning.errors.ServiceError`. None takes longer than its time-out in seconds, its
    retries included: ``timeout``, or ``long_timeout`` where a model answers or examples are sent. (Only a service
    that dawdles over its headers, byte by byte, gets around that.) What is retried:
    :class:`tuning.client.transport.Transport`.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        timeout: float = TIMEOUT,
        long_timeout: float = LONG_TIMEOUT,
    ) -> None:
        super().__init__(base_url, credentials, timeout=timeout)
        self._long_timeout = long_timeout

    def create(self, model: TunedModel, tuned_model_id: str = "") -> Operation:
        """Start a job. Raises ``AlreadyExists`` where ``tuned_model_id`` is taken."""
        query = {"tunedModelId": tuned_model_id} if tuned_model_id else {}
        body = wire.dumps(model)
        answer = self.ask("POST", "v1beta/tunedModels", query=query, body=body, timeout=self._long_timeout)
        return _read(Operation, answer)

    def get(self, name: str) -> TunedModel:
        return _read(TunedModel, self.ask("GET", f"v1beta/{_checked(name)}"))

    def list(self, matching: str = "") -> Iterator[TunedModel]:
        """The tuned models the caller may see, page by page; ``matching`` is the API's ``filter``."""
        query = {"filter": matching} if matching else {}
        token: str | None = ""
        while token is not None:
            page = _read(TunedModelPage, self._page("v1beta/tunedModels", query, token))
            yield from page.tuned_models
            token = _next(token, page.next_page_token)

    def delete(self, name: str) -> None:
        self.ask("DELETE", f"v1beta/{_checked(name)}")

    def patch(self, name: str, model: TunedModel, mask: Collection[str]) -> TunedModel:
        """Give the fields that ``mask`` names the values that ``model`` has for them, and leave all others."""
        query = {"updateMask": ",".join(map(wire.camel, mask))}
        return _read(TunedModel, self.ask("PATCH", f"v1beta/{_checked(name)}", query=query, body=wire.dumps(model)))

    def permissions(self, name: str) -> Iterator[Permission]:
        """With whom a tuned model is shared, page by page."""
        token: str | None = ""
        while token is not None:
            page = _read(PermissionPage, self._page(f"v1beta/{_checked(name)}/permissions", {}, token))
            yield from page.permissions
            token = _next(token, page.next_page_token)

    def create_permission(self, name: str, permission: Permission) -> Permission:
        """Share a tuned model. Raises ``AlreadyExists`` where the grantee has a role on it."""
        path = f"v1beta/{_checked(name)}/permissions"
        return _read(Permission, self.ask("POST", path, body=wire.dumps(permission)))

    def change_role(self, permission: str, role: Role) -> Permission:
        body = wire.dumps(Permission(role=role))
        answer = self.ask("PATCH", f"v1beta/{_checked(permission)}", query={"updateMask": "role"}, body=body)
        return _read(Permission, answer)

    def delete_permission(self, permission: str) -> None:
        self.ask("DELETE", f"v1beta/{_checked(permission)}")

    def transfer_ownership(self, name: str, email_address: str) -> None:
        """Make a person the owner; who was it becomes a writer."""
        body = wire.dumps(TransferOwnershipRequest(email_address=email_address))
        self.ask("POST", f"v1beta/{_checked(name)}:transferOwnership", body=body)

    def operation(self, name: str) -> Operation:
        return _read(Operation, self.ask("GET", f"v1/{_checked(name)}"))

    def operations(self, name: str) -> Iterator[Operation]:
        """The operations of a tuned model, page by page."""
        token: str | None = ""
        while token is not None:
            page = _read(OperationPage, self._page(f"v1beta/{_checked(name)}/operations", {}, token))
            yield from page.operations
            token = _next(token, page.next_page_token)

    def cancel(self, operation: str) -> None:
        """Stop a job under way, by its operation's name. What is answered with anything but JSON was not heard."""
        told = self.ask("POST", f"v1/{_checked(operation)}:cancel", body=b"{}")
        _read(Operation, told)

    def generate_content(self, name: str, request: GenerateContentRequest) -> GenerateContentResponse:
        path, body = f"v1beta/{_checked(name)}:generateContent", wire.dumps(request)
        return _read(GenerateContentResponse, self.ask("POST", path, body=body, timeout=self._long_timeout))

    def stream_generate_content(
        self, name: str, request: GenerateContentRequest
    ) -> Generator[GenerateContentResponse, None, None]:
        """The answer as it is made; each response holds what was added. Closing the generator stops the answer.

        What fails half-way is raised after what came before.
        """
        path = f"v1beta/{_checked(name)}:streamGenerateContent"
        finished = False
        with closing(
            self.events(path, query={"alt": "sse"}, body=wire.dumps(request), timeout=self._long_timeout)
        ) as events:
            for data in events:
                if error := failures.told(data):
                    raise error
                chunk = _read(GenerateContentResponse, data)
                finished |= any(candidate.finish_reason for candidate in chunk.candidates) or _is_blocked(chunk)
                yield chunk
        if not finished:
            raise BadAnswer(detail="the stream ended before the answer did")

    def count_tokens(self, name: str, request: GenerateContentRequest) -> int:
        """How many tokens the question has."""
        path, body = f"v1beta/{_checked(name)}:countTokens", wire.dumps(CountTokensRequest(contents=request.contents))
        return _read(CountTokensResponse, self.ask("POST", path, body=body)).total_tokens

    def models(self) -> Iterator[Model]:
        """The base models, page by page."""
        token: str | None = ""
        while token is not None:
            page = _read(ModelPage, self._page("v1beta/models", {}, token))
            yield from page.models
            token = _next(token, page.next_page_token)

    def _page(self, path: str, query: dict[str, str], token: str) -> bytes:
        place = {"pageToken": token} if token else {}
        return self.ask("GET", path, query={**query, **place, "pageSize": str(PAGE_SIZE)})


def _is_blocked(response: GenerateContentResponse) -> bool:
    """Whether the question was refused an answer."""
    return response.prompt_feedback is not None and bool(response.prompt_feedback.block_reason)


def _checked(name: str) -> str:
    """``name`` if it may stand in a path."""
    if not _NAME.fullmatch(name):
        raise InvalidRequest("bad_name", name=name[:80])
    return name


def _next(token: str, following: str) -> str | None:
    """The next page's token, ``None`` after the last page."""
    if following and following == token:
        raise BadAnswer(detail="the next page is this page again")
    return following or None


def _read(kind: type[R], body: bytes) -> R:
    try:
        return wire.loads(kind, body, ignore_unknown=True)
    except InvalidRequest as exc:
        raise BadAnswer(detail=str(exc), body=readable(body)) from exc
