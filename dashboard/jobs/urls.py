"""Addresses of the jobs room."""

from django.urls import path

from dashboard.jobs import creating, curve_views, import_views, service_views, views
from dashboard.jobs.listing import views as listing

app_name = "jobs"
urlpatterns = [
    path("", listing.index, name="list"),
    path("filters/", listing.filters, name="filters"),
    path("bulk/", listing.bulk, name="bulk"),
    path("columns/", listing.choose_columns, name="columns"),
    path("views/", listing.save_view, name="save_view"),
    path("views/<int:pk>/", listing.change_view, name="change_view"),
    path("import/", import_views.offer, name="import"),
    path("import/<int:connection>/", import_views.take, name="import_from"),
    path("tags/", listing.tags, name="tags"),
    path("<int:pk>/notes/", listing.note, name="note"),
    path("<int:pk>/tags/", listing.change_tags, name="change_tags"),
    path("new/", creating.new, name="new"),
    path("new/paste/", creating.paste, name="paste"),
    path("new/tokens/", creating.tokens, name="tokens"),
    path("estimate/", creating.estimate, name="estimate"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/live/", views.live, name="live"),
    path("<int:pk>/curve/", curve_views.curve, name="curve"),
    path("<int:pk>/points/", curve_views.points, name="points"),
    path("<int:pk>/series.csv", curve_views.series, {"form": "csv"}, name="series-csv"),
    path("<int:pk>/series.json", curve_views.series, {"form": "json"}, name="series-json"),
    path("<int:pk>/service/", service_views.service, name="service"),
    path("<int:pk>/log/", views.log, name="log"),
    path("<int:pk>/export/<str:form>", views.export, name="export"),
    path("<int:pk>/retry/", views.retry, name="retry"),
    path("<int:pk>/cancel/", views.cancel, name="cancel"),
    path("<int:pk>/delete/", views.delete, name="delete"),
]
