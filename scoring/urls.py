"""/setup/scoring/."""

from django.urls import path

from scoring import pages

app_name = "scoring"
urlpatterns = [path("setup/scoring/", pages.version, name="version")]
