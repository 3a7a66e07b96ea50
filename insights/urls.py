"""Addresses of the figures."""

from django.urls import path

from insights import views

app_name = "insights"
urlpatterns = [
    path("overview/", views.overview, name="overview"),
    path("overview/offers.csv", views.export, name="csv"),
]
