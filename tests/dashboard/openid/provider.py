"""oidc-provider-mock over real HTTP, with what it lacks: PKCE that is checked, a state that comes back with a refusal,
scopes that were un-ticked, tokens that are revoked or not as they should be, and silence.

::

    with provider() as google:
        google.people["ada"] = {"email": "ada@example.com", "email_verified": True, "name": "Ada"}
        answer = requests.get(google.consent(address, "ada"))
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import flask
import jwt
import oidc_provider_mock
import requests
from jwt.algorithms import RSAAlgorithm
from oidc_provider_mock._app import RefreshTokenGrant
from oidc_provider_mock._storage import Client, Storage, User
from werkzeug.serving import make_server

GOOGLES = ("generative-language.tuning", "generative-language.retriever", "cloud-platform")
Client.SCOPES_SUPPORTED += tuple(f"https://www.googleapis.com/auth/{name}" for name in GOOGLES)  # type: ignore[misc]
RefreshTokenGrant.TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]


@dataclass
class Provider:
    """The provider as a test drives it: who its people are, and what it does wrong."""

    url: str = ""
    people: dict[str, dict[str, object]] = field(default_factory=dict)
    """By subject: their claims."""
    unticked: set[str] = field(default_factory=set)
    """Scopes that whoever is asked leaves out."""
    edit: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    """What becomes of an ID token's claims; it is signed again."""
    key: Any = None
    """With what it is signed then, if not with the provider's own key."""
    answer: Callable[[], flask.Response] | None = None
    """What the token endpoint says in place of what it should."""
    secrets: set[str] = field(default_factory=set)
    """Every code, verifier, token and secret that went over the wire."""
    renamed: dict[str, str] = field(default_factory=dict)
    """Scopes that are granted by another name."""
    calls_itself: str = ""
    """Another issuer than its address."""
    revoked: list[str] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    """The forms that the token endpoint got."""
    _challenges: dict[str, str] = field(default_factory=dict)

    def consent(self, address: str, who: str) -> str:
        """Where ``who`` is sent back to, having agreed to what ``address`` asks."""
        return self._answered(address, {"sub": who})

    def refuse(self, address: str) -> str:
        """Where somebody is sent back to who said no."""
        return self._answered(address, {"action": "deny"})

    def _answered(self, address: str, form: dict[str, str]) -> str:
        answer = requests.post(address, data=form, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    # What the mock is told to do, and what is done to its answers.

    def prepare(self) -> flask.Response | None:
        """Before the mock sees a request."""
        for who, claims in self.people.items():
            _storage().store_user(User(sub=who, claims=claims))
        if flask.request.path == "/oauth2/revoke":
            return self._revoke()
        if flask.request.path == "/oauth2/authorize" and flask.request.method == "GET":
            return flask.make_response(self._page())
        if flask.request.path != "/oauth2/token":
            return None
        form = flask.request.form.to_dict()
        self.asked.append(form)
        self.secrets |= {form[name] for name in ("code", "code_verifier", "client_secret") if name in form}
        if self.answer:
            return self.answer()
        if "code" in form and self._challenges.pop(form["code"], "") != _s256(form.get("code_verifier", "")):
            return flask.make_response({"error": "invalid_grant"}, 400)
        return None

    def finish(self, response: flask.Response) -> flask.Response:
        """After the mock has answered."""
        if flask.request.path == "/oauth2/authorize" and "Location" in response.headers:
            self._note_answer(response)
        if flask.request.path == "/oauth2/token" and response.status_code == 200 and not self.answer:
            self._note_tokens(response)
        if flask.request.path.endswith("openid-configuration"):
            said = {**(response.get_json() or {}), "revocation_endpoint": f"{self.url}/oauth2/revoke"}
            response.set_data(json.dumps(said | ({"issuer": self.calls_itself} if self.calls_itself else {})))
        return response

    def _page(self) -> str:
        """What people see in a browser: who they are, and a box for each scope."""
        scopes = flask.request.args["scope"].split()
        boxes = [f'<label><input type="checkbox" name="grant" value="{name}" checked>{name}</label>' for name in scopes]
        buttons = [
            f'<button name="sub" value="{who}">{claims["email"]}</button>' for who, claims in self.people.items()
        ]
        no = '<button name="action" value="deny">No</button><input type="hidden" name="by_page" value="yes">'
        icon = '<link rel="icon" href="data:,">'
        title = "<title>Provider</title><h1>Provider</h1>"
        return f'<!doctype html>{icon}{title}<form method="post">{"".join((*boxes, *buttons, no))}</form>'

    def _revoke(self) -> flask.Response:
        token = flask.request.values["token"]
        self.revoked.append(token)
        storage = _storage()
        storage.remove_access_token(token)
        storage.remove_refresh_token(token)
        return flask.make_response("")

    def _note_answer(self, response: flask.Response) -> None:
        place = urlsplit(response.headers["Location"])
        said = {name: values[0] for name, values in parse_qs(place.query).items()}
        said.setdefault("state", flask.request.args.get("state", ""))
        if "code" in said:
            self.secrets.add(said["code"])
            self._challenges[said["code"]] = flask.request.args.get("code_challenge", "")
            if "by_page" in flask.request.form:
                asked = set(flask.request.args["scope"].split())
                self.unticked = asked - set(flask.request.form.getlist("grant"))
        response.headers["Location"] = urlunsplit(place._replace(query=urlencode(said)))

    def _note_tokens(self, response: flask.Response) -> None:
        said = response.get_json()
        left = (scope for scope in said.get("scope", "").split() if scope not in self.unticked)
        said["scope"] = " ".join(self.renamed.get(scope, scope) for scope in left)
        if "id_token" in said:
            said["id_token"] = self._signed(said["id_token"])
        self.secrets |= {said[name] for name in ("access_token", "refresh_token", "id_token") if name in said}
        response.set_data(json.dumps(said))

    def _signed(self, token: str) -> str:
        if not self.edit and not self.key:
            return token
        claims = jwt.decode(token, options={"verify_signature": False})
        jwk = _storage().jwk.as_dict(is_private=True)
        key = self.key or RSAAlgorithm.from_jwk(jwk)
        return jwt.encode(self.edit(claims) if self.edit else claims, key, "RS256", headers={"kid": jwk["kid"]})


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider that answers on a port of its own until the end."""
    this = Provider()
    app = oidc_provider_mock.app()
    app.before_request(this.prepare)
    app.after_request(this.finish)
    app.add_url_rule("/oauth2/revoke", "revoke", lambda: "", methods=["POST"])
    server = make_server("localhost", 0, app, threaded=True)
    this.url = f"http://localhost:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield this
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _storage() -> Storage:
    return flask.g.oidc_provider_mock_storage


def _s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
