"""Addresses of what models are retired by. They stand below the library's."""

from django.urls import path

from dashboard.retiring import cleanup_views, views

app_name = "retiring"
urlpatterns = [
    path("bin/", views.bin_index, name="bin"),
    path("cleanup/", cleanup_views.cleanup, name="cleanup"),
    path("cleanup/<int:pk>/", cleanup_views.cleaning, name="cleaning"),
    path("<int:pk>/archive/", views.archive, name="archive"),
    path("<int:pk>/unarchive/", views.unarchive, name="unarchive"),
    path("<int:pk>/delete/", views.delete, name="delete"),
    path("<int:pk>/expiry/", views.expiry, name="expiry"),
    path("<int:pk>/restore/", views.restore, name="restore"),
    path("<int:pk>/purge/", views.purge, name="purge"),
]
