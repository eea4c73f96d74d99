"""Addresses of the audit log."""

from django.urls import path

from dashboard.audit import views

app_name = "audit"
urlpatterns = [
    path("", views.index, name="list"),
    path("audit.csv", views.export, {"form": "csv"}, name="csv"),
    path("audit.json", views.export, {"form": "json"}, name="json"),
]
