"""Addresses of the listings and the playbooks."""

from django.urls import path

from listings import pages

app_name = "listings"
urlpatterns = [
    path("listings/", pages.index, name="list"),
    path("listings/new/", pages.new, name="new"),
    path("listings/<slug:slug>/", pages.detail, name="detail"),
    path("listings/<slug:slug>/edit/", pages.edit, name="edit"),
    path("listings/<slug:slug>/lead-url/", pages.secret, name="secret"),
    path("listings/<slug:slug>/lead-url/new/", pages.rotate, name="rotate"),
    path("setup/playbooks/", pages.playbooks, name="playbooks"),
    path("setup/playbooks/<slug:slug>/", pages.playbook, name="playbook"),
]
