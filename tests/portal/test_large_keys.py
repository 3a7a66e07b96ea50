"""What a portal shows once its tables have grown: a key of four figures and more is written as it is, wherever it stands."""

import re

import pytest
from django.db import connection
from django.urls import reverse

from campaigns.models import Campaign
from delivery.models import Delivery, Destination
from listings.models import LeadUrl

GROUPED = re.compile(r"""\b(?:href|action|formaction|value|id|for|name|hx-[a-z]+)="[^"]*\b\d{1,3}[,.\s\u00a0\u202f]\d{3}\b[^"]*\"""")


@pytest.fixture(autouse=True)
def years_later(db):
    """Every table has had 5,000 rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(sequencename) FROM pg_sequences WHERE schemaname = 'public'")
        for (name,) in cursor.fetchall():
            cursor.execute(f"ALTER SEQUENCE {name} RESTART WITH 5001")


def grouped(page):
    return GROUPED.findall(page.content.decode())


def test_a_lead_url_is_rotated_by_what_its_form_says(offer, admin, signed_in):
    browser = signed_in(admin)
    page = browser.get(reverse("listings:rotate", args=[offer.slug]))
    replaces = re.search(r'name="replaces" value="([^"]*)"', page.content.decode())[1]
    browser.post(reverse("listings:rotate", args=[offer.slug]), {"replaces": replaces})
    assert LeadUrl.objects.filter(listing=offer).count() == 2


@pytest.mark.parametrize("language", ["en", "es", "cs", "ru"])
def test_no_page_writes_a_key_as_a_figure(language, offer, app, admin, sales, arrive, signed_in):
    destination = Destination(name="CRM", kind="https", config={"url": "https://crm.example/leads"})
    destination.keep_secret("whsec_" + "QUJD" * 12)
    destination.save()
    destination.listings.add(offer)
    lead, browser = arrive(offer), signed_in(admin)
    Delivery.objects.update(state="dead")
    browser.cookies["django_language"] = language
    campaign = Campaign.objects.first()
    browser.post(reverse("campaigns:draft", args=[campaign.slug]))
    paths = [
        reverse("delivery:list"), reverse("delivery:detail", args=[destination.pk]), reverse("delivery:deliveries") + f"?destination={destination.pk}",
        reverse("campaigns:detail", args=[campaign.slug]), reverse("campaigns:results", args=[campaign.slug]), lead.get_absolute_url(),
        reverse("listings:detail", args=[offer.slug]), reverse("listings:rotate", args=[offer.slug]), reverse("routing:sellers"), reverse("accounts:people"),
    ]  # fmt: skip
    found = {path: browser.get(path) for path in paths}
    assert {path: page.status_code for path, page in found.items()} == dict.fromkeys(paths, 200)
    assert {path: wrong for path, page in found.items() if (wrong := grouped(page))} == {}
    assert destination.pk > 5000 and len(found[paths[2]].context["page"].rows) == 1
