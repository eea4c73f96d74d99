"""Addresses of the engine room."""

from django.urls import path

from dashboard.engine import views

app_name = "engine"
urlpatterns = [
    path("", views.index, name="index"),
    path("bases/", views.add_base, name="add_base"),
    path("bases/<str:name>/prepare/", views.prepare_base, name="prepare_base"),
    path("bases/<str:name>/remove/", views.remove_base, name="remove_base"),
    path("jobs/<str:model_id>/priority/", views.prioritise, name="prioritise"),
]
