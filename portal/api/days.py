"""From one day to another, as filters of several lists say it."""

from typing import Any

from rest_framework import serializers


class Days(serializers.Serializer[Any]):
    """`from` and `to`, each a date; both included, in the publisher's time zone."""

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python's."""
        return {**super().get_fields(), "from": serializers.DateField(required=False), "to": serializers.DateField(required=False)}
