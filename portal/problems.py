"""Errors of the API as problem details (RFC 9457)."""

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler


def problem_details(error: Exception, context: dict[str, Any]) -> Response | None:
    """`type`, `title`, `status`, `detail`, and for bad input `errors` by field; unexpected errors stay Django's."""
    if isinstance(error, DjangoValidationError):
        error = ValidationError(serializers.as_serializer_error(error))
    elif isinstance(error, RecursionError):
        error = ParseError("JSON nested too deeply.")
    response = exception_handler(error, context)
    if response is None:
        return None
    title = error.default_detail if isinstance(error, APIException) else response.status_text
    problem: dict[str, Any] = {"type": "about:blank", "title": str(title), "status": response.status_code}
    if isinstance(error, ValidationError):
        problem |= {"detail": "The request has errors.", "errors": response.data}
    else:
        problem["detail"] = response.data.get("detail", str(title))
    response.data = problem
    response.content_type = "application/problem+json"
    return response
