"""Addresses of the sweeps room."""

from django.urls import path

from dashboard.sweeps import views

app_name = "sweeps"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views.new, name="new"),
    path("estimate/", views.estimate, name="estimate"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/live/", views.live, name="live"),
    path("<int:pk>/stop/", views.stop, name="stop"),
]
