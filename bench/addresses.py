"""The portal's addresses and one more: a signed-in page with nothing in it, which other pages are compared with."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from accounts.access import allow
from accounts.roles import ROLES
from portal.urls import urlpatterns as portal


@allow(*ROLES)
def empty(request: HttpRequest) -> HttpResponse:
    return render(request, "shell.html")


urlpatterns = [*portal, path("bench/empty/", empty, name="bench_empty")]
