"""Each kind of stage, and how a version leads people along: branches, waits for an hour or a condition, effects on the lead."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail as django_mail
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from accounts.models import User
from campaigns import build
from campaigns.advance import advance
from campaigns.clock import due_in_sql, main_zones, zones_in_sql
from campaigns.figures import figures_of
from campaigns.models import Campaign, Enrollment, Message, Notice, Passage, Stage, Transition
from campaigns.notices import send_notices
from campaigns.publish import pause, publish
from campaigns.sweep import sweep
from delivery.models import Destination
from delivery.payload import payload
from leads.bulk import set_status
from leads.models import Contact, Lead, Task
from leads.tags import add_tag
from leads.work import add_note
from listings.models import Publisher
from portal import pipeline
from routing.reasons import because
from scoring.explanation import explain
from tests.conftest import at_once

WEAK = {"email": "bob@gmail.com", "company": "", "title": "", "phone": "", "actionCode": "INS", "leadSource": ""}
IN_CZ = {"field": "country", "op": "is", "value": "CZ"}
TWICE = {"field": "interactions", "op": "at_least", "value": 2}
AT_NINE = {"minute": 540, "weekdays": [1, 2, 3, 4, 5]}


def where(lead):
    return lead.enrollments.get().stage.name


def test_a_branch_sends_each_the_first_way_that_holds_and_all_others_the_last(app, put, running, arrive, pass_time):
    asks = put("branch", "Where", arms=[{"name": "Czech", "when": IN_CZ}, {"name": "Twice", "when": TWICE}])
    for arm, name in enumerate(("Czech", "Twice", "Others")):
        put("goal", name, timedelta(days=9), parent=asks, arm=arm)
    running()
    leads = [arrive(app, **{**WEAK, "email": f"{country}@gmail.com", "country": country}) for country in ("CZ", "US")]
    again = [arrive(app, **{**WEAK, "email": "twice@gmail.com", "country": "DE", "description": f"Part {n}"}) for n in (1, 2)][-1]
    pass_time()
    assert [where(lead) for lead in (*leads, again)] == ["Czech", "Others", "Twice"]
    assert sum(Passage.objects.filter(from_stage=asks).values_list("count", flat=True)) == 3


def test_who_ends_in_an_empty_way_is_counted_there(app, put, running, arrive, pass_time, campaign):
    asks = put("branch", "Where", arms=[{"name": "Czech", "when": IN_CZ}])
    put("goal", "Czech", timedelta(days=9), parent=asks, arm=0)
    running()
    for country in ("CZ", "US", "DE"):
        arrive(app, **{**WEAK, "email": f"{country}@gmail.com", "country": country})
    pass_time()
    one = next(one for one in figures_of(campaign.current).standings if one.stage.name == "Where")
    assert [(way.arm.name, way.taken) for way in one.ways if not way.arm.is_otherwise] == [("Czech", 1)]
    assert ([way.taken for way in one.ways if way.arm.is_otherwise], one.ended) == ([2], 2)


def test_who_comes_to_the_end_of_an_arm_goes_on_after_the_branch(app, put, running, arrive, pass_time):
    asks = put("branch", "Where", arms=[{"name": "Czech", "when": IN_CZ}])
    put("task", "Call", parent=asks, arm=0)
    put("goal", "Together", timedelta(days=9))
    running()
    czech, other = (arrive(app, **{**WEAK, "email": f"{country}@gmail.com", "country": country}) for country in ("CZ", "US"))
    pass_time()
    assert where(czech) == where(other) == "Together"
    assert [task.lead for task in Task.objects.all()] == [czech]


def test_an_exit_in_an_arm_ends_it_there(app, put, running, arrive, pass_time):
    asks = put("branch", "Where", arms=[{"name": "Czech", "when": IN_CZ}])
    put("exit", "Enough", parent=asks, arm=0)
    put("goal", "On", timedelta(days=9))
    running()
    lead = arrive(app, **{**WEAK, "country": "CZ"})
    pass_time()
    assert (where(lead), lead.enrollments.get().status) == ("Enough", "ended")


def test_a_wait_for_a_condition_ends_when_it_comes_to_hold_and_at_the_limit(app, put, running, arrive, pass_time):
    put("wait", "Come back", timedelta(days=30), until=TWICE)
    put("goal", "On", timedelta(days=9))
    running()
    waits = arrive(app, **WEAK)
    assert where(waits) == "Come back"
    assert waits.enrollments.get().due_at > timezone.now() + timedelta(days=29)
    arrive(app, **{**WEAK, "description": "I am back"})
    advance()
    assert where(waits) == "On"
    other = arrive(app, **{**WEAK, "email": "eve@gmail.com"})
    advance()
    assert where(other) == "Come back"
    pass_time()
    assert where(other) == "On"


def test_a_condition_that_holds_on_arrival_is_not_waited_for(app, put, running, arrive, pass_time):
    put("wait", "A while", timedelta(days=1))
    put("wait", "Come back", timedelta(days=30), until=IN_CZ)
    put("goal", "On", timedelta(days=9))
    running()
    lead = arrive(app, **{**WEAK, "country": "CZ"})
    pass_time()
    assert where(lead) == "On"


def due_at(moment, options, country, lead):
    """When somebody of this country is due who arrives at a moment."""
    Contact.objects.filter(pk=lead.contact_id).update(country=country)
    sql = due_in_sql("s.options", "s.lead", "s.moment", at_an_hour=True)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {sql} FROM (SELECT %s::jsonb AS options, %s::uuid AS lead, %s::timestamptz AS moment) s",
            [options, str(lead.pk), moment],
        )
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("country", "arrives", "expected"),
    [
        ("CZ", "2026-11-26 05:00+00", "2026-11-26 09:00 Europe/Prague"),  # a Thursday, before nine there
        ("CZ", "2026-11-27 08:01+00", "2026-11-30 09:00 Europe/Prague"),  # Friday, a minute too late: Monday
        ("US", "2026-11-26 09:00+00", "2026-11-26 09:00 America/New_York"),
        ("", "2026-11-26 09:00+00", "2026-11-27 09:00 Asia/Tokyo"),  # without a country the publisher's
        ("US", "2026-03-07 20:00+00", "2026-03-09 09:00 America/New_York"),  # over the night that loses an hour
        ("CZ", "2026-10-24 20:00+00", "2026-10-26 09:00 Europe/Prague"),  # over the night that has one more
        ("AU", "2028-02-28 23:00+00", "2028-02-29 11:00 Australia/Sydney"),  # past nine on the 29th there: the next day
    ],
)
def test_an_hour_is_that_of_the_country_on_every_kind_of_day(app, arrive, country, arrives, expected):
    Publisher.objects.update(time_zone="Asia/Tokyo")
    day, hour, zone = expected.split()
    there = datetime.fromisoformat(f"{day} {hour}").replace(tzinfo=ZoneInfo(zone))
    if country == "AU":
        there = datetime(2028, 3, 1, 9, tzinfo=ZoneInfo(zone))
    assert due_at(arrives, '{"minute": 540, "weekdays": [1, 2, 3, 4, 5]}', country, arrive(app, **WEAK)) == there


def test_the_database_knows_the_main_zone_of_every_country(db):
    assert all(f"'{zone}'" in zones_in_sql() for zone in main_zones().values())
    assert len(main_zones()) > 240


def test_a_wait_for_an_hour_is_due_then_however_one_comes_to_it(app, put, running, arrive, pass_time):
    put("wait", "Morning", **AT_NINE)
    put("wait", "Again", timedelta(days=1), **AT_NINE)
    put("goal", "On", timedelta(days=9))
    running()
    lead = arrive(app, **{**WEAK, "country": "CZ"})
    for _ in range(2):
        due = lead.enrollments.get().due_at.astimezone(ZoneInfo("Europe/Prague"))
        assert (due.hour, due.minute, due.isoweekday() < 6) == (9, 0, True)
        pass_time()


def test_handing_over_gives_the_lead_an_owner_and_says_so(app, sales, put, running, arrive, pass_time):
    put("hand_over", "To sales")
    put("goal", "On", timedelta(days=9))
    running()
    lead = arrive(app, **WEAK)
    assert lead.owner is None
    pass_time()
    pipeline.run()
    lead.refresh_from_db()
    assert (lead.status, lead.owner) == ("qualified", sales)
    assert lead.activities.get(kind="handed_to_sales").data == {"campaign": "Mine", "stage": "To sales"}
    assert lead.enrollments.get().status == "held"


def test_setting_a_status_is_written_down_and_a_closed_lead_leaves(app, put, running, arrive, pass_time):
    put("set", "Give up", status="disqualified")
    put("goal", "On", timedelta(days=9))
    running()
    lead = arrive(app, **WEAK)
    pass_time()
    pipeline.run()
    lead.refresh_from_db()
    assert lead.status == "disqualified"
    assert lead.activities.filter(kind="status").latest("at").data["campaign"] == "Mine"
    assert lead.enrollments.get().status == "exited"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_advance_does_not_wait_for_a_lead_that_somebody_holds(app, put, running, arrive):
    put("set", "Give up", status="lost")
    put("goal", "On", timedelta(days=9))
    running()
    lead = arrive(app, **WEAK)
    Enrollment.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    with transaction.atomic():
        Lead.objects.select_for_update().get(pk=lead.pk)
        at_once(1, advance)
        assert where(lead) == "Give up"
    advance()
    assert where(lead) == "On"


def test_a_stage_leaves_a_lead_alone_that_a_person_closed_a_moment_before(app, put, running, arrive, marketing, pass_time):
    put("set", "Warm", status="nurturing")
    running()
    lead = arrive(app, **WEAK)
    set_status(Lead.objects.filter(pk=lead.pk), "won", by=marketing)
    Enrollment.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    assert advance() >= 1
    lead.refresh_from_db()
    assert (lead.status, lead.closed_at is None) == ("won", False)


def test_who_entered_on_a_version_stays_on_it(app, put, running, arrive, campaign, marketing, pass_time):
    put("wait", "Long", timedelta(days=5))
    put("goal", "Old end", timedelta(days=9))
    running()
    early = arrive(app, **WEAK)
    draft = build.draft_of(campaign)
    build.remove(draft.stages.get(name="Old end"))
    build.add(draft, "goal", "New end", (None, 0, 9))
    draft.stages.filter(name="New end").update(holds_for=timedelta(days=9))
    late_before = arrive(app, **{**WEAK, "email": "x@gmail.com"})
    publish(campaign, by=marketing)
    late = arrive(app, **{**WEAK, "email": "y@gmail.com"})
    pass_time()
    assert [where(lead) for lead in (early, late_before, late)] == ["Old end", "Old end", "New end"]


def test_a_mail_goes_once_whatever_the_version(app, put, running, arrive, campaign, pass_time):
    put("email", "Welcome")
    put("goal", "On", timedelta(days=9))
    running()
    lead = arrive(app, **WEAK)
    pass_time()
    draft = build.draft_of(campaign)
    twin = draft.stages.get(name="Welcome")
    assert twin.key == Stage.objects.get(version=campaign.current, name="Welcome").key
    Enrollment.objects.update(stage=twin)
    draft.published_at = timezone.now()
    draft.save()
    pass_time()
    assert Message.objects.filter(enrollment__lead=lead).count() == 1


def test_a_circle_with_a_wait_goes_round_and_mails_once(app, put, running, arrive, pass_time):
    first = put("email", "Welcome")
    wait = put("wait", "A week", timedelta(days=7))
    wait.then = first
    wait.save()
    running()
    arrive(app, **WEAK)
    for _ in range(3):
        pass_time()
    assert Message.objects.count() == 1
    assert Transition.objects.count() > 4


@pytest.mark.parametrize(("left", "after"), [(timedelta(days=2), timedelta(days=2)), (-timedelta(hours=3), timedelta())])
def test_a_paused_campaign_moves_nobody_and_goes_on_with_the_time_that_was_left(app, put, running, arrive, campaign, marketing, left, after):
    put("wait", "Long", timedelta(days=5))
    put("goal", "On", timedelta(days=9))
    running()
    lead = arrive(app, **WEAK)
    since = timezone.now() - timedelta(days=3)
    Enrollment.objects.update(due_at=timezone.now() + left, stage_since=since)
    pause(campaign)
    assert advance() == 0
    assert lead.enrollments.get().due_at is None
    publish(campaign, by=marketing)
    enrollment = lead.enrollments.get()
    assert abs(enrollment.due_at - timezone.now() - after) < timedelta(minutes=2)
    assert (enrollment.stage_since, enrollment.remaining) == (since, None)


def test_a_pause_does_not_put_off_the_hour_of_a_day(app, put, running, arrive, campaign, marketing):
    put("wait", "Morning", minute=9 * 60, weekdays=[1, 2, 3, 4, 5, 6, 7])
    put("goal", "On", timedelta(days=9))
    running()
    lead = arrive(app, **WEAK)
    due = lead.enrollments.get().due_at
    pause(campaign)
    publish(campaign, by=marketing)
    assert lead.enrollments.get().due_at == due


def test_who_enters_while_it_is_paused_has_their_whole_time(app, put, running, arrive, campaign, marketing):
    put("wait", "Long", timedelta(days=5))
    put("goal", "On", timedelta(days=9))
    running()
    pause(campaign)
    lead = arrive(app, **WEAK)
    publish(campaign, by=marketing)
    assert lead.enrollments.get().due_at > timezone.now() + timedelta(days=4, hours=23)


def test_nobody_enters_a_draft_and_publishing_takes_in_those_who_fit(app, put, running, arrive):
    put("goal", "On", timedelta(days=9))
    lead = arrive(app, **WEAK)
    assert not lead.enrollments.exists()
    running()
    assert sweep() == 2  # it enters, and is nurturing from then on
    pipeline.run()
    lead.refresh_from_db()
    assert (lead.enrollments.get().status, lead.status) == ("active", "nurturing")
    assert sweep() == 0


def test_the_sweep_finds_what_no_event_brings(app, put, running, arrive, campaign):
    """Days pass without an act: entry, exit and a wait's condition come to hold by themselves."""
    put("wait", "Silence", timedelta(days=300), until={"field": "days_since_act", "op": "at_least", "value": 14})
    put("goal", "On", timedelta(days=9))
    Campaign.objects.filter(pk=campaign.pk).update(exit={"field": "days_since_act", "op": "at_least", "value": 60})
    running()
    lead = arrive(app, **WEAK)
    sweep()
    for days, expected in ((15, "On"), (61, "On")):
        Lead.objects.update(last_interaction_at=timezone.now() - timedelta(days=days))
        Campaign.objects.update(swept_at=None)
        assert sweep() == 1
        pipeline.run()
        advance()
        assert where(lead) == expected
    assert (lead.enrollments.get().status, lead.enrollments.get().reason) == ("exited", "exit")


def test_leads_that_fit_no_condition_do_not_enter(app, put, running, arrive, campaign):
    put("goal", "On", timedelta(days=9))
    Campaign.objects.filter(pk=campaign.pk).update(entry=IN_CZ)
    running()
    assert arrive(app, **{**WEAK, "country": "CZ"}).enrollments.exists()
    assert not arrive(app, **{**WEAK, "email": "us@gmail.com", "country": "US"}).enrollments.exists()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_parallel_workers_take_each_branch_once(app, put, running, post):
    asks = put("branch", "Where", arms=[{"name": "Czech", "when": IN_CZ}])
    put("email", "Czech", parent=asks, arm=0)
    put("email", "Others", parent=asks, arm=1)
    put("goal", "On", timedelta(days=9))
    running()
    for number in range(30):
        post(app, **{**WEAK, "email": f"p{number}@gmail.com", "country": "CZ" if number % 3 else "US"})
    pipeline.run()
    Enrollment.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    at_once(5, advance)
    while advance():
        pass
    assert dict(Message.objects.values_list("stage__name").annotate(n=Count("pk"))) == {"Czech": 20, "Others": 10}
    assert sum(Passage.objects.filter(from_stage=asks).values_list("count", flat=True)) == 30


def test_an_activity_of_ours_is_no_act(app, put, running, arrive, marketing):
    put("wait", "Come back", timedelta(days=30), until=TWICE)
    put("goal", "On", timedelta(days=9))
    running()
    lead = arrive(app, **WEAK)
    add_note(lead, marketing, "spoke to a colleague")
    pipeline.run()
    advance()
    assert where(lead) == "Come back"


def standings():
    """Who stands where, and what the leads are."""
    enrolled = Enrollment.objects.values_list("lead__contact__email", "campaign__slug", "stage__name", "status", "reason")
    return sorted(enrolled), sorted(Lead.objects.values_list("contact__email", "status"))


def test_the_sweep_and_the_leads_path_come_to_the_same(app, put, running, arrive, campaign, sales):
    """Leads that were there before the campaign: all made stale and followed, or only swept."""
    put("wait", "Back", timedelta(days=9), until=TWICE)
    put("goal", "On", timedelta(days=9))
    Campaign.objects.filter(pk=campaign.pk).update(
        entry={"not": {"field": "country", "op": "is", "value": "US"}}, goal={"field": "country", "op": "is", "value": "NL"}
    )
    leads = {
        name: arrive(app, **{**WEAK, "email": f"{name}@gmail.com", "country": name[:2].upper()})
        for name in ("cz", "us", "nl", "de-owned", "de-closed", "de-twice")
    }
    arrive(app, **{**WEAK, "email": "de-twice@gmail.com", "country": "DE", "description": "Again"})
    Lead.objects.filter(pk=leads["de-owned"].pk).update(owner=sales)
    Lead.objects.filter(pk=leads["de-closed"].pk).update(status="lost")
    running()
    found = []
    for way in (lambda: Lead.objects.update(stale_since=timezone.now()), sweep):
        point = transaction.savepoint()
        way()
        pipeline.run()
        advance()
        found.append(standings())
        transaction.savepoint_rollback(point)
    assert found[0] == found[1]
    assert {row[0]: row[2:] for row in found[0][0]} == {
        "cz@gmail.com": ("Back", "active", ""), "nl@gmail.com": ("Back", "reached", ""), "de-owned@gmail.com": ("Back", "held", "seller"),
        "de-twice@gmail.com": ("On", "active", ""),
    }  # fmt: skip


def test_a_campaign_whose_conditions_cannot_be_asked_holds_up_no_other(app, put, running, arrive, campaign):
    put("goal", "On", timedelta(days=9))
    lead = arrive(app, **WEAK)
    running()
    broken = Campaign.objects.create(
        slug="broken", name="Broken", kind="nurture", storefront=app.storefront, state="published", goal={"field": "gone", "op": "is", "value": 1}
    )
    Campaign.objects.filter(pk=broken.pk).update(current=broken.versions.create(number=1, published_at=timezone.now()))
    Campaign.objects.filter(pk=campaign.pk).update(slug="z-last")
    sweep()
    assert lead.enrollments.filter(campaign=campaign).exists()
    assert not Campaign.objects.unswept(timezone.now()).exists()


def test_landing_where_the_condition_holds_already_is_seen_by_the_next_sweep(app, put, running, arrive, campaign, marketing):
    from campaigns import inflight

    put("wait", "Old", timedelta(days=30))
    running()
    lead = arrive(app, **{**WEAK, "country": "CZ"})
    sweep()
    draft = build.draft_of(campaign)
    old = draft.stages.get(name="Old")
    waits = build.add(draft, "wait", "Until", (None, 0, 1), {"until": IN_CZ})
    Stage.objects.filter(pk=waits.pk).update(holds_for=timedelta(days=20))
    build.add(draft, "task", "After", (None, 0, 2))
    publish(campaign, by=marketing)
    Stage.objects.filter(pk=old.pk).update(options={"until": IN_CZ})
    assert inflight.move_in_flight(campaign) == 1
    sweep()
    pipeline.run()
    assert lead.enrollments.get().due_at <= timezone.now()


def test_a_tag_is_put_on_taken_off_and_asked_for(app, put, running, arrive, pass_time):
    put("set", "Warm", tag="warm")
    asks = put("branch", "Which", arms=[{"name": "Warm", "when": {"field": "tags", "op": "has", "value": "warm"}}])
    put("set", "Cool", parent=asks, arm=0, tag="warm", off=True)
    put("set", "Seen", parent=asks, arm=0, tag="seen")
    put("goal", "On", timedelta(days=9))
    running()
    lead = arrive(app, **WEAK)
    pass_time()
    lead.refresh_from_db()
    assert (lead.tags, where(lead)) == (["seen"], "On")
    told = lead.activities.filter(kind__in=("tagged", "untagged")).order_by("at", "id").values_list("kind", "data__tag", "data__campaign")
    assert list(told) == [("tagged", "warm", "Mine"), ("untagged", "warm", "Mine"), ("tagged", "seen", "Mine")]


def test_a_bonus_is_a_line_of_the_score_and_a_later_one_takes_its_place(app, put, running, arrive, pass_time):
    put("set", "More", bonus=7)
    put("wait", "A while", timedelta(days=1))
    put("set", "Less", bonus=-3)
    put("goal", "On", timedelta(days=9))
    running()
    lead = arrive(app, **WEAK)
    before = Lead.objects.get(pk=lead.pk)

    def scored():
        pipeline.run()
        now = Lead.objects.get(pk=lead.pk)
        lines = explain(now)
        assert now.score == sum(line.points for line in lines) == sum(now.score_points)
        return now.score - before.score, [(line.points, line.reason) for line in lines if line.rule == "Campaign"]

    advance()
    assert scored() == (7, [(7, "Mine")])
    pass_time()
    assert scored()[1] == [(-3, "Mine")]
    assert list(lead.activities.filter(kind="bonus").order_by("at").values_list("data__points", flat=True)) == [7, -3]


def test_an_owner_is_set_with_clock_and_reason_and_nurture_is_held(app, put, running, arrive, pass_time, sales):
    put("set", "To Sam", owner=sales.username)
    put("email", "Too late")
    running()
    lead = arrive(app, **WEAK)
    advance()
    assert lead.enrollments.get().status == "held"
    pipeline.run()
    lead.refresh_from_db()
    assert lead.owner == sales and lead.respond_by > timezone.now()
    assert because(lead.owner_reason) == "given by Mine"
    assert lead.enrollments.get().status == "held"
    assert not Message.objects.filter(state="sent").exists()


def test_a_stage_may_go_on_elsewhere(app, put, running, arrive, pass_time):
    asks = put("branch", "Where", arms=[{"name": "Czech", "when": IN_CZ}])
    jumps = put("wait", "Wait", timedelta(days=1), parent=asks, arm=0)
    put("task", "Call")
    last = put("goal", "Landed", timedelta(days=9))
    Stage.objects.filter(pk=jumps.pk).update(then=last)
    running()
    _czech, other = (arrive(app, **{**WEAK, "email": f"{country}@gmail.com", "country": country}) for country in ("CZ", "US"))
    pass_time()
    pass_time()
    assert [task.lead for task in Task.objects.all()] == [other]
    assert Passage.objects.filter(from_stage=jumps, to_stage=last).get().count == 1


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"tag": ""}, "which tag"),
        ({"bonus": 51}, "50 points at the most"),
        ({"owner": "nobody"}, "who becomes the owner"),
        ({"status": "won"}, "which status"),
    ],
)
def test_what_is_set_must_be_something(campaign, put, marketing, options, fault):
    put("set", "Odd", **options)
    with pytest.raises(ValidationError, match=fault):
        publish(campaign, by=marketing)


def test_a_webhook_tells_a_system_that_its_listings_do_not_and_keeps_it_up_to_date(app, put, running, arrive, pass_time):
    crm, other = (Destination.objects.create(name=name, kind="https", config={"url": f"https://{name}.example"}) for name in ("crm", "other"))
    crm.listings.add(app)
    put("webhook", "Tell", destination=str(other.uid))
    put("goal", "On", timedelta(days=9))
    running()
    lead = arrive(app, **WEAK)
    assert [one.destination for one in lead.deliveries.all()] == [crm]
    pass_time()
    pipeline.run()
    assert {one.destination: one.revision for one in lead.deliveries.all()} == {crm: 2, other: 2}
    set_status(Lead.objects.filter(pk=lead.pk), "qualified", by=None)
    pipeline.run()
    assert {one.revision for one in lead.deliveries.all()} == {3}
    Destination.objects.filter(pk=other.pk).update(state="off")
    set_status(Lead.objects.filter(pk=lead.pk), "accepted", by=None)
    pipeline.run()
    assert {one.destination: one.revision for one in lead.deliveries.all()} == {crm: 4, other: 4}  # owed, and sent once it is on again


def test_a_tag_is_a_change_that_systems_hear_of(app, arrive, marketing):
    lead = arrive(app, **WEAK)
    assert payload(Lead.objects.get(pk=lead.pk), 1)["lead"]["tags"] == []
    add_tag(Lead.objects.filter(pk=lead.pk), "warm", by=marketing)
    pipeline.run()
    lead.refresh_from_db()
    assert lead.revision == 2
    assert payload(lead, 2)["lead"]["tags"] == ["warm"]


def test_a_webhook_must_name_a_system_there_is(campaign, put, marketing):
    put("webhook", "Tell", destination="018f0000-0000-7000-8000-000000000001")
    with pytest.raises(ValidationError, match="which system to tell"):
        publish(campaign, by=marketing)


def told():
    return [(mail.to, mail.subject) for mail in django_mail.outbox]


def test_a_colleague_is_notified_once_if_they_may_see_the_lead(app, put, running, arrive, pass_time, marketing, sales):
    User.objects.filter(pk=marketing.pk).update(email="mira@larkfield.example", language="cs")
    User.objects.filter(pk=sales.pk).update(email="sam@larkfield.example")
    put("notify", "Look here", to=sales.username)
    put("notify", "Nobody owns it")
    put("goal", "On", timedelta(days=9))
    running()
    lead = arrive(app, **WEAK)
    pass_time()
    assert send_notices() == 2
    # The seller does not see the lead; without an owner the publisher of the campaign hears of it.
    assert told() == [(["mira@larkfield.example"], f"{lead.contact.name}: Nobody owns it")]
    assert "Mine" in django_mail.outbox[0].body
    assert lead.get_absolute_url() in django_mail.outbox[0].body
    assert send_notices() == 0


def test_a_notice_waits_for_a_mail_server_that_is_away_and_is_not_repeated_when_in_doubt(
    app, put, running, arrive, pass_time, marketing, monkeypatch, settings
):
    User.objects.filter(pk=marketing.pk).update(email="mira@larkfield.example")
    put("notify", "Look", to=marketing.username)
    put("goal", "On", timedelta(days=9))
    running()
    arrive(app, **WEAK)
    pass_time()
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1", 9
    assert send_notices() == 1
    waits = Notice.objects.get()
    assert waits.claimed_at is None and waits.due_at > timezone.now() + timedelta(minutes=9)


def test_whom_a_stage_notifies_must_be_here(campaign, put, marketing):
    put("notify", "Look", to="nobody")
    with pytest.raises(ValidationError, match="not here any more"):
        publish(campaign, by=marketing)
