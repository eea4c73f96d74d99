"""Addresses of the presets room."""

from django.urls import path

from dashboard.presets import views

app_name = "presets"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views.new, name="new"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/delete/", views.delete, name="delete"),
]
