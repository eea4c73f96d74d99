"""Addresses of the connections room."""

from django.urls import path

from dashboard.connections import consent, views

app_name = "connections"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views.choose_kind, name="new"),
    path("new/<str:kind>/", views.new, name="new_of"),
    path("back/", consent.back, name="back"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/remove/", views.remove, name="remove"),
    path("<int:pk>/test/", views.test, name="test"),
    path("<int:pk>/connect/", consent.connect, name="connect"),
    path("<int:pk>/disconnect/", consent.disconnect, name="disconnect"),
]
