"""What can go wrong between us, a person and the provider who vouches for them."""

from typing import Any

from tuning.errors import TuningError


class ConsentError(TuningError):
    """A round to the provider brought nothing: ``consent_refused`` by the person; ``consent_stale``, begun elsewhere,
    too long ago, or used already; ``consent_scopes``, something was left un-ticked (parameter ``missing``);
    ``consent_failed``, the provider's answer is not to be believed; ``consent_unreachable``, there was none.

    ``detail`` may hold the provider's own words: what could not be printed is left out, and more than a line of it.
    ``keeps`` is what the round had kept, so that another one can begin in its place.
    """

    code = "consent_failed"

    def __init__(self, code: str, *, detail: str = "", keeps: dict[str, Any] | None = None, **params: object) -> None:
        super().__init__(code, detail="".join(filter(str.isprintable, detail))[:100], **params)
        self.keeps = keeps or {}


class NotAdmitted(TuningError):
    """The provider vouches for them, and they stay out all the same: ``openid_unverified``, it does not say that the
    e-mail is theirs; ``openid_domain``, nobody of that ``domain`` comes in; ``openid_nobody``, the first person comes
    by the welcome link; ``openid_unknown``, there is no account of ``email`` and none is made; ``openid_inactive``;
    ``openid_elsewhere``, the identity is another person's.
    """

    code = "openid_unknown"
