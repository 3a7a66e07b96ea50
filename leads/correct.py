"""Correcting what is known of a contact: each lead of theirs is followed again and says on its timeline what was corrected, by whom."""

from contextlib import suppress
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists
from django.utils import timezone

from accounts.models import User
from leads import normal
from leads.models import Activity, Company, Contact, Lead


def correct(contact: Contact, changes: dict[str, Any], by: User) -> list[str]:
    """Give the contact these values, and what follows from them; returns which differ from before. Locks company, contact, then their leads in id order."""
    now = timezone.now()
    with transaction.atomic():
        if not Contact.objects.filter(pk=contact.pk).exclude(**changes).exists():  # a form has put its values into `contact` already
            return []
        company = company_of(changes.get("company_said", contact.company_said), changes.get("email", contact.email), changes.get("country", ""))
        row = Contact.objects.select_for_update(no_key=True).get(pk=contact.pk)
        differ = [name for name, value in changes.items() if getattr(row, name) != value]
        if not differ:  # somebody else corrected the same at this moment
            return []
        told = [[name, getattr(row, name), changes[name]] for name in differ]
        for name in differ:
            setattr(row, name, changes[name])
        follow(row, company, differ)
        row.save()
        if "email" in differ:
            take_key(row)
        leads = list(row.leads.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
        Lead.objects.filter(pk__in=leads).update(stale_since=now, last_activity_at=now)
        Activity.objects.bulk_create(Activity(lead_id=pk, kind="edited", actor=by, at=now, data={"changes": told}) for pk in leads)
    return differ


def company_of(name: str, email: str, country: str) -> Company | None:
    """The company that an address and a name speak of, made if nobody knows it yet."""
    domain = normal.own_domain(email)
    key = normal.company_key(name, domain)
    if not key:
        return None
    said = {"name": (name or key.partition(":")[2])[:255], "domain": domain, "country": country}
    return Company.objects.get_or_create(key=key, defaults=said)[0]


def follow(contact: Contact, company: Company | None, differ: list[str]) -> None:
    """What rests on other values: the company, the kind of address, seniority, the words they are found by."""
    if "company_said" in differ or "email" in differ:
        contact.company = company
    contact.email_kind = normal.email_kind(contact.email)
    contact.seniority = normal.seniority(contact.title)
    contact.words = normal.search_words(contact.first_name, contact.last_name, contact.email, contact.company_said, phone=contact.phone)


def take_key(contact: Contact) -> None:
    """Make the address the contact's identity, unless somebody else has it, or takes it at this moment."""
    with suppress(IntegrityError), transaction.atomic():
        Contact.objects.filter(pk=contact.pk).exclude(Exists(Contact.objects.filter(key=contact.email))).update(key=contact.email)
