"""Addresses of the compare room."""

from django.urls import path

from dashboard.compare import views

app_name = "compare"
urlpatterns = [
    path("", views.index, name="index"),
    path("series/", views.series, name="series"),
    path("search/", views.search, name="search"),
]
