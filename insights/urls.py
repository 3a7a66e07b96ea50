"""Addresses of the figures."""

from django.urls import path

from insights import pages

app_name = "insights"
urlpatterns = [
    path("overview/", pages.overview, name="overview"),
    path("overview/offers.csv", pages.export, name="csv"),
]
