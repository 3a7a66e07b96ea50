"""/setup/, in the namespace `portal`."""

from django.urls import path

from portal import setup

urlpatterns = [
    path("setup/", setup.index, name="setup"),
    path("setup/publisher/", setup.publisher, name="publisher"),
    path("setup/system/", setup.system, name="system"),
    path("setup/privacy/", setup.privacy, name="privacy"),
]
