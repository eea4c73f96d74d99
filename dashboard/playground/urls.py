"""The address of the playground."""

from django.urls import path

from dashboard.playground import views

app_name = "playground"
urlpatterns = [path("", views.ask, name="ask")]
