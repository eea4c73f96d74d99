"""Addresses of the queue room."""

from django.urls import path

from dashboard.queue import views

app_name = "queue"
urlpatterns = [
    path("", views.index, name="index"),
    path("<int:connection>/<str:model_id>/cancel/", views.cancel, name="cancel"),
    path("<int:connection>/<str:model_id>/move/", views.move, name="move"),
]
