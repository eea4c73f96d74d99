"""With whom a model is shared."""

from django.urls import path

from dashboard.sharing import views

app_name = "sharing"

urlpatterns = [
    path("", views.index, name="index"),
    path("add/", views.add, name="add"),
    path("<int:grant>/", views.change, name="change"),
    path("<int:grant>/remove/", views.remove, name="remove"),
    path("<int:grant>/hand-over/", views.hand_over, name="hand_over"),
]
