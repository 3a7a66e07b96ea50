"""/follow-up/."""

from django.urls import path

from delivery import pages

app_name = "delivery"
urlpatterns = [
    path("", pages.destinations, name="list"),
    path("deliveries/", pages.deliveries, name="deliveries"),
    path("deliveries/replay/", pages.replay, name="replay"),
    path("deliveries/handled/", pages.handled, name="handled"),
    path("deliveries/<uuid:pk>/", pages.delivery, name="delivery"),
    path("deliveries/<uuid:pk>/again/", pages.send_again, name="send_again"),
    path("new/<slug:kind>/", pages.edit, name="new"),
    path("<int:pk>/", pages.destination, name="detail"),
    path("<int:pk>/edit/", pages.edit, name="edit"),
    path("<int:pk>/state/", pages.switch, name="switch"),
    path("<int:pk>/test/", pages.test, name="test"),
]
