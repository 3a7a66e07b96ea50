"""`manage.py check_audit`: whether the lines of the audit are those that were sealed; fails, and says where, when they are not."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import AccessRecord, AuditSeal
from accounts.seals import broken


class Command(BaseCommand):
    help = "Check the seals of the audit."

    def handle(self, *args: Any, **options: Any) -> str:
        if found := list(broken()):
            raise CommandError("\n".join(found))
        last = AuditSeal.objects.order_by("-pk").first()
        lines = AccessRecord.objects.count()
        newer = AccessRecord.objects.filter(pk__gt=last.last).count() if last else lines
        return f"{lines - newer} lines under {AuditSeal.objects.count()} seals are what they were; {newer} are not sealed yet."
