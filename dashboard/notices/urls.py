"""Addresses of the notices room."""

from django.urls import path

from dashboard.notices import views

app_name = "notices"
urlpatterns = [
    path("", views.index, name="list"),
    path("bell/", views.bell, name="bell"),
    path("<int:pk>/", views.follow, name="follow"),
    path("read/", views.read_all, name="read_all"),
    path("settings/", views.settings, name="settings"),
    path("settings/log/", views.log, name="log"),
    path("settings/test/<str:way>/", views.test, name="test"),
    path("settings/again/<int:pk>/", views.again, name="again"),
    path("settings/webhook/", views.webhook, name="webhook"),
    path("settings/webhook/secret/", views.new_secret, name="new_secret"),
    path("settings/webhook/remove/", views.remove_webhook, name="remove_webhook"),
]
