"""Addresses of the library's export and import."""

from django.urls import path

from dashboard.moving import views

app_name = "moving"
urlpatterns = [
    path("", views.index, name="index"),
    path("live/", views.live, name="live"),
    path("export/", views.export, name="export"),
    path("import/", views.bring, name="import"),
    path("upload/", views.upload, name="upload"),
    path("files/<str:file>", views.download, name="download"),
    path("files/<str:file>/remove/", views.remove, name="remove"),
]
