"""Addresses of the jobs room."""

from django.urls import path

from dashboard.jobs import curve_views, views

app_name = "jobs"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views.new, name="new"),
    path("estimate/", views.estimate, name="estimate"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/live/", views.live, name="live"),
    path("<int:pk>/curve/", curve_views.curve, name="curve"),
    path("<int:pk>/points/", curve_views.points, name="points"),
    path("<int:pk>/series.csv", curve_views.series, {"form": "csv"}, name="series-csv"),
    path("<int:pk>/series.json", curve_views.series, {"form": "json"}, name="series-json"),
    path("<int:pk>/log/", views.log, name="log"),
    path("<int:pk>/export/<str:form>", views.export, name="export"),
    path("<int:pk>/cancel/", views.cancel, name="cancel"),
    path("<int:pk>/delete/", views.delete, name="delete"),
]
