"""/routing/: who gets which lead. /setup/routing/: who takes leads at all."""

from django.urls import path

from routing import sellers, views

app_name = "routing"
urlpatterns = [
    path("routing/leads/<uuid:pk>/owner/", views.assign, name="assign"),
    path("routing/picked/owner/", views.assign_picked, name="assign_picked"),
    path("routing/undo/<str:batch>/", views.undo, name="undo"),
    path("setup/routing/", sellers.sellers, name="sellers"),
    path("setup/routing/<int:pk>/", sellers.seller, name="seller"),
]
