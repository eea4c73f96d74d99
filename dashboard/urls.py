"""Which room answers which address."""

from django.urls import include, path
from django.views.generic import RedirectView

from dashboard.http import healthz

handler500 = "dashboard.http.server_error"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="jobs:list")),
    path("healthz", healthz),
    path("", include("dashboard.accounts.urls")),
    path("", include("dashboard.invitations.urls")),
    path("", include("dashboard.openid.urls")),
    path("account/keys/", include("dashboard.keys.urls")),
    path("audit/", include("dashboard.audit.urls")),
    path("compare/", include("dashboard.compare.urls")),
    path("connections/", include("dashboard.connections.urls")),
    path("datasets/", include("dashboard.datasets.urls")),
    path("engine/", include("dashboard.engine.urls")),
    path("evaluations/", include("dashboard.evaluations.urls")),
    path("jobs/", include("dashboard.jobs.urls")),
    path("library/<int:pk>/sharing/", include("dashboard.sharing.urls")),
    path("library/", include("dashboard.retiring.urls")),
    path("library/moving/", include("dashboard.moving.urls")),
    path("library/", include("dashboard.library.urls")),
    path("lineage/", include("dashboard.lineage.urls")),
    path("notices/", include("dashboard.notices.urls")),
    path("queue/", include("dashboard.queue.urls")),
    path("people/", include("dashboard.people.urls")),
    path("playground/", include("dashboard.playground.urls")),
    path("presets/", include("dashboard.presets.urls")),
    path("sweeps/", include("dashboard.sweeps.urls")),
    path("teams/", include("dashboard.teams.urls")),
]
