"""Addresses of the datasets room."""

from django.urls import path

from dashboard.datasets import views

app_name = "datasets"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views.new, name="new"),
    path("samples/<slug:slug>/", views.use_sample, name="sample"),
    path("columns/<str:key>/", views.columns, name="columns"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/rename/", views.rename, name="rename"),
    path("<int:pk>/upload/", views.add_version, name="add_version"),
    path("<int:pk>/v<int:number>/", views.detail, name="version"),
    path("<int:pk>/v<int:number>/download/", views.download, name="download"),
    path("<int:pk>/delete/", views.delete, name="delete"),
]
