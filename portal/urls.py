"""Every address of the portal."""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from leads.views import submit
from portal import health, pages, setup_urls
from portal.metrics import Metrics
from portal.rehearsing import rehearsal
from portal.search import search

ours = [
    path("", pages.home, name="home"),
    path("search", search, name="search"),
    path("listings/<slug:slug>/rehearsal/", rehearsal, name="rehearsal"),
    *setup_urls.urlpatterns,
]
urlpatterns = [
    path("", include((ours, "portal"))),
    path("in/<str:secret>", submit, name="submit"),
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("metrics", Metrics.as_view(), name="metrics"),
    path("language/", set_language, name="set_language"),
    # Addresses and accounts are the admins' business: they change who signs in.
    *(path(f"accounts/{name}/", pages.not_here) for name in ("email", "signup", "inactive", "confirm-email", "reauthenticate/webauthn")),
    path("accounts/", include("allauth.urls")),
    path("leads/", include("leads.urls")),
    path("", include("routing.urls")),
    path("", include("accounts.urls")),
    path("", include("scoring.urls")),
    path("", include("campaigns.urls")),
    path("follow-up/", include("delivery.urls")),
    path("", include("insights.urls")),
    path("", include("listings.urls")),
    path("api/v1/", include("portal.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("admin/", admin.site.urls),
]
