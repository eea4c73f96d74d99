"""Addresses of one's API keys."""

from django.urls import path

from dashboard.keys import views

app_name = "keys"
urlpatterns = [
    path("", views.index, name="list"),
    path("<str:key_id>/revoke/", views.revoke, name="revoke"),
]
