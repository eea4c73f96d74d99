"""Addresses of the people room."""

from django.urls import path

from dashboard.people import views

app_name = "people"
urlpatterns = [
    path("", views.index, name="list"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/administrator/", views.administrator, name="administrator"),
    path("<int:pk>/quota/", views.quota, name="quota"),
]
