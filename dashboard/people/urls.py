"""Addresses of the people room."""

from django.urls import path

from dashboard.people import leaving, views

app_name = "people"
urlpatterns = [
    path("", views.index, name="list"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/administrator/", views.administrator, name="administrator"),
    path("<int:pk>/active/", leaving.active, name="active"),
    path("<int:pk>/leaving/", leaving.leaving, name="leaving"),
    path("<int:pk>/progress/", leaving.progress, name="progress"),
    path("<int:pk>/quota/", views.quota, name="quota"),
]
