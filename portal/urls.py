"""Every address of the portal."""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from leads.views import submit
from portal import health, pages

urlpatterns = [
    path("", include(([path("", pages.home, name="home")], "portal"))),
    path("in/<str:secret>", submit, name="submit"),
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("language/", set_language, name="set_language"),
    path("accounts/", include("allauth.urls")),
    path("", include("campaigns.urls")),
    path("", include("insights.urls")),
    path("", include("listings.urls")),
    path("api/v1/", include("portal.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("admin/", admin.site.urls),
]
