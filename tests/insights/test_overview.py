"""The overview: figures that equal a live count, changes, needs, links, the file, and who may look."""

import csv
import io
from datetime import date, timedelta

import pytest
from django.db import connection
from django.db.models import Count
from django.utils import timezone

from accounts.models import User
from delivery.models import Delivery, Destination
from insights import series
from insights.asked import Asked
from insights.exports import safe
from insights.medians import BY_MINUTE
from insights.offers import Period
from insights.tally import rebuild
from leads.bulk import set_status
from leads.models import Contact, Lead, Status
from leads.work import log_call
from listings.models import Publisher
from portal import pipeline


@pytest.fixture
def seen(signed_in, marketing):
    """What the overview shows marketing for these parameters."""

    def look(query=""):
        answer = signed_in(marketing).get(f"/overview/{query}")
        assert answer.status_code == 200, answer.status_code
        return answer.context["seen"]

    return look


def old_lead(listing, days, number=0, **changes):
    """A lead received so many days ago, counted by the next rebuild."""
    contact = Contact.objects.create(key=f"{listing.slug}-{days}-{number}", email=f"{days}-{number}@old.example")
    noon = timezone.now().astimezone(Publisher.current().zone).replace(hour=12, minute=0)  # so many days of the calendar, summer time or not
    return Lead.objects.create(contact=contact, listing=listing, received_at=noon - timedelta(days=days), **changes)


def test_marketing_and_admins_look_and_field_sales_do_not(publisher, sales, marketing, admin, client, signed_in):
    assert client.get("/overview/").status_code == 302
    assert signed_in(sales).get("/overview/").status_code == signed_in(sales).get("/overview/offers.csv").status_code == 403
    assert signed_in(marketing).get("/overview/").status_code == signed_in(admin).get("/overview/").status_code == 200


def test_before_the_first_lead_it_says_how_to_begin(offer, marketing, signed_in):
    page = signed_in(marketing).get("/overview/").content.decode()
    assert "No lead has come in yet" in page
    assert 'href="/listings/"' in page


def test_figures_equal_the_live_count_after_every_change(offer, app, arrive, post, sales, seen):
    won = arrive(offer)
    arrive(app, email="second@hold.example")
    qualified = arrive(offer, email="third@hold.example")
    post(offer, email="MSFT_TEST_1@test.com", firstName="MSFT_TEST_1")
    post(app, email="lucia@norte.example", actionCode="DNC", leadSource="SPZA-DNC|contoso.field-service")
    post(app, email="", phone="", firstName="", lastName="")
    set_status(Lead.objects.filter(pk=won.pk), Status.WON, sales)
    set_status(Lead.objects.filter(pk=qualified.pk), Status.QUALIFIED, sales)
    log_call(won, sales)
    pipeline.run()
    total = seen().total
    live = Lead.objects.aggregate(leads=Count("pk"), qualified=Count("qualified_at"), opportunities=Count("opportunity_at"), won=Count("won_at"))
    assert {name: getattr(total, name) for name in live} == live == {"leads": 3, "qualified": 2, "opportunities": 1, "won": 1}
    assert (total.anonymous, total.asked_neighbour) == (1, 1)
    assert total.median_first_response_minutes == 0
    set_status(Lead.objects.filter(pk=won.pk), Status.LOST, sales)
    pipeline.run()
    assert seen().total.won == 1  # ever reached


def test_the_change_is_against_the_days_just_before(offer, seen):
    for number in range(3):
        old_lead(offer, 2, number)
    old_lead(offer, 40)
    rebuild()
    shown = seen("?period=30")
    assert (shown.total.leads, shown.before.leads) == (3, 1)
    assert (seen("?period=7").total.leads, seen("?period=7").before.leads) == (3, 0)


def test_days_are_the_publishers(offer, seen):
    """23:30 UTC is already the next day in Prague, and the day before in New York."""
    moment = timezone.now().replace(hour=23, minute=30) - timedelta(days=3)
    Lead.objects.filter(pk=old_lead(offer, 0).pk).update(received_at=moment)
    for zone, shift in (("Europe/Prague", 1), ("America/New_York", 0)):
        Publisher.objects.update(time_zone=zone)
        rebuild()
        day = moment.date() + timedelta(days=shift)
        assert seen(f"?from={day}&to={day}").total.leads == 1, zone


def test_the_storefront_filter_narrows_every_part(offer, app, arrive, seen):
    arrive(offer)
    arrive(app, email="second@hold.example")
    shown = seen("?storefront=appsource")
    assert [line.offer.slug for line in shown.lines] == ["field-service"]
    assert shown.total.leads == sum(shown.chart["series"][0]["values"]) == 1
    assert shown.funnel[0]["count"] == 1


def test_unreadable_days_are_said_and_the_last_30_shown(publisher, offer, arrive, seen):
    arrive(offer)
    for query in ("?from=2026-13-01", "?from=2026-05-02&to=2026-05-01", "?from=2020-01-01&to=2025-01-01", "?from=999999999999"):
        asked = seen(query).asked
        assert asked.error, query
        assert asked.period == Period.last(30)


def test_each_number_links_to_the_leads_it_counts(offer, arrive, marketing, signed_in):
    arrive(offer)
    browser = signed_in(marketing)
    answer = browser.get("/overview/?period=7")
    period = answer.context["asked"].period
    link = f"/leads/?listing=edge-firewall&amp;from={period.first}&amp;to={period.last_day}"
    assert f'href="{link}"' in answer.content.decode()
    assert f'href="{link}&amp;reached=won"' in answer.content.decode()


def test_queries_do_not_grow_with_listings_or_leads(offer, app, arrive, marketing, signed_in, django_assert_num_queries):
    from django.test.utils import CaptureQueriesContext

    from tests.conftest import listing

    arrive(offer)
    browser = signed_in(marketing)
    browser.get("/overview/")
    with CaptureQueriesContext(connection) as first:
        browser.get("/overview/")
    asked = len(first)
    for number in range(4):
        arrive(listing(f"offer-{number}", f"Offer {number}", "azure-marketplace", "offer"), email=f"p{number}@hold.example")
    with django_assert_num_queries(asked):
        browser.get("/overview/")


def test_chart_stacks_storefronts_and_means_seven_days_before(offer, app):
    for number in range(7):
        old_lead(offer, 35, number)
    old_lead(app, 1)
    rebuild()
    asked = Asked.of({"period": "30"})
    from insights.offers import offers

    chart = series.chart(asked, offers(asked.period).lines)
    assert [(one["name"], one["kind"], one["total"]) for one in chart["series"]] == [("Azure Marketplace", "azure", 0), ("AppSource", "appsource", 1)]
    assert len(chart["categories"]) == len(chart["rows"]) == len(chart["before"]["values"]) == 30
    assert sum(value == 1.0 for value in chart["before"]["values"]) == 6  # 7 leads on one day: 1 a day in the mean of it and the days after
    assert chart["series"][1]["values"][-2] == 1


def test_long_periods_are_drawn_by_week(publisher, offer):
    old_lead(offer, 100)
    rebuild()
    asked = Asked("custom", Period.last(140))
    from insights.offers import offers

    chart = series.chart(asked, offers(asked.period).lines)
    assert len(chart["categories"]) == 20
    assert sum(chart["series"][0]["values"]) == 1


def test_funnel_says_how_many_moved_on_and_the_change(offer, seen, django_user_model):
    now = timezone.now()
    for number in range(4):
        old_lead(offer, 2, number, qualified_at=now if number < 2 else None)
    old_lead(offer, 40, 0, qualified_at=now)
    rebuild()
    step = seen().funnel[1]
    assert (step["count"], step["moved"], step["moved_before"]) == (2, 50, 100)


def test_needs_you_names_what_waits_and_where(offer, arrive, post, sales, seen):
    User.objects.filter(pk=sales.pk).update(is_active=False)
    late = arrive(offer)
    pipeline.run()
    post(offer, b'{"broken"')
    pipeline.run()
    destination = Destination.objects.create(name="Your CRM", kind="https", state="paused", pause_reason="401")
    Delivery.objects.create(lead=late, destination=destination, revision=1, state="dead", last_error="422 Unprocessable")
    Lead.objects.filter(pk=late.pk).update(owner=sales, respond_by=timezone.now() - timedelta(hours=5, minutes=20))
    arrive(offer, email="nobody@hold.example")
    needs = {need.icon: need for need in seen().needs}
    assert list(needs) == ["clock-alert", "circle-pause", "unplug", "inbox", "user-x"]
    assert needs["clock-alert"].why == "Longest by 5 h 20 min, Edge Firewall"
    assert needs["clock-alert"].url == "/leads/?clock=overdue"
    assert needs["unplug"].why == "Edge Firewall to Your CRM: 422"
    assert needs["unplug"].url == "/follow-up/deliveries/?state=dead"
    assert needs["user-x"].count.figure == 1


def test_nothing_waits(offer, arrive, sales, marketing, signed_in):
    arrive(offer)
    assert "Nothing waits for you" in signed_in(marketing).get("/overview/").content.decode()


def test_the_file_holds_the_offers_and_no_formula(offer, arrive, marketing, signed_in):
    offer.title = '=HYPERLINK("https://evil.example")'
    offer.save()
    arrive(offer)
    answer = signed_in(marketing).get("/overview/offers.csv?period=7")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert answer["Content-Type"].startswith("text/csv")
    assert rows[0]["title"] == '\'=HYPERLINK("https://evil.example")'
    assert rows[0]["leads"] == "1"


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\ta", "\ra"])
def test_formulas_become_text(text):
    assert safe(text) == "'" + text
    assert safe(-1) == -1


def test_the_back_office_shows_the_offers_too(offer, arrive, admin, signed_in):
    arrive(offer)
    page = signed_in(admin).get("/admin/").content.decode()
    assert "offer-performance" in page
    assert "Edge Firewall" in page


def test_staff_who_do_not_see_all_see_no_figures(offer, arrive, sales, signed_in):
    arrive(offer)
    sales.is_staff = True
    sales.save()
    assert "offer-performance" not in signed_in(sales).get("/admin/").content.decode()


def test_all_of_time_is_read_without_a_look_at_every_day_of_it(client, admin, offer, sales, arrive):
    log_call(arrive(offer), by=sales)
    pipeline.run()
    asked = []

    def note(execute, sql, *rest):
        asked.append(sql)
        return execute(sql, *rest)

    client.force_login(admin)
    with connection.execute_wrapper(note):
        [line] = client.get("/api/v1/insights/offers/?from=0001-01-01&to=9999-12-31").json()
    assert (line["leads"], line["median_first_response_minutes"]) == (1, 0)
    [by_minute] = [sql for sql in asked if "generate_series" in sql]
    with connection.cursor() as cursor:
        given = {"first": date.min, "last": date.max, "keys": [offer.pk], "listings": [offer.pk], "lows": [0], "highs": [9]}
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS off, TIMING off, FORMAT json) {BY_MINUTE}", given)
        assert by_minute == BY_MINUTE
        assert days_looked_at(cursor.fetchone()[0][0]["Plan"]) == 1


def days_looked_at(plan):
    here = plan["Actual Rows"] if plan.get("Function Name") == "generate_series" else 0
    return here + sum(days_looked_at(part) for part in plan.get("Plans", []))
