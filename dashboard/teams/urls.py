"""Addresses of the teams room."""

from django.urls import path

from dashboard.teams import members, views

app_name = "teams"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views.new, name="new"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/rename/", views.rename, name="rename"),
    path("<int:pk>/delete/", views.delete, name="delete"),
    path("<int:pk>/leave/", members.leave, name="leave"),
    path("<int:pk>/members/", members.add, name="add_member"),
    path("<int:pk>/members/<int:person>/manage/", members.manage, name="manage"),
    path("<int:pk>/members/<int:person>/remove/", members.remove, name="remove_member"),
]
