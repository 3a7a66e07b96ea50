"""Saved views: filters of the list under a name, a person's own or shared by the office."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.people import give_roles
from leads import saved
from leads.keyset import Count
from leads.models import Lead
from leads.saved import SavedView
from tests.conftest import at_once, person

LIST, SAVE = "/leads/", "/leads/views/"


def save(browser, name="Hot", query="?status=new&score_min=30", **more):
    return browser.post(SAVE, {"name": name, "query": query, **more}, follow=True)


def test_filters_get_a_name_and_the_list_bears_it(offer, marketing, signed_in):
    browser = signed_in(marketing)
    assert "Save view" in browser.get(f"{LIST}?status=new&score_min=30").content.decode()
    page = save(browser)
    assert "Saved: Hot" in page.content.decode()
    assert page.redirect_chain[-1][0] == f"{LIST}?status=new&score_min=30"
    assert "<h1>Hot</h1>" in page.content.decode()
    assert "Save view" not in page.content.decode().split('id="view"')[1].split('id="export"')[0]
    # Whatever order and page the address has.
    assert "<h1>Hot</h1>" in browser.get(f"{LIST}?score_min=30&status=new&after=x&n=3").content.decode()
    assert "<h1>Leads</h1>" in browser.get(f"{LIST}?status=new").content.decode()


def test_it_stands_in_the_navigation_of_every_page_and_is_marked_on_its_own(offer, marketing, signed_in):
    browser = signed_in(marketing)
    save(browser)
    assert f'href="{LIST}?status=new&amp;score_min=30"' in browser.get("/overview/").content.decode()
    [own] = list(browser.get(f"{LIST}?status=new&score_min=30").context["own_views"])
    assert own == {"label": "Hot", "url": f"{LIST}?status=new&score_min=30", "current": True, "count": Count(0, True)}
    assert not browser.get(f"{LIST}?status=new").context["own_views"][0]["current"]


def test_it_says_how_many_leads_it_shows_to_whoever_looks(offer, marketing, admin, sales, stranger, arrive, signed_in):
    for number in range(3):
        arrive(offer, email=f"p{number}@x.example")
    Lead.objects.filter(pk=Lead.objects.latest("pk").pk).update(status="won")
    save(signed_in(marketing), "New", "?status=new", is_shared="on")
    save(signed_in(sales), "New", "?status=new")
    assert signed_in(marketing).get(LIST).context["own_views"][0]["count"] == Count(2, True)
    assert signed_in(admin).get(LIST).context["shared_views"][0]["count"] == Count(2, True)
    own = Lead.objects.filter(owner=sales, status="new").count()
    assert signed_in(sales).get(LIST).context["own_views"][0]["count"] == Count(own, True)


def test_the_same_name_again_replaces_it(publisher, marketing, signed_in):
    browser = signed_in(marketing)
    save(browser)
    save(browser, query="?status=won")
    assert list(SavedView.objects.values_list("name", "query")) == [("Hot", "status=won")]


def test_the_office_shares_with_the_office_and_field_sales_with_nobody(publisher, marketing, admin, sales, stranger, signed_in):
    save(signed_in(marketing), "Ours", "?clock=overdue", is_shared="on")
    save(signed_in(marketing), "Mine", "?clock=running")
    save(signed_in(sales), "Sold", "?status=won", is_shared="on")
    page = signed_in(admin).get(f"{LIST}?clock=overdue")
    assert [one["label"] for one in page.context["shared_views"]] == ["Ours"]
    assert "shared by Marketing" in page.content.decode()
    assert "Remove view" not in page.content.decode()
    for seller, names in ((sales, ["Sold"]), (stranger, [])):
        context = signed_in(seller).get(LIST).context
        assert [one["label"] for one in context["own_views"]] == names
        assert list(context["shared_views"]) == []
    assert SavedView.objects.filter(is_shared=True).count() == 1


def test_what_somebody_shared_goes_with_them(publisher, marketing, admin, signed_in):
    save(signed_in(marketing), "Ours", "?clock=overdue", is_shared="on")
    assert SavedView.objects.visible_to(admin).count() == 1
    User.objects.filter(pk=marketing.pk).update(is_active=False)
    assert not SavedView.objects.visible_to(admin)
    User.objects.filter(pk=marketing.pk).update(is_active=True)
    give_roles(marketing, ["sales"])
    assert not SavedView.objects.visible_to(admin)
    assert SavedView.objects.visible_to(User.objects.get(pk=marketing.pk)).count() == 1


def test_figures_that_are_kept_are_of_what_one_may_see_now(offer, marketing, sales, arrive, signed_in, monkeypatch):
    """Somebody who leaves the office is not shown what they were shown a minute ago."""
    monkeypatch.setattr("accounts.remembered.LONG", -1)  # whatever is counted is kept
    arrive(offer)
    save(signed_in(marketing), "New", "?status=new")
    assert signed_in(marketing).get(LIST).context["own_views"][0]["count"] == Count(1, True)
    give_roles(marketing, ["sales"])
    assert signed_in(marketing).get(LIST).context["own_views"][0]["count"] == Count(0, True)


def test_figures_that_are_kept_cost_no_query(offer, marketing, signed_in, monkeypatch):
    monkeypatch.setattr("accounts.remembered.LONG", -1)
    monkeypatch.setattr("accounts.remembered.KEPT_FOR", 1_000_000)  # until the end of the test, however slow the machine
    browser = signed_in(marketing)
    save(browser, "Azure, this week", "?storefront=azure-marketplace&days=7")
    browser.get("/overview/")
    with CaptureQueriesContext(connection) as asked:
        browser.get("/overview/")
    assert not [query["sql"] for query in asked if "leads_lead" in query["sql"] and "LIMIT 1001)" in query["sql"]]


def test_the_view_is_marked_however_the_form_wrote_its_address(publisher, marketing, signed_in):
    browser = signed_in(marketing)
    save(browser, "Hot", "?status=new,qualified")
    page = browser.get(f"{LIST}?q=&status=new&status=qualified&storefront=&owner=")
    assert page.context["own_views"][0]["current"]
    assert "<h1>Hot</h1>" in page.content.decode()


def test_of_two_views_of_the_same_filters_ones_own_names_the_list(publisher, marketing, admin, signed_in):
    save(signed_in(marketing), "Theirs", "?clock=overdue", is_shared="on")
    save(signed_in(admin), "Mine", "?clock=overdue")
    assert "<h1>Mine</h1>" in signed_in(admin).get(f"{LIST}?clock=overdue").content.decode()


def test_removed_and_put_back(publisher, marketing, admin, signed_in):
    browser = signed_in(marketing)
    save(browser, is_shared="on")
    view = SavedView.objects.get()
    assert signed_in(admin).post(f"{SAVE}{view.pk}/remove/").status_code == 404
    page = browser.post(f"{SAVE}{view.pk}/remove/", follow=True)
    assert "Removed: Hot" in page.content.decode()
    assert not page.context["own_views"]
    assert signed_in(admin).post(f"{SAVE}{view.pk}/put-back/").status_code == 404
    page = browser.post(f"{SAVE}{view.pk}/put-back/", follow=True)
    assert "Put back: Hot" in page.content.decode()
    assert page.context["view"] == view


def test_what_is_removed_comes_not_back_over_another_of_its_name(publisher, marketing, signed_in):
    browser = signed_in(marketing)
    save(browser)
    view = SavedView.objects.get()
    browser.post(f"{SAVE}{view.pk}/remove/")
    save(browser, query="?status=won")
    assert "Another view has that name by now." in browser.post(f"{SAVE}{view.pk}/put-back/", follow=True).content.decode()
    assert SavedView.objects.of(marketing).get().query == "status=won"


def test_what_was_removed_a_day_ago_is_gone_for_good(publisher, marketing):
    old, new = (saved.keep(marketing, name, "status=won", False) for name in ("Old", "New"))
    SavedView.objects.update(removed_at=timezone.now())
    SavedView.objects.filter(pk=old.pk).update(removed_at=timezone.now() - timedelta(days=1, minutes=1))
    saved.keep(marketing, "Third", "status=new", False)
    assert set(SavedView.objects.values_list("name", flat=True)) == {"New", "Third"}
    assert new


@pytest.mark.parametrize(
    ("name", "query", "said"),
    [
        ("Hot", "", "Choose a filter first"), ("Hot", "?nonsense=1", "Choose a filter first"), ("", "?status=new", "Name"), ("x" * 61, "?status=new", "Name"),
        ("Hot", "?q=" + "x" * 1_100, "too long"),
    ],
    ids=["no filter", "no filter of ours", "no name", "long name", "long query"],
)  # fmt: skip
def test_what_can_not_be_saved_is_said(publisher, marketing, signed_in, name, query, said):
    page = save(signed_in(marketing), name, query)
    assert said in " ".join(str(message) for message in page.context["messages"])
    assert not SavedView.objects.exists()


def test_there_is_an_end_to_how_many(publisher, marketing, signed_in, monkeypatch):
    monkeypatch.setattr(saved, "MOST", 2)
    browser = signed_in(marketing)
    for name in ("One", "Two", "Three"):
        page = save(browser, name)
    assert "You have 2 views" in page.content.decode()
    assert SavedView.objects.count() == 2
    assert "Saved: Two" in save(browser, "Two", "?status=lost").content.decode()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_tabs_make_one_view_of_one_name():
    owner = person("marketing", "marketing")
    at_once(6, lambda: saved.keep(owner, "Hot", "status=new", False))
    assert SavedView.objects.count() == 1


def test_the_navigation_costs_one_query_however_many_there_are(publisher, marketing, signed_in):
    browser = signed_in(marketing)
    saved.keep(marketing, "One", "status=new", False)
    browser.get(LIST)
    with CaptureQueriesContext(connection) as few:
        browser.get(LIST)
    for number in range(8):
        saved.keep(marketing, f"View {number}", f"score_min={number}", number % 2 == 0)
    with CaptureQueriesContext(connection) as many:
        browser.get(LIST)
    assert len(few) == len(many)
    assert sum("leads_savedview" in query["sql"] for query in many) == 1


@pytest.mark.parametrize(("days", "found"), [("7", 1), ("30", 2), ("91", 3), ("0", 0), ("x", 0), ("-7", 0), ("1000", 0)])
def test_received_in_the_last_days_means_the_same_tomorrow(offer, sales, marketing, arrive, signed_in, days, found):
    for number, age in enumerate((6, 29, 90)):
        lead = arrive(offer, email=f"p{number}@x.example")
        Lead.objects.filter(pk=lead.pk).update(received_at=timezone.now() - timedelta(days=age))
    page = signed_in(marketing).get(f"{LIST}?days={days}")
    assert page.context["total"].figure == found


def test_a_name_that_is_taken_says_what_it_replaced(offer, marketing, signed_in):
    browser = signed_in(marketing)
    assert "in place of" not in save(browser, "Mine", "?status=new").text
    text = save(browser, "Mine", "?status=won").text
    assert "in place of what it showed before" in text
