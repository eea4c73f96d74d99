from django.urls import path

from dashboard.accounts import passwords, views, ways_in

app_name = "accounts"

urlpatterns = [
    path("welcome/<str:token>/", views.welcome, name="welcome"),
    path("way-in/<str:token>/", ways_in.use, name="way_in"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("account/", views.account, name="account"),
    path("account/sign-out-everywhere/", views.sign_out_everywhere, name="sign_out_everywhere"),
    path("account/password/", passwords.change, name="change_password"),
    path("forgotten/", passwords.forgotten, name="forgotten"),
    path("forgotten/sent/", passwords.link_sent, name="link_sent"),
    path("forgotten/<str:uidb64>/<str:token>/", passwords.choose, name="choose_password"),
]
