"""Per request: the publisher, whose name and days half of the page's parts ask for, is read once."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from listings.models import Publisher


class OnePublisher:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with Publisher.read_once():
            return self.get_response(request)
