"""/campaigns/, and the public /unsubscribe/ of every mail."""

from django.urls import path

from campaigns import unsubscribe

app_name = "campaigns"
urlpatterns = [
    path("unsubscribe/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
]
