"""Where a reader stands: back, number and neighbours of a record that was opened from a list or from My day."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from leads.models import Lead


@pytest.fixture
def queue(offer, sales, arrive):
    """Five leads of one seller, the first received and due first."""
    leads = [arrive(offer, email=f"p{n}@x.example", firstName=f"N{n}") for n in range(5)]
    for n, lead in enumerate(leads):
        Lead.objects.filter(pk=lead.pk).update(
            received_at=timezone.now() - timedelta(hours=9 - n), respond_by=timezone.now() + timedelta(hours=n + 1)
        )
    return [lead.pk for lead in leads]


def seen(browser, pk, said=None):
    page = browser.get(f"/leads/{pk}/", {} if said is None else {"in": said})
    return page, page.context["place"]


def test_my_day_keeps_its_place(queue, sales, signed_in):
    browser = signed_in(sales)
    page, place = seen(browser, queue[1], "day")
    assert (place.url, place.label, place.number, place.total.figure) == ("/leads/my-day/", "My day", 2, 5)
    assert place.previous_url == f"/leads/{queue[0]}/?in=day"
    assert place.next_url == f"/leads/{queue[2]}/?in=day"
    assert "2 of 5" in page.content.decode()
    browser.post(f"/leads/{queue[1]}/notes/", {"note": "Called back"})
    assert seen(browser, queue[1])[1].label == "My day"
    assert seen(browser, queue[3])[1].label == "Leads"


def test_the_navigation_stands_where_the_record_was_opened_from(queue, sales, signed_in):
    browser = signed_in(sales)

    def current(page):
        return [item.name for item in page.context["nav"] if item.current]

    assert current(browser.get(f"/leads/{queue[0]}/?in=day")) == ["leads:my_day"]
    assert current(browser.get(f"/leads/{queue[0]}/")) == ["leads:my_day"]
    assert current(browser.get(f"/leads/{queue[1]}/?in=%3Fstatus%3Dnew")) == ["leads:list"]
    assert current(browser.get("/leads/")) == ["leads:list"]


def test_who_is_answered_leaves_the_queue_and_the_way_back_stays(queue, sales, signed_in):
    browser = signed_in(sales)
    seen(browser, queue[0], "day")
    browser.post(f"/leads/{queue[0]}/calls/", {"reached": "1"})
    page, place = seen(browser, queue[0])
    assert (place.url, place.number) == ("/leads/my-day/", 0)
    assert place.next_url == f"/leads/{queue[1]}/?in=day"  # what waits is what comes next
    assert "4 more wait" in page.content.decode()


def test_a_list_keeps_its_filters_and_order(queue, marketing, signed_in):
    browser = signed_in(marketing)
    Lead.objects.filter(pk=queue[3]).update(status="won")
    place = seen(browser, queue[2], "?status=new")[1]
    assert (place.url, place.number, place.total.figure) == ("/leads/?status=new", 2, 4)
    assert place.previous_url == f"/leads/{queue[4]}/?in=%3Fstatus%3Dnew"
    assert place.next_url == f"/leads/{queue[1]}/?in=%3Fstatus%3Dnew"
    assert seen(browser, queue[4], "?status=new")[1].previous_url == ""


def test_a_seller_learns_nothing_of_other_leads_by_it(queue, sales, stranger, signed_in):
    Lead.objects.filter(pk__in=queue[:3]).update(owner=stranger)
    place = seen(signed_in(sales), queue[3], "?")[1]
    assert (place.number, place.total.figure, place.next_url) == (2, 2, "")


@pytest.mark.parametrize("said", ["//evil.example", "?next=//evil.example", "x" * 2_000, "?after=rubbish", "\u0000"])
def test_what_the_address_says_leads_nowhere_else(queue, sales, signed_in, said):
    page, place = seen(signed_in(sales), queue[0], said.replace("\u0000", ""))
    assert place.url.startswith("/leads/")
    assert not re.search(r'(href|action)="[^"?]*evil', page.content.decode())
