"""Addresses of the invitations room, and of the links that it makes."""

from django.urls import path

from dashboard.invitations import views

app_name = "invitations"
urlpatterns = [
    path("invitations/", views.index, name="list"),
    path("invitations/new/", views.new, name="new"),
    path("invitations/<int:pk>/revoke/", views.revoke, name="revoke"),
    path("invitation/<str:token>/", views.accept, name="accept"),
]
