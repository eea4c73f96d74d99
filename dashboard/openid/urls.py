"""Addresses of the openid room. Providers know that of ``back`` by heart."""

from django.urls import path

from dashboard.openid import views

app_name = "openid"
urlpatterns = [
    path("sign-in/openid/", views.sign_in, name="sign_in"),
    path("sign-in/openid/back/", views.back, name="back"),
    path("sign-in/openid/confirm/", views.confirm, name="confirm"),
    path("account/identities/add/", views.add, name="add"),
    path("account/identities/<int:pk>/remove/", views.remove, name="remove"),
]
