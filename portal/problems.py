"""Errors of the API as problem details (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers
from rest_framework.exceptions import APIException, NotFound, ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from accounts.audit import Kind, record


class TooBig(APIException):
    status_code, default_detail = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"More than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes."


class NoSuchAddress(APIView):
    """What answers wherever the API has nothing."""

    authentication_classes, permission_classes, schema = (), (), None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound


def told(value: Any) -> Any:
    """What can be written: an answer may repeat what was sent, and half a pair of UTF-16 can't be sent back."""
    if isinstance(value, dict):
        return {told(key): told(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [told(inner) for inner in value]
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def problem_details(error: Exception, context: dict[str, Any]) -> Response | None:
    """`type`, `title`, `status`, `detail`, and for bad input `errors` by field; unexpected errors stay Django's."""
    if isinstance(error, DjangoValidationError):
        error = ValidationError(serializers.as_serializer_error(error))
    elif isinstance(error, RecursionError):
        error = ParseError("JSON nested too deeply.")
    elif isinstance(error, RequestDataTooBig):
        error = TooBig()
    response = exception_handler(error, context)
    if response is None:
        return None
    if response.status_code == HTTPStatus.FORBIDDEN and context["request"].user.is_authenticated:
        record(context["request"], Kind.DENIED, context["request"].path)
    title = HTTPStatus(response.status_code).phrase
    problem: dict[str, Any] = {"type": "about:blank", "title": title, "status": response.status_code}
    if isinstance(error, ValidationError):
        problem |= {"detail": "The request has errors.", "errors": response.data}
    else:
        problem["detail"] = response.data.get("detail", title)
    response.data = told(problem)
    response.content_type = "application/problem+json"
    return response
