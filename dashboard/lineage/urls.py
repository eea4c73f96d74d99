"""Addresses of the lineage room."""

from django.urls import path

from dashboard.lineage import views

app_name = "lineage"
urlpatterns = [
    path("jobs/<int:pk>/bundle/", views.bundle, name="bundle"),
    path("jobs/<int:pk>/again/", views.again, name="again"),
    path("import/", views.bring, name="import"),
]
