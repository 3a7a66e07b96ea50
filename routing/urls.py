"""/routing/: who gets which lead. /setup/routing/: who takes leads at all."""

from django.urls import path

from routing import pages, seller_pages

app_name = "routing"
urlpatterns = [
    path("routing/leads/<uuid:pk>/owner/", pages.assign, name="assign"),
    path("routing/picked/owner/", pages.assign_picked, name="assign_picked"),
    path("routing/undo/<str:batch>/", pages.undo, name="undo"),
    path("setup/routing/", seller_pages.sellers, name="sellers"),
    path("setup/routing/<int:pk>/", seller_pages.seller, name="seller"),
]
