"""Addresses of the jobs room."""

from django.urls import path

from dashboard.jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views.new, name="new"),
    path("estimate/", views.estimate, name="estimate"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/live/", views.live, name="live"),
    path("<int:pk>/log/", views.log, name="log"),
    path("<int:pk>/export/<str:form>", views.export, name="export"),
    path("<int:pk>/cancel/", views.cancel, name="cancel"),
    path("<int:pk>/delete/", views.delete, name="delete"),
]
