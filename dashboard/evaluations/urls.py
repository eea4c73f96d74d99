"""Addresses of the evaluations room."""

from django.urls import path

from dashboard.evaluations import views

app_name = "evaluations"
urlpatterns = [
    path("new/<int:model>/", views.new, name="new"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/live/", views.live, name="live"),
    path("<int:pk>/stop/", views.stop, name="stop"),
    path("<int:pk>/resume/", views.resume, name="resume"),
    path("<int:pk>/delete/", views.delete, name="delete"),
    path("<int:pk>/answers.csv", views.as_csv, name="csv"),
    path("<int:pk>/answers.jsonl", views.as_jsonl, name="jsonl"),
]
