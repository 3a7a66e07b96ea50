"""Where two rules of the engine meet: conditions that nothing fits, mail before the lead is given away, those who should not stay, loops, full domains."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from campaigns import build, by_hand, events, sweep
from campaigns import send as sending
from campaigns.advance import advance
from campaigns.coming import coming
from campaigns.dryrun import dry_run
from campaigns.models import Campaign, Choice, Click, Enrollment, MailRules, Message
from campaigns.publish import end, pause, publish
from campaigns.rules import put_off_until
from campaigns.send import send
from campaigns.splits import outcomes, set_winner
from leads.models import Contact, Lead
from portal import pipeline
from tests.campaigns.test_engine import WEAK

DAY = timedelta(days=1)
NOBODY = [{"field": "score", "op": "at_least", "value": 40_000}, {"any": []}, {"field": "status", "op": "in", "value": []}, {"not": {"all": []}}]
BOB = {"field": "email", "op": "is", "value": "bob@gmail.com"}


@pytest.fixture
def stands(put, running):
    """A campaign in which one waits a day."""
    put("wait", "Long", 10 * DAY)
    put("exit")
    running()


def be_due():
    Enrollment.objects.filter(status="active").update(due_at=timezone.now() - DAY)


@pytest.mark.parametrize("tree", NOBODY)
@pytest.mark.parametrize("which", ["entry", "exit", "goal"])
def test_a_condition_that_nobody_fits_stops_nothing(stands, campaign, app, arrive, which, tree):
    Campaign.objects.filter(pk=campaign.pk).update(**{which: tree})
    lead = arrive(app, **WEAK)
    assert (lead.follow_error, lead.stale_since) == ("", None)
    assert lead.score is not None


@pytest.mark.parametrize("tree", NOBODY)
def test_waiting_for_what_never_is_stops_nobody_else(campaign, put, running, app, arrive, pass_time, tree):
    put("task")
    put("wait", "Until never", DAY, until=tree)
    put("exit")
    running()
    lead = arrive(app, **WEAK)
    pass_time()
    assert lead.tasks.count() == 1


def test_a_lead_that_fails_without_a_word_says_what_failed(stands, app, arrive, monkeypatch):
    class Silent(Exception):
        pass

    def fail(leads):
        raise Silent

    lead = arrive(app, **WEAK)
    Lead.objects.update(stale_since=timezone.now())
    monkeypatch.setattr(pipeline, "score", fail)
    pipeline.follow()
    lead.refresh_from_db()
    assert lead.follow_error == "Silent()"


def test_nobody_is_put_into_a_campaign_that_takes_nobody(stands, campaign, app, arrive, marketing, api):
    lead = arrive(app, **WEAK)
    end(campaign)
    assert by_hand.enroll_by_hand(campaign, Lead.objects.filter(pk=lead.pk), marketing) == 0
    today = timezone.now().date()
    Campaign.objects.filter(pk=campaign.pk).update(state="published", starts=today - 9 * DAY, ends=today - 2 * DAY)
    wanted = json.dumps({"campaign": "mine", "lead": str(lead.pk)})
    answer = api(marketing).post("/api/v1/enrollments/", wanted, content_type="application/json")
    assert (answer.status_code, "Nobody enters" in answer.text) == (400, True)


def test_a_sweep_stops_when_its_campaign_is_ended_between_batches(campaign, put, running, app, arrive, monkeypatch):
    put("wait", "Long", DAY)
    put("exit")
    for number in range(3):
        arrive(app, **{**WEAK, "email": f"p{number}@gmail.com"})
    running()
    enter, calls = sweep.enter, []

    def once(*given, **named):
        calls.append(1)
        found = enter(*given, **named)
        if len(calls) == 1:
            Campaign.objects.filter(pk=campaign.pk).update(state="ended")
        return found

    monkeypatch.setattr(sweep, "BATCH", 1)
    monkeypatch.setattr(sweep, "enter", once)
    sweep.let_in(campaign)
    assert Enrollment.objects.filter(campaign=campaign).count() == 1


@pytest.mark.parametrize(("which", "status"), [("exit", "exited"), ("goal", "reached")])
def test_who_would_not_stay_gets_no_mail_from_the_sweep(campaign, put, running, app, arrive, which, status):
    put("email", "At once")
    put("exit")
    lead = arrive(app, **WEAK)
    other = arrive(app, **{**WEAK, "email": "eve@gmail.com"})
    Campaign.objects.filter(pk=campaign.pk).update(**{which: BOB})
    campaign.refresh_from_db()
    running()
    sweep.sweep()
    be_due()
    advance()
    send()
    assert [one.enrollment.lead for one in Message.objects.all()] == [other]
    pipeline.run()
    assert lead.enrollments.get(campaign=campaign).status == status


def test_who_leaves_by_the_exit_condition_is_told_why(stands, campaign, app, arrive, signed_in, marketing):
    lead = arrive(app, **WEAK)
    Campaign.objects.filter(pk=campaign.pk).update(exit=BOB)
    Lead.objects.update(stale_since=timezone.now())
    pipeline.run()
    assert lead.enrollments.get().reason == "exit"
    assert "Left Mine: it is no longer meant for this lead" in signed_in(marketing).get(lead.get_absolute_url()).text
    assert lead.activities.filter(kind="no_longer_meant").count() == 1


def test_a_sender_removed_at_this_moment_costs_no_mail(campaign, put, running, app, arrive, pass_time, monkeypatch):
    put("email", "Hello")
    put("exit")
    running()
    arrive(app, **WEAK)
    pass_time()
    monkeypatch.setattr(Campaign, "writes_from", None)
    assert send() == 1
    assert Message.objects.get().state == "planned"


def test_a_mail_that_can_not_be_written_down_has_failed(campaign, put, running, app, arrive, pass_time, monkeypatch):
    put("email", "Hello")
    put("exit")
    running()
    arrive(app, **WEAK)
    pass_time()
    monkeypatch.setattr(sending, "signature", lambda message, sender: ("Name", sender.address, ["a@b.example\nBcc: c@d.example"]))
    send()
    assert Message.objects.get().state == "failed"


@pytest.mark.parametrize(("kind", "options"), [("hand_over", {}), ("set", {"status": "disqualified"})])
def test_a_mail_goes_out_before_the_lead_is_given_away(campaign, put, running, app, arrive, sales, kind, options):
    put("email", "Goodbye")
    put(kind, "Away", **options)
    put("exit")
    running()
    lead = arrive(app, **WEAK)
    be_due()
    advance()
    assert lead.enrollments.get(campaign=campaign).due_at > timezone.now()
    assert send() == 1
    be_due()
    advance()
    pipeline.run()
    assert Message.objects.get().state == "sent"
    lead.refresh_from_db()
    assert lead.status == ("qualified" if kind == "hand_over" else "disqualified")


def test_a_mail_that_never_goes_out_keeps_nobody_for_ever(campaign, put, running, app, arrive, sales):
    put("email", "Goodbye")
    put("hand_over", "Away")
    put("exit")
    running()
    lead = arrive(app, **WEAK)
    be_due()
    advance()
    Enrollment.objects.update(stage_since=timezone.now() - 5 * DAY)
    be_due()
    advance()
    pipeline.run()
    lead.refresh_from_db()
    assert lead.status == "qualified"


def test_a_test_with_a_way_less_is_another_test(campaign, put, running, app, marketing, arrive, pass_time):
    split = put("split", arms=[{"name": name, "share": 1} for name in "ABC"])
    put("exit")
    running()
    arrive(app, **WEAK)
    pass_time()
    Choice.objects.update(arm=0)
    set_winner(split, 1, marketing)
    shorter = build.draft_of(campaign).stages.get(key=split.key)
    build.remove_arm(shorter, 0)
    shorter.refresh_from_db()
    assert shorter.key != split.key
    assert {one.name: one.rate.whole for one in outcomes(shorter)} == {"B": 0, "C": 0}


def test_a_test_written_with_a_way_less_is_another_test(campaign, put, running, api, marketing):
    split = put("split", arms=[{"name": name, "share": 1} for name in "ABC"])
    put("exit")
    running()
    client, url = api(marketing), "/api/v1/campaigns/mine/stages/"
    stages = client.get("/api/v1/campaigns/mine/").json()["stages"]
    for ways, same in ((3, True), (2, False)):
        stages[0]["arms"] = stages[0]["arms"][:ways]
        answer = client.put(url, json.dumps(stages), content_type="application/json")
        assert answer.status_code == 200, answer.text
        assert campaign.versions.order_by("-number")[0].stages.filter(kind="split", key=split.key).exists() is same


def test_the_calendar_counts_a_mail_in_a_circle_once(campaign, put, running, app, arrive):
    mail = put("email", "Hello", DAY)
    wait = put("wait", "Two days", 2 * DAY)
    wait.then = mail
    wait.save()
    running()
    arrive(app, **WEAK)
    assert sum(one.certain + one.possible for day in coming() for one in day.sendings) == 1


def test_clicks_on_a_mail_that_bounced_later_break_no_page(campaign, put, running, app, arrive, signed_in, marketing, pass_time):
    put("email", "Hello")
    put("exit")
    running()
    for number in range(2):
        arrive(app, **{**WEAK, "email": f"p{number}@gmail.com"})
    pass_time()
    send()
    for message in Message.objects.all():
        Click.objects.create(message=message, url="https://x.example/")
    Message.objects.filter(pk=Message.objects.first().pk).update(state="bounced")
    assert signed_in(marketing).get(reverse("campaigns:results", args=["mine"])).status_code == 200


def test_figures_kept_for_a_while_know_of_a_stage_that_is_gone(campaign, put, app, arrive, signed_in, marketing, monkeypatch):
    Campaign.objects.filter(pk=campaign.pk).update(gathers=True)
    stage = put("wait", "Gone", DAY)
    put("exit")
    arrive(app, **WEAK)
    kept = {}
    monkeypatch.setattr("campaigns.figures.remembered", lambda key, counted: kept.setdefault(key, counted()))
    browser, page = signed_in(marketing), reverse("campaigns:detail", args=["mine"])
    assert browser.get(page).status_code == 200
    assert browser.post(reverse("campaigns:remove", args=["mine", stage.pk])).status_code == 302
    assert browser.get(page).status_code == 200
    assert kept


@pytest.mark.parametrize("options", [{"tag": "x", "status": "won"}, {"bonus": 1, "owner": "sales"}])
def test_a_stage_sets_one_thing(campaign, api, marketing, options):
    stages = json.dumps([{"kind": "set", "name": "Two", "options": options}, {"kind": "exit", "name": "End"}])
    answer = api(marketing).put("/api/v1/campaigns/mine/stages/", stages, content_type="application/json")
    assert (answer.status_code, "one thing" in answer.text) == (400, True)


def test_a_bounce_that_is_told_before_we_are_done_stays(campaign, put, running, app, arrive, pass_time, monkeypatch):
    put("email", "Hello")
    put("exit")
    running()
    arrive(app, **WEAK)
    pass_time()
    close = sending.close

    def late(message, state, reason):
        events.keep(message, "bounced", "no such user")
        close(message, state, reason)

    monkeypatch.setattr(sending, "close", late)
    send()
    message = Message.objects.get()
    assert (message.state, message.subject) == ("bounced", "About Hello")
    assert message.sent_at


def test_days_of_the_week_count_without_hours_too(db):
    rules, person = MailRules(weekdays=[1, 2, 3, 4, 5]), Contact(email="a@b.example", country="CZ")
    saturday = datetime(2025, 6, 7, 12, tzinfo=UTC)
    until = put_off_until(person, rules, saturday)
    assert until == (datetime(2025, 6, 8, 22, tzinfo=UTC), "quiet")
    assert put_off_until(person, rules, until[0]) is None
    assert put_off_until(person, MailRules(), saturday) is None


def test_who_is_released_while_it_stands_still_has_the_time_that_was_left(stands, campaign, app, arrive, marketing, sales):
    arrive(app, **WEAK)
    now = timezone.now()
    Enrollment.objects.update(stage_since=now - 9 * DAY, due_at=now + DAY)
    Lead.objects.update(owner=sales, stale_since=now)
    pipeline.run()
    pause(campaign)
    Lead.objects.update(owner=None, stale_since=timezone.now())
    pipeline.run()
    publish(campaign, by=marketing)
    enrollment = Enrollment.objects.get()
    assert enrollment.status == "active"
    assert DAY / 2 < enrollment.due_at - timezone.now() < 2 * DAY


def test_a_mail_in_a_circle_is_counted_once_as_it_goes_out_once(campaign, put, running, app, arrive):
    mail = put("email", "Hello")
    wait = put("wait", "Week", 7 * DAY)
    wait.then = mail
    wait.save()
    running()
    lead = arrive(app, **WEAK)
    ran = dry_run(campaign.version, Lead.objects.filter(pk=lead.pk))
    assert ran.mails == 1
    said = [one.why for one in ran.paths[0].passings if one.stage.kind == "email"]
    assert said[0].startswith("sent")
    assert set(said[1:]) == {"not again: each mail goes out once"}


def test_an_address_that_is_no_address_is_not_found(stands, signed_in, marketing, api):
    asked = {"lead": "//a\u2100b/leads"}
    assert "No such lead" in signed_in(marketing).get("/campaigns/mine/dry-run/", asked).text
    assert api(marketing).get("/api/v1/campaigns/mine/dry-run/", asked).status_code == 404


def test_an_ended_campaign_leaves_no_mail_planned(campaign, put, running, app, arrive):
    put("email", "Hello")
    put("wait", "Long", DAY)
    put("exit")
    running()
    arrive(app, **WEAK)
    be_due()
    advance()
    end(campaign)
    assert (Message.objects.get().state, Message.objects.get().reason) == ("withheld", "exited")


def test_what_a_goal_changes_is_what_an_entry_may_ask_for(stands, campaign, app, arrive, marketing):
    Campaign.objects.filter(pk=campaign.pk).update(goal=BOB)
    entry = {"field": "status", "op": "is", "value": "qualified"}
    after = Campaign.objects.create(slug="after", name="After", kind="demand", storefront=app.storefront, entry=entry)
    version = after.versions.create(number=1)
    build.add(version, "task", "Call", (None, 0, 0))
    publish(after, by=marketing)
    Campaign.objects.update(swept_at=timezone.now())
    assert arrive(app, **WEAK).enrollments.filter(campaign=after).count() == 1


def test_a_full_domain_keeps_no_other_waiting(campaign, put, running, app, arrive):
    put("email", "Hello")
    put("wait", "Long", DAY)
    put("exit")
    running()
    for number in range(4):
        arrive(app, **{**WEAK, "email": f"p{number}@gmail.com"})
    other = arrive(app, **{**WEAK, "email": "x@other.example"})
    MailRules.objects.create(most_per_domain=1)
    be_due()
    advance()
    Message.objects.filter(enrollment__lead=other).update(due_at=timezone.now() - timedelta(seconds=1))
    Message.objects.exclude(enrollment__lead=other).update(due_at=timezone.now() - timedelta(hours=1))
    assert send(limit=3) == 3
    assert Message.objects.get(enrollment__lead=other).state == "sent"
    waiting = Message.objects.filter(state="planned", reason="domain").order_by("due_at").values_list("due_at", flat=True)
    hours = [round((at - waiting[0]) / timedelta(hours=1)) for at in waiting]
    assert len(hours) == 3 and hours[-1] > 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM campaigns_message WHERE state = 'planned' AND due_at <= now()")
        assert cursor.fetchone()[0] == 0
