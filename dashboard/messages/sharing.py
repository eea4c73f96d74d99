"""What each role on a model is called, and what it lets people do."""

from django.utils.translation import gettext_lazy as _

from tuning.providers import Role

ROLES = {
    Role.READER: (_("Reader"), _("asks it, sees its curve and settings, tunes it further, takes it away")),
    Role.WRITER: (_("Writer"), _("also changes its name, description, notes and tags, and shares it")),
    Role.OWNER: (_("Owner"), _("also deletes it and gives it away; every model has one")),
}

REFUSED = {
    Role.WRITER: _("You may see this and use it. Its owner, and those it is shared with as writers, may change it."),
    Role.OWNER: _("You may see this and use it. Only its owner may delete it or give it away."),
}
"""Why somebody who lacks a role may not do what they tried."""
