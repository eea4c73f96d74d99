"""Addresses of the library."""

from django.urls import path

from dashboard.library import views
from dashboard.library.listing import views as listing

app_name = "library"
urlpatterns = [
    path("", listing.index, name="list"),
    path("facets/", listing.facets, name="facets"),
    path("view/", listing.choose_view, name="choose_view"),
    path("views/", listing.save_view, name="save_view"),
    path("views/<int:pk>/", listing.change_view, name="change_view"),
    path("bulk/", listing.bulk, name="bulk"),
    path("preview/", views.preview, name="preview"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/star/", listing.star, name="star"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/notes/", views.note, name="note"),
    path("<int:pk>/tags/", views.change_tags, name="change_tags"),
    path("<int:pk>/sampling/", views.sampling, name="sampling"),
]
