"""Addresses of the listings and the playbooks."""

from django.urls import path

from listings import views

app_name = "listings"
urlpatterns = [
    path("listings/", views.index, name="list"),
    path("listings/new/", views.new, name="new"),
    path("listings/<slug:slug>/", views.detail, name="detail"),
    path("listings/<slug:slug>/edit/", views.edit, name="edit"),
    path("listings/<slug:slug>/lead-url/", views.secret, name="secret"),
    path("listings/<slug:slug>/lead-url/new/", views.rotate, name="rotate"),
    path("setup/playbooks/", views.playbooks, name="playbooks"),
    path("setup/playbooks/<slug:slug>/", views.playbook, name="playbook"),
]
