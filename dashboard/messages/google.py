"""What Google answers where something is not set up for it (codes: :mod:`tuning.client.reasons`)."""

from django.utils.translation import gettext_lazy as _

GOOGLE = {
    "not_tunable": (
        _("The service has no such base model to tune"),
        _(
            "Google’s Gemini API has had none since May 2025. Tuned models that are there can be brought in, asked and "
            "shared; new ones are tuned by Vertex AI, or on this machine."
        ),
    ),
    "validation_unknown": (
        _("The service cannot hold examples out"),
        _("Set the held-out share to 0 and choose no validation dataset, or tune with another service."),
    ),
    "not_set_up": (
        _("The service refuses this account, key or project"),
        _("The technical detail says why. Whoever manages the project can put it right."),
    ),
    "scope_missing": (
        _("The Google account was connected without a permission that this needs"),
        _("Connect it again and leave every box ticked. Missing: %(scopes)s."),
    ),
    "api_disabled": (
        _("The API is not enabled in the project: %(service)s"),
        _("Enable it in Google’s console, wait a few minutes, and try again. Project: %(project)s."),
    ),
    "token_refused": (
        _("Google does not accept the account’s token any more"),
        _(
            "Connect the account again; where all share one, an administrator looks at the connection. Jobs under way "
            "go on at Google."
        ),
    ),
    "account_needed": (
        _("An API key is not enough for that"),
        _("Google lets only a signed-in account do it: use a connection in which accounts are connected."),
    ),
    "api_key_invalid": (
        _("The service does not know the API key"),
        _("It was deleted, or copied incompletely. An administrator can put another into the connection."),
    ),
    "api_key_restricted": (
        _("The API key may not be used for this"),
        _("It is restricted to other APIs, addresses or programs. Change its restrictions in Google’s console."),
    ),
    "project_unknown": (
        _("Google does not know the project: %(project)s"),
        _("The connection needs the project’s ID as Google’s console shows it, not its name."),
    ),
    "project_denied": (
        _("The account may not use the project: %(project)s"),
        _("Somebody who manages it gives the account the role “Service Usage Consumer”, or name another project."),
    ),
    "project_suspended": (
        _("Google has suspended the project: %(project)s"),
        _("Its console says why, and how to appeal."),
    ),
    "account_blocked": (
        _("The organisation’s administrator has blocked this for the account"),
        _("Ask them to allow it in the Google Workspace admin console."),
    ),
    "connection_incomplete": (
        _("The connection does not say where to ask"),
        _("An administrator completes it. Missing or misspelt: %(missing)s."),
    ),
    "other_location": (
        _("The job is in another location than the connection"),
        _("It goes on at Google, in %(location)s. A connection to that location shows it."),
    ),
    "being_started": (
        _("The job is just being started"),
        _("Tuneboard looks again within two minutes whether the service has it, before it is sent once more."),
    ),
    "being_sent": (
        _("The examples are on their way to the service"),
        _("%(percent)s %% are there. Tuneboard goes on by itself, every minute, and then starts the job."),
    ),
    "being_removed": (
        _("The service is still removing the model"),
        _("Tuneboard asks again by itself."),
    ),
    "billing_disabled": (
        _("The project has no billing account"),
        _("Link one in Google’s console, wait a few minutes, and try again. Project: %(project)s."),
    ),
    "iam_denied": (
        _("The account lacks a role in the project"),
        _("Somebody who manages the project gives it one that contains: %(permission)s."),
    ),
    "location_refused": (
        _("Google does not offer this where the project is registered"),
        _("The technical detail says more. Another project may be allowed to."),
    ),
    "rate_limited": (
        _("Too many requests in too short a time"),
        _("Wait a minute and try again. Jobs under way are not affected."),
    ),
    "quota_reached": (
        _("The project’s quota is used up"),
        _("Wait until it is renewed, or ask for more in Google’s console, under “Quotas”."),
    ),
}

LINKS = {
    "connect_account": _("Connect your account"),
    "reconnect": _("Connect your account"),
    "api_disabled": _("Enable the API"),
    "billing_disabled": _("Link a billing account"),
    "console": _("Open Google’s console"),
}
"""What the link of a message is called, by its code; the last is for all others."""
