"""People hand leads on: one or several, with a reason, a clock, a history, and a way back."""

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from leads.models import Activity, Lead
from leads.story import tell
from portal import pipeline
from routing.handover import hand_over, take_back
from routing.models import Assignment, Seller
from routing.reasons import because
from tests.conftest import person


def this(lead):
    return Lead.objects.filter(pk=lead.pk)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ({"code": "lowest_load", "storefront": "Azure Marketplace", "because": "at_once", "open": 3}, "Azure Marketplace; lowest load: 3 open"),
        ({"code": "lowest_load", "storefront": "AppSource", "because": "asked", "open": 1}, "AppSource; asked to be contacted; lowest load: 1 open"),
        (
            {"code": "lowest_load", "storefront": "AppSource", "because": "goal", "open": 0},
            "AppSource; reached the nurture goal; lowest load: 0 open",
        ),
        ({"code": "lowest_load", "storefront": "AppSource", "because": "act_now", "open": 0}, "AppSource; act now; lowest load: 0 open"),
        ({"code": "by_hand", "by": "Mira Okafor"}, "given by Mira Okafor"),
        ({"code": "by_campaign", "campaign": "Spring"}, "given by Spring"),
        ({"code": "taken", "by": "Mira Okafor"}, "taken from everybody by Mira Okafor"),
        ({"code": "no_seller"}, "no seller can take it: nobody takes leads, or all are full"),
        ({"code": "below_act_now"}, "nurture: below act now"),
        ({}, "not looked at yet"),
        ({"code": "of a version to come"}, "not looked at yet"),
    ],
)
def test_every_reason_has_words(reason, words):
    assert because(reason) == words


@pytest.mark.parametrize("language", ["es", "pt-br", "nl", "cs", "ru"])
def test_reasons_speak_the_readers_language(language):
    with translation.override(language):
        assert because({"code": "no_seller"}) != "no seller can take it: nobody takes leads, or all are full"
        assert because({"code": "below_act_now"}) != "nurture: below act now"


def test_who_gets_it_has_the_whole_time_to_answer(offer, sales, stranger, marketing, arrive):
    lead = arrive(offer)
    this(lead).update(respond_by=timezone.now() + timedelta(hours=1))
    hand_over(this(lead), stranger, by=marketing)
    lead.refresh_from_db()
    assert timedelta(hours=23) < lead.respond_by - timezone.now() <= timedelta(hours=24)
    assert lead.stale_since is not None


def test_an_answered_lead_keeps_the_clock_it_had(offer, sales, stranger, marketing, arrive):
    lead = arrive(offer)
    due = timezone.now() - timedelta(hours=5)
    this(lead).update(respond_by=due, first_response_at=due)
    hand_over(this(lead), stranger, by=marketing)
    lead.refresh_from_db()
    assert (lead.owner, lead.respond_by) == (stranger, due)


def test_who_has_it_already_is_no_part_of_it(offer, sales, marketing, arrive):
    lead = arrive(offer)
    assert hand_over(this(lead), sales, by=marketing) == []
    assert Assignment.objects.filter(lead=lead).count() == 1


def test_taken_from_everybody_it_waits_for_the_buyers_next_act(offer, sales, marketing, arrive, post):
    lead = arrive(offer)
    hand_over(this(lead), None, by=marketing)
    pipeline.run()
    lead.refresh_from_db()
    assert (lead.owner, lead.respond_by, because(lead.owner_reason)) == (None, None, "taken from everybody by Marketing")
    assert Assignment.objects.filter(lead=lead, ended_at=None).count() == 0
    this(lead).update(owner_reason={**lead.owner_reason, "at": (timezone.now() - timedelta(hours=1)).isoformat()})
    arrive(offer, actionCode="PLT", leadSource="AzureMarketplace-PLT|contoso.edge-firewall")
    lead.refresh_from_db()
    assert lead.owner == sales


def test_undone_it_is_as_before_unless_somebody_changed_it_since(offer, sales, stranger, marketing, arrive):
    first, second = arrive(offer), arrive(offer, email="second@kolovrat.example")
    third = person("third", "sales")
    was = {lead.pk: (lead.owner, lead.owner_reason, lead.respond_by) for lead in (first, second)}
    before = hand_over(Lead.objects.filter(pk__in=was), third, by=marketing)
    assert len(before) == 2
    hand_over(this(second), sales if was[second.pk][0] != sales else stranger, by=marketing)
    assert take_back(Lead.objects.all(), third, before, by=marketing) == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.owner, first.owner_reason, first.respond_by) == was[first.pk]
    assert second.owner != third
    assert Assignment.objects.get(lead=first, ended_at=None).owner == first.owner
    assert take_back(Lead.objects.all(), third, before, by=marketing) == 0


def test_each_stretch_of_ownership_is_kept_and_told(offer, sales, stranger, marketing, arrive):
    lead = arrive(offer)
    for owner in (stranger, None, sales):
        hand_over(this(lead), owner, by=marketing)
    stretches = list(Assignment.objects.filter(lead=lead).order_by("made_at").values_list("owner__username", "ended_at"))
    assert [name for name, _ended in stretches] == ["sales", "stranger", "sales"]
    assert [ended is None for _name, ended in stretches] == [False, False, True]
    told = [tell(line)[0] for line in lead.activities.filter(kind="assigned").order_by("at", "pk")]
    assert told == ["Given to Sales, clock started", "Given to Stranger by Marketing", "Taken from its owner", "Given to Sales by Marketing"]


def test_lines_from_before_owners_were_named_can_be_read(offer, sales, marketing, arrive):
    lead = arrive(offer)
    lines = [
        ({"code": "lowest_load", "owner": sales.pk}, "Got an owner, clock started"),
        ({"code": "by_hand", "owner": sales.pk, "by": "Mira"}, "Owner set by Mira"),
        ({"code": "by_campaign", "owner": sales.pk, "campaign": "Spring", "stage": "Call", "to": "Ana"}, "Given to Ana by Spring"),
        ({}, "Taken from its owner"),
    ]
    for data, words in lines:
        assert tell(Activity(lead=lead, kind="assigned", data=data))[0] == words


def test_the_page_hands_on_says_so_and_takes_it_back(offer, sales, stranger, marketing, arrive, signed_in):
    lead, browser = arrive(offer), signed_in(marketing)
    other = stranger if lead.owner == sales else sales
    page = browser.post(f"/routing/leads/{lead.pk}/owner/", {"owner": other.username}, follow=True)
    [told] = page.context["messages"]
    assert str(told) == f"Ada Novák assigned to {other.full_name}"
    undo = told.extra_tags.removeprefix("undo:").split()[0]
    back = browser.post(undo, follow=True)
    assert "1 lead put back" in back.content.decode()
    assert Lead.objects.get(pk=lead.pk).owner == lead.owner
    assert "can&#x27;t be undone" in browser.post(undo, follow=True).content.decode()


@pytest.mark.parametrize("name", ["marketing", "nobody at all", ""])
def test_only_sellers_can_be_given_a_lead(offer, sales, marketing, arrive, signed_in, name):
    lead = arrive(offer)
    assert signed_in(marketing).post(f"/routing/leads/{lead.pk}/owner/", {"owner": name}).status_code == 404
    assert Lead.objects.get(pk=lead.pk).owner == sales


def test_setting_up_a_seller_looks_again_at_who_nobody_could_take(offer, sales, marketing, arrive, signed_in):
    Seller.objects.update(takes_leads=False)
    lead, browser = arrive(offer), signed_in(marketing)
    assert lead.owner is None
    page = browser.get("/setup/routing/").content.decode()
    assert "Sales" in page
    saved = browser.post(f"/setup/routing/{sales.pk}/", {"takes_leads": "on", "capacity": "3"}, follow=True)
    assert "Sales saved; 1 lead without owner is looked at again" in saved.content.decode()
    pipeline.run()
    assert Lead.objects.get(pk=lead.pk).owner == sales


@pytest.mark.parametrize("capacity", ["-1", "many", "99999999999"])
def test_a_limit_that_is_none_is_refused_beside_its_field(sales, marketing, publisher, signed_in, capacity):
    page = signed_in(marketing).post(f"/setup/routing/{sales.pk}/", {"takes_leads": "on", "capacity": capacity})
    assert page.status_code == 422
    assert page.context["form"].errors["capacity"]
    assert Seller.objects.get(user=sales).capacity is None


def test_full_sellers_are_shown_as_full(offer, sales, marketing, arrive, signed_in):
    arrive(offer)
    Seller.objects.filter(user=sales).update(capacity=1)
    [row] = signed_in(marketing).get("/setup/routing/").context["sellers"]
    assert (row["user"], row["load"], row["full"]) == (sales, 1, True)


def test_the_page_opens_for_a_seller_whom_nobody_has_set_up(sales, marketing, publisher, signed_in):
    Seller.objects.all().delete()
    page = signed_in(marketing).get("/setup/routing/")
    assert page.status_code == 200 and "Not set up" in page.content.decode()


def test_one_free_seat_makes_one_lead_due_and_not_all_that_wait(offer, sales, marketing, arrive, signed_in):
    Seller.objects.update(takes_leads=False)
    for number in range(4):
        arrive(offer, email=f"p{number}@kolovrat.example")
    signed_in(marketing).post(f"/setup/routing/{sales.pk}/", {"takes_leads": "on", "capacity": "1"})
    assert Lead.objects.filter(stale_since__isnull=False).count() == 1
    pipeline.run()
    assert Lead.objects.filter(owner=sales).count() == 1
