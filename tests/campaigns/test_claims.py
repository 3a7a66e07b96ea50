"""Which campaign may take a lead, and when: priority, days, pausing, ending."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from campaigns import sweep as sweeping
from campaigns.models import Campaign, Enrollment
from campaigns.publish import publish
from campaigns.sweep import sweep
from leads.models import Lead
from leads.tags import add_tag
from portal import pipeline
from routing.assign import let_go
from routing.handover import hand_over
from routing.models import Assignment, Seller
from tests.campaigns.test_stages import WEAK


@pytest.fixture
def second(campaign, put, running, marketing):
    """Another campaign of the storefront, beside the one that runs."""
    put("goal", "On", timedelta(days=9))
    running()
    made = Campaign.objects.create(slug="second", name="Second", kind="nurture", storefront=campaign.storefront)
    version = made.versions.create(number=1)
    version.stages.create(kind="goal", name="There", position=0, holds_for=timedelta(days=9))
    publish(made, by=marketing)
    made.refresh_from_db()
    return made


def entered(lead):
    return sorted(lead.enrollments.values_list("campaign__slug", flat=True))


def test_of_equal_priority_each_takes_the_lead(app, second, arrive):
    assert entered(arrive(app, **WEAK)) == ["mine", "second"]


def test_the_higher_priority_takes_it_alone_until_it_is_over(app, campaign, second, arrive):
    Campaign.objects.filter(pk=second.pk).update(priority=5)
    lead = arrive(app, **WEAK)
    assert entered(lead) == ["second"]
    Campaign.objects.update(swept_at=None)
    sweep()
    assert entered(lead) == ["second"]
    Enrollment.objects.update(status="ended", due_at=None, ended_at=timezone.now())
    Campaign.objects.update(swept_at=None)
    sweep()
    assert entered(lead) == ["mine", "second"]


@pytest.mark.parametrize(("starts", "ends", "takes"), [(0, 0, True), (1, None, False), (None, -1, False), (-3, 3, True)])
def test_leads_enter_on_its_days_only(app, campaign, put, running, arrive, publisher, starts, ends, takes):
    put("goal", "On", timedelta(days=9))
    running()
    days = {name: publisher.today + timedelta(days=n) for name, n in (("starts", starts), ("ends", ends)) if n is not None}
    Campaign.objects.filter(pk=campaign.pk).update(**days)
    lead = arrive(app, **WEAK)
    assert entered(lead) == (["mine"] if takes else [])
    Campaign.objects.update(swept_at=None)
    sweep()
    assert entered(lead) == (["mine"] if takes else [])
    assert Campaign.objects.taking().contains(campaign) is takes


def test_after_its_last_day_the_goal_still_counts_for_those_inside(app, campaign, put, running, arrive, publisher):
    put("goal", "On", timedelta(days=9))
    running()
    lead = arrive(app, **WEAK)
    Campaign.objects.filter(pk=campaign.pk).update(ends=publisher.today - timedelta(days=1), goal={"field": "country", "op": "is", "value": "CZ"})
    Lead.objects.get(pk=lead.pk).contact.__class__.objects.update(country="CZ")
    Lead.objects.update(stale_since=timezone.now())
    pipeline.run()
    assert lead.enrollments.get().status == "reached"


def test_an_ended_campaign_lets_everybody_go_and_nobody_in(app, campaign, put, running, arrive, marketing, signed_in):
    put("wait", "Wait", timedelta(days=9))
    running()
    lead = arrive(app, **WEAK)
    browser = signed_in(marketing)
    assert "1 person leaves it" in browser.get("/campaigns/mine/end/").text
    assert browser.post("/campaigns/mine/end/").status_code == 302
    one = lead.enrollments.get()
    assert (one.status, one.reason, one.due_at) == ("exited", "campaign_over", None)
    assert one.ended_at is not None
    assert entered(arrive(app, **{**WEAK, "email": "eve@gmail.com"})) == []
    assert browser.get("/campaigns/mine/end/").status_code == 302


def test_paused_it_goes_on_with_one_press(app, campaign, put, running, arrive, marketing, signed_in):
    put("wait", "Wait", timedelta(days=9))
    running()
    lead = arrive(app, **WEAK)
    browser = signed_in(marketing)
    browser.post("/campaigns/mine/pause/")
    assert lead.enrollments.get().due_at is None
    assert "Go on" in browser.get("/campaigns/mine/").text
    browser.post("/campaigns/mine/resume/")
    assert lead.enrollments.get().due_at > timezone.now() + timedelta(days=8)
    campaign.refresh_from_db()
    assert campaign.state == "published"


def test_days_priority_and_budget_are_entered_in_the_portal(campaign, put, marketing, signed_in):
    browser = signed_in(marketing)
    given = {"name": "Mine", "reentry": "never", "reentry_days": 90, "priority": 3, "starts": "2026-12-01", "ends": "2026-11-01", "budget": "500"}
    assert "It ends before it starts." in browser.post("/campaigns/mine/conditions/", given).text
    assert browser.post("/campaigns/mine/conditions/", {**given, "ends": "2026-12-31"}).status_code == 302
    campaign.refresh_from_db()
    assert (campaign.priority, campaign.starts.isoformat(), campaign.ends.isoformat(), campaign.budget) == (3, "2026-12-01", "2026-12-31", 500)
    browser.post("/campaigns/mine/costs/", {"day": "2026-12-02", "amount": "120", "note": ""})
    assert "120.00 of 500.00 spent" in browser.get("/campaigns/mine/costs/").text


@pytest.fixture
def anew(offer, marketing):
    """A demand campaign that looks for an owner again, of leads that somebody puts in."""
    made = Campaign.objects.create(
        slug="anew", name="Anew", kind="demand", storefront=offer.storefront, assigns_anew=True, fast_hours=4,
        entry={"field": "tags", "op": "has", "value": "webinar"},
    )  # fmt: skip
    made.versions.create(number=1).stages.create(kind="goal", name="On", position=0, holds_for=timedelta(days=9))
    publish(made, by=marketing)
    return made


def busy(offer, arrive, stranger, leads=3):
    """All these leads are the first seller's since yesterday, and another has none."""
    Seller.objects.filter(user=stranger).update(takes_leads=False)
    arrived = [arrive(offer, email=f"p{number}@firm.example") for number in range(leads)]
    Seller.objects.filter(user=stranger).update(takes_leads=True)
    Lead.objects.update(assigned_at=timezone.now() - timedelta(days=1))
    return arrived


def test_entering_a_fast_lane_may_find_a_freer_owner(offer, sales, stranger, anew, arrive):
    busy(offer, arrive, stranger)
    add_tag(Lead.objects.all(), "webinar", None)
    pipeline.run()
    assert {"sales", "stranger"} == set(Lead.objects.values_list("owner__username", flat=True))
    moved = Lead.objects.filter(owner=stranger).first()
    assert Assignment.objects.get(lead=moved, ended_at=None).owner == stranger
    assert Assignment.objects.filter(lead=moved, ended_at__isnull=False).count() == 1
    assert moved.respond_by - moved.enrollments.get(campaign=anew).entered_at == timedelta(hours=4)
    before = dict(Lead.objects.values_list("pk", "owner"))
    Lead.objects.update(stale_since=timezone.now())
    pipeline.run()
    assert dict(Lead.objects.values_list("pk", "owner")) == before


def test_who_answered_or_was_chosen_by_a_person_stays_the_owner(offer, sales, stranger, marketing, anew, arrive):
    answered, given, _other = busy(offer, arrive, stranger)
    Lead.objects.filter(pk=answered.pk).update(first_response_at=timezone.now())
    hand_over(Lead.objects.filter(pk=given.pk), stranger, marketing)
    hand_over(Lead.objects.filter(pk=given.pk), sales, marketing)
    add_tag(Lead.objects.filter(pk__in=[answered.pk, given.pk]), "webinar", None)
    pipeline.run()
    assert set(Lead.objects.values_list("owner__username", flat=True)) == {"sales"}


def test_a_campaign_that_does_not_ask_for_it_moves_nobody(offer, sales, stranger, anew, arrive):
    busy(offer, arrive, stranger)
    Campaign.objects.filter(pk=anew.pk).update(assigns_anew=False)
    add_tag(Lead.objects.all(), "webinar", None)
    pipeline.run()
    assert set(Lead.objects.values_list("owner__username", flat=True)) == {"sales"}


def test_an_owner_who_takes_none_any_more_is_relieved(offer, sales, stranger, anew, arrive):
    [lead] = busy(offer, arrive, stranger, leads=1)
    Seller.objects.filter(user=sales).update(takes_leads=False)
    add_tag(Lead.objects.all(), "webinar", None)
    pipeline.run()
    lead.refresh_from_db()
    assert lead.owner == stranger


def test_nobody_is_let_go_who_would_not_be_given_again(app, sales, stranger, arrive):
    lead = arrive(app, **{**WEAK, "actionCode": "PLT", "leadSource": "SPZA-PLT|x"})
    assert lead.owner in (sales, stranger)
    Seller.objects.filter(user=lead.owner).update(takes_leads=False)
    Lead.objects.update(asked_contact_at=None, cluster="nurture")
    assert let_go([lead.pk]) == []
    Lead.objects.update(cluster="act_now")
    assert let_go([lead.pk]) == [lead.pk]


def test_no_more_are_let_go_than_there_are_free_seats(offer, sales, stranger, anew, arrive):
    busy(offer, arrive, stranger, leads=4)
    Seller.objects.filter(user=sales).update(takes_leads=False)
    Seller.objects.filter(user=stranger).update(capacity=1)
    add_tag(Lead.objects.all(), "webinar", None)
    pipeline.run()
    assert sorted(Lead.objects.values_list("owner__username", flat=True)) == ["sales", "sales", "sales", "stranger"]


def test_the_fast_lane_shortens_the_clock_of_demand_and_of_nobody_who_was_answered(offer, campaign, marketing, arrive, signed_in, sales):
    made = Campaign.objects.create(slug="fast", name="Fast", kind="demand", storefront=offer.storefront)
    made.versions.create(number=1).stages.create(kind="goal", name="On", position=0, holds_for=timedelta(days=9))
    publish(made, by=marketing)
    browser = signed_in(marketing)
    assert "To be answered" not in browser.get("/campaigns/mine/conditions/").text
    given = {"name": "Fast", "reentry": "never", "reentry_days": 90, "fast_hours": "4"}
    assert browser.post("/campaigns/fast/conditions/", given).status_code == 302
    lead = Lead.objects.get(pk=arrive(offer, email="ada@firm.example").pk)
    assert lead.respond_by - lead.enrollments.get().entered_at == timedelta(hours=4)
    assert lead.activities.filter(kind="hurried").count() == 1
    pipeline.run()
    assert lead.activities.filter(kind="hurried").count() == 1
    answered = Lead.objects.get(pk=arrive(offer, email="bob@firm.example").pk)
    later = timezone.now() + timedelta(hours=20)
    Lead.objects.filter(pk=answered.pk).update(first_response_at=timezone.now(), respond_by=later)
    Lead.objects.filter(pk=lead.pk).update(respond_by=later)
    Campaign.objects.update(swept_at=None)
    sweep()
    pipeline.run()
    answered.refresh_from_db()
    lead.refresh_from_db()
    assert answered.respond_by == later
    assert lead.respond_by < later


def test_conditions_that_change_during_a_sweep_are_asked_again_and_one_that_dies_begins_again(app, campaign, put, running, monkeypatch):
    put("goal", "On", timedelta(days=9))
    running()
    everything = sweeping.out_of_line

    def changed(one):
        Campaign.objects.filter(pk=one.pk).update(swept_at=None)
        return everything(one)

    def dies(one):
        raise OperationalError("the server went away")

    with monkeypatch.context() as patched:
        patched.setattr(sweeping, "out_of_line", changed)
        sweep()
    assert Campaign.objects.unswept(timezone.now()).contains(campaign)
    with monkeypatch.context() as patched, pytest.raises(OperationalError):
        patched.setattr(sweeping, "out_of_line", dies)
        sweep()
    assert Campaign.objects.unswept(timezone.now()).contains(campaign)
    sweep()
    assert not Campaign.objects.unswept(timezone.now()).contains(campaign)
