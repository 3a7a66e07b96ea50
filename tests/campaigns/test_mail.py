"""Mail to a real server that behaves as real ones do, the limits it keeps to, who it comes from, and the links in it."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller
from django.core import mail as outbox
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from accounts.models import User
from campaigns import clicks
from campaigns.models import Campaign, Click, MailRules, Message, Sender
from campaigns.publish import publish
from campaigns.rules import next_opening, per_person
from campaigns.send import send
from leads.models import Contact, Lead
from portal import pipeline
from portal.engines.processes import free_port
from tests.campaigns.test_stages import WEAK, where
from tests.conftest import at_once


class Server:
    """Takes mail, and answers DATA or RCPT as the next of its answers says; `drop` cuts the line after the message was taken, `after 2` takes it and
    says so two seconds later."""

    def __init__(self):
        self.got, self.answers = [], []

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.answers.pop(0) if self.answers and self.answers[0].startswith("RCPT ") else ""
        if answer:
            return answer.removeprefix("RCPT ")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer == "drop":
            self.got.append(envelope.content)
            server.transport.close()
            return "250 taken"
        if answer.startswith("after "):
            self.got.append(envelope.content)
            await asyncio.sleep(float(answer.removeprefix("after ")))
            return "250 taken"
        if answer.startswith("250"):
            self.got.append(envelope.content)
        return answer


@pytest.fixture
def smtp(settings):
    server = Server()
    controller = Controller(server, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield server
    controller.stop()


@pytest.fixture
def written(app, put, running, arrive, pass_time):
    """A message to Bob that is planned and due."""
    put("email", "Welcome")
    put("goal", "On", timedelta(days=30))
    running()
    arrive(app, **WEAK)
    pass_time()
    return Message.objects.get()


def again(message):
    """Its time has come once more."""
    Message.objects.update(due_at=timezone.now())
    send()
    message.refresh_from_db()
    return message.state


def test_a_server_that_greylists_gets_it_later_once(smtp, written):
    smtp.answers = ["RCPT 451 4.7.1 greylisted, come back", "RCPT 450 4.2.0 still"]
    assert again(written) == "planned"
    assert again(written) == "planned"
    assert again(written) == "sent"
    assert len(smtp.got) == 1
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in smtp.got[0]


@pytest.mark.parametrize(
    ("answer", "state"), [("RCPT 550 5.1.1 no such user", "failed"), ("554 5.7.1 spam", "failed"), ("452 4.2.2 mailbox full", "planned")]
)
def test_a_refusal_is_taken_at_its_word(smtp, written, answer, state):
    smtp.answers = [answer]
    assert again(written) == state
    assert smtp.got == []


def test_a_line_that_breaks_after_the_message_was_taken_is_uncertain_for_good(smtp, written):
    smtp.answers = ["drop"]
    assert again(written) == "uncertain"
    assert again(written) == "uncertain"
    assert len(smtp.got) == 1


def test_a_slow_answer_is_waited_for(smtp, written, settings):
    settings.EMAIL_TIMEOUT = 5
    smtp.answers = ["after 1"]
    assert again(written) == "sent"
    assert len(smtp.got) == 1


def test_an_answer_that_does_not_come_in_time_leaves_it_uncertain_and_it_is_not_repeated(smtp, written, settings):
    settings.EMAIL_TIMEOUT = 1
    smtp.answers = ["after 2"]
    assert again(written) == "uncertain"
    assert again(written) == "uncertain"
    assert len(smtp.got) == 1


def test_a_server_that_never_greets_has_taken_nothing(written, settings):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_BACKEND, settings.EMAIL_TIMEOUT = "django.core.mail.backends.smtp.EmailBackend", 1
        settings.EMAIL_HOST, settings.EMAIL_PORT = silent.getsockname()[:2]
        assert again(written) == "planned"
    assert written.tries == 1
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert again(written) == "sent"


def test_a_person_gets_no_more_than_the_limit_over_all_campaigns(app, put, running, arrive, pass_time, campaign):
    MailRules.objects.create(most_mails=1, per_days=7, tracks_clicks=False)
    put("email", "One")
    put("email", "Two")
    put("goal", "On", timedelta(days=30))
    running()
    arrive(app, **WEAK)
    pass_time()
    send()
    first, second = Message.objects.order_by("due_at", "id")
    assert sorted((first.state, second.state)) == ["planned", "sent"]
    waits = Message.objects.get(state="planned")
    assert waits.reason == "throttled"
    assert timedelta(days=6, hours=23) < waits.due_at - timezone.now() <= timedelta(days=7)
    Message.objects.filter(state="sent").update(claimed_at=timezone.now() - timedelta(days=7, minutes=1))
    assert again(waits) == "sent"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_workers_keep_the_limit_together(app, put, running, arrive, pass_time):
    MailRules.objects.create(most_mails=2, per_days=7, tracks_clicks=False)
    for name in "abcdef":
        put("email", name)
    put("goal", "On", timedelta(days=30))
    running()
    arrive(app, **WEAK)
    pass_time()
    at_once(4, send)
    assert Message.objects.filter(state="sent").count() == len(outbox.outbox) == 2
    assert Message.objects.filter(state="planned", reason="throttled").count() == 4


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-26 07:59 Europe/Prague", "2026-11-26 08:00 Europe/Prague"),
        ("2026-11-26 12:00 Europe/Prague", "2026-11-26 12:00 Europe/Prague"),
        ("2026-11-27 18:00 Europe/Prague", "2026-11-30 08:00 Europe/Prague"),  # Friday at closing time: Monday
        ("2026-03-28 12:00 Europe/Prague", "2026-03-30 08:00 Europe/Prague"),  # over the night that loses an hour
    ],
)
def test_mail_keeps_to_working_hours_there(moment, opens):
    def at(said):
        day, hour, zone = said.split()
        return datetime.fromisoformat(f"{day} {hour}").replace(tzinfo=ZoneInfo(zone))

    rules = MailRules(from_hour=8, to_hour=18, weekdays=[1, 2, 3, 4, 5])
    assert next_opening(at(moment).astimezone(UTC), rules, "Europe/Prague") == at(opens)


def test_outside_working_hours_it_waits_and_says_so(written):
    now = datetime.now(ZoneInfo("Europe/Prague"))
    Contact.objects.update(country="CZ")
    MailRules.objects.create(from_hour=8, to_hour=18, weekdays=[(now + timedelta(days=2)).isoweekday()])
    assert again(written) == "planned"
    assert written.reason == "quiet"
    assert written.due_at.astimezone(ZoneInfo("Europe/Prague")).hour == 8
    assert not outbox.outbox


def test_a_campaign_writes_from_its_own_sender_and_not_before_that_is_verified(app, put, running, arrive, pass_time, campaign, marketing):
    own = Sender.objects.create(address="spring@larkfield.example", name="Spring fair")
    put("email", "Welcome")
    put("goal", "On", timedelta(days=30))
    running()
    Campaign.objects.filter(pk=campaign.pk).update(sender=own)
    arrive(app, **WEAK)
    pass_time()
    assert send() == 0
    Sender.objects.filter(pk=own.pk).update(verified_at=timezone.now())
    assert send() == 1
    assert outbox.outbox[0].from_email == "Spring fair <spring@larkfield.example>"


def test_a_storefront_has_its_own_address_and_else_that_of_both(app, offer, put, running, arrive, pass_time, campaign):
    own = Sender.objects.create(address="business@larkfield.example", storefront=app.storefront, verified_at=timezone.now())
    put("email", "Welcome")
    put("goal", "On", timedelta(days=30))
    running()
    assert campaign.writes_from == own
    assert Sender.verified(offer.storefront_id).address == "hello@larkfield.example"
    arrive(app, **WEAK)
    pass_time()
    assert send() == 1
    assert "business@larkfield.example" in outbox.outbox[0].from_email


def test_an_address_of_the_other_storefront_is_none_to_write_from(app, offer, put, running, arrive, pass_time, campaign, marketing):
    put("email", "Welcome")
    put("goal", "On", timedelta(days=30))
    running()
    Sender.objects.update(storefront=offer.storefront)
    assert campaign.writes_from is None
    assert publish_refused(campaign, marketing) == "Verify a sender address first; the campaign sends e-mail."
    arrive(app, **WEAK)
    pass_time()
    assert send() == 0
    assert Message.objects.get().state == "planned"
    Sender.objects.update(storefront=None)
    assert send() == 1


def publish_refused(campaign, by):
    with pytest.raises(ValidationError) as refusal:
        publish(campaign, by=by)
    return refusal.value.messages[0]


def test_links_lead_where_we_wrote_them_to_and_nowhere_else(written):
    written.stage.texts.update(body="Read https://larkfield.example/story?a=1&b=2 now")
    send()
    html, text = outbox.outbox[0].alternatives[0][0], outbox.outbox[0].body
    link = html.split('href="')[1].split('"')[0]
    assert "/c/" in link
    assert "https://larkfield.example/story?a=1&b=2" in text
    assert "/unsubscribe/" in html.split('href="')[2]
    path = "/c/" + link.split("/c/")[1]
    answer = Client().get(path)
    assert (answer.status_code, answer["Location"]) == (302, "https://larkfield.example/story?a=1&b=2")
    assert not answer.cookies
    assert Client().get(path[:-3] + "xx/").status_code == 404
    assert Client().get("/c/nonsense/").status_code == 404
    assert Client().post(path).status_code == 405


@pytest.fixture
def went(written):
    """Sent an hour ago."""
    send()
    Message.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    written.refresh_from_db()
    return written


def open_link(message, url="https://larkfield.example/story", method="get"):
    return getattr(Client(), method)(f"/c/{clicks.token_of(message, url)}/")


def test_a_click_is_on_the_timeline_once_and_wakes_the_lead(went):
    Lead.objects.update(stale_since=None)
    open_link(went)
    open_link(went)
    lead = went.enrollment.lead
    assert Click.objects.filter(by_program=False).count() == 2
    assert lead.activities.filter(kind="clicked").count() == 1
    lead.refresh_from_db()
    assert lead.stale_since is not None


def test_what_programs_open_counts_for_nothing(went):
    open_link(went, method="head")
    assert not Click.objects.exists()
    for number in range(3):
        open_link(went, f"https://larkfield.example/{number}")
    assert Click.objects.filter(by_program=True).count() == 3
    Message.objects.update(sent_at=timezone.now() - timedelta(seconds=2))
    Click.objects.all().delete()
    open_link(went)
    assert Click.objects.get().by_program


def test_a_branch_can_ask_who_opened_a_link(app, put, running, arrive, pass_time):
    put("email", "Welcome")
    put("wait", "A while", timedelta(days=3))
    asks = put("branch", "Interested", arms=[{"name": "Yes", "when": {"field": "clicks", "op": "at_least", "value": 1}}])
    put("goal", "Opened", timedelta(days=30), parent=asks, arm=0)
    put("goal", "Did not", timedelta(days=30), parent=asks, arm=1)
    running()
    leads = [arrive(app, **{**WEAK, "email": f"p{n}@gmail.com"}) for n in range(2)]
    pass_time()
    send()
    Message.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    open_link(Message.objects.get(enrollment__lead=leads[1]))
    pipeline.run()
    pass_time()
    assert [where(lead) for lead in leads] == ["Did not", "Opened"]


def test_the_rules_are_kept_by_a_person(signed_in, marketing, publisher):
    browser = signed_in(marketing)
    given = {
        "most_mails": "2",
        "per_days": "7",
        "from_hour": "8",
        "to_hour": "18",
        "weekdays": ["1", "2"],
        "tracks_clicks": "on",
        "most_soft_bounces": "3",
        "most_per_domain": "0",
    }
    assert browser.post("/campaigns/rules/", given).status_code == 302
    kept = MailRules.current()
    assert (kept.most_mails, kept.from_hour, kept.to_hour, kept.weekdays, kept.tracks_clicks) == (2, 8, 18, [1, 2], True)
    for wrong in ({"per_days": "0"}, {"from_hour": "20"}, {"weekdays": []}, {"weekdays": ["9"]}, {"most_mails": "-1"}):
        assert browser.post("/campaigns/rules/", {**given, **wrong}).status_code == 422
    assert MailRules.objects.count() == 1


def test_publishing_needs_the_campaign_s_own_sender(put, campaign, marketing):
    put("email", "Welcome")
    Campaign.objects.filter(pk=campaign.pk).update(sender=Sender.objects.create(address="x@larkfield.example"))
    with pytest.raises(ValidationError, match="sender"):
        publish(Campaign.objects.get(pk=campaign.pk), by=marketing)


def test_how_much_mail_people_got_lately(app, put, running, arrive, pass_time, signed_in, marketing):
    put("email", "One")
    put("email", "Two")
    running()
    for name in "ab":
        arrive(app, **{**WEAK, "email": f"{name}@gmail.com"})
    pass_time()
    sent = Message.objects.filter(enrollment__lead__contact__email="a@gmail.com")
    sent.update(state="sent", sent_at=timezone.now())
    Message.objects.filter(enrollment__lead__contact__email="b@gmail.com", stage__name="One").update(state="sent", sent_at=timezone.now())
    Message.objects.filter(enrollment__lead__contact__email="b@gmail.com", stage__name="Two").update(
        state="sent", sent_at=timezone.now() - timedelta(days=40)
    )
    spread, most = per_person()
    assert spread == [(1, 1), (2, 1)]
    assert [(person.email, n) for person, n in most] == [("a@gmail.com", 2), ("b@gmail.com", 1)]
    assert "Who got most" in signed_in(marketing).get("/campaigns/rules/").text


def test_mail_in_the_name_of_the_owner_comes_from_them_as_far_as_their_address_is_verified(app, campaign, put, running, arrive, pass_time, sales):
    User.objects.filter(pk=sales.pk).update(email="sam@larkfield.example", first_name="Sam", last_name="Seller")
    Campaign.objects.filter(pk=campaign.pk).update(kind="demand", from_owner=True)
    for n in range(3):
        put("email", f"Mail {n}")
    running()
    lead = arrive(app, **WEAK)
    pass_time()

    def sent():
        assert send(limit=1) == 1
        return outbox.outbox[-1].from_email, outbox.outbox[-1].reply_to

    assert sent() == ("Larkfield Systems <hello@larkfield.example>", [])
    Lead.objects.filter(pk=lead.pk).update(owner=sales)
    assert sent() == ("Sam Seller <hello@larkfield.example>", ["sam@larkfield.example"])
    Sender.objects.create(address="sam@larkfield.example", verified_at=timezone.now())
    assert sent() == ("Sam Seller <sam@larkfield.example>", ["sam@larkfield.example"])


def test_one_domain_is_written_to_only_so_often_an_hour(app, put, running, arrive, pass_time):
    MailRules.objects.create(most_per_domain=2)
    put("email", "Hello")
    running()
    for name in ("a@gmail.com", "b@gmail.com", "c@gmail.com", "d@web.example"):
        arrive(app, **{**WEAK, "email": name})
    pass_time()
    assert send() == 4
    assert sorted(one.to[0].partition("@")[2] for one in outbox.outbox) == ["gmail.com", "gmail.com", "web.example"]
    waits = Message.objects.get(state="planned")
    assert (waits.reason, waits.why) == ("domain", "their mail provider got enough within the hour")
    assert timedelta(minutes=59) < waits.due_at - timezone.now() <= timedelta(hours=1)
    Message.objects.filter(state="sent").update(claimed_at=timezone.now() - timedelta(minutes=61))
    Message.objects.filter(pk=waits.pk).update(due_at=timezone.now())
    send()
    assert len(outbox.outbox) == 4


def test_a_programs_first_click_does_not_stay_on_the_timeline(went):
    """One click looks like a person's, until another link is opened in the same moment."""
    open_link(went)
    lead = went.enrollment.lead
    assert lead.activities.filter(kind="clicked").exists()
    open_link(went, "https://larkfield.example/another")
    assert not lead.activities.filter(kind="clicked").exists()
    assert not Click.objects.filter(by_program=False).exists()
