"""Enrollment, advance and mail: who is written to, when, and at most once."""

import smtplib
from datetime import timedelta
from threading import Thread

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from campaigns import send as sending
from campaigns.advance import advance
from campaigns.models import Campaign, Enrollment, Message, Sender, Stage, StageText, Suppression, Transition
from campaigns.publish import pause, publish
from campaigns.send import find_uncertain, send
from leads.bulk import set_status
from leads.correct import correct
from leads.models import Lead, Task
from portal import pipeline
from tests.conftest import at_once

WEAK = {"email": "bob@gmail.com", "company": "", "title": "", "phone": "", "actionCode": "INS", "leadSource": ""}


@pytest.fixture
def nurture(app, marketing):
    campaign = Campaign.objects.get(slug="appsource-nurture")
    Sender.objects.create(address="hello@larkfield.example", verified_at=timezone.now())
    publish(campaign, by=marketing)
    campaign.refresh_from_db()
    return campaign


@pytest.fixture
def nurtured(app, nurture, arrive):
    """A lead that stays in nurture: nobody owns it yet."""
    lead = arrive(app, **WEAK)
    assert (lead.status, lead.owner) == ("nurturing", None)
    return lead


def walk_on(rounds=1):
    """Let time pass until the next stage is due, and advance."""
    for _ in range(rounds):
        Enrollment.objects.filter(status="active").update(due_at=timezone.now() - timedelta(minutes=1))
        advance()


def test_a_draft_enrolls_and_holds_and_publishing_starts_the_clock(app, marketing, arrive):
    campaign = Campaign.objects.get(slug="appsource-nurture")
    lead = arrive(app, **WEAK)
    enrollment = lead.enrollments.get()
    assert (enrollment.status, enrollment.due_at) == ("active", None)
    assert advance() == 0
    with pytest.raises(ValidationError, match="sender"):
        publish(campaign, by=marketing)
    Sender.objects.create(address="hello@larkfield.example", verified_at=timezone.now())
    assert publish(campaign, by=marketing) == 1
    enrollment.refresh_from_db()
    assert enrollment.due_at > timezone.now()
    pause(campaign)
    enrollment.refresh_from_db()
    assert enrollment.due_at is None


def test_publishing_needs_an_english_text(app, marketing):
    Sender.objects.create(address="hello@larkfield.example", verified_at=timezone.now())
    StageText.objects.filter(stage__version__campaign__slug="appsource-nurture", language="en").delete()
    with pytest.raises(ValidationError, match="no English text"):
        publish(Campaign.objects.get(slug="appsource-nurture"), by=marketing)


def test_every_stage_is_walked_once_and_written_down(nurtured, nurture):
    kinds = list(nurture.version.stages.values_list("kind", flat=True))
    walk_on(len(kinds) + 2)
    enrollment = nurtured.enrollments.get()
    assert (enrollment.status, enrollment.due_at) == ("ended", None)
    assert Transition.objects.count() == len(kinds)
    assert Message.objects.count() == kinds.count("email")
    assert Task.objects.count() == kinds.count("task")
    assert advance() == 0


def test_mail_goes_out_in_the_buyers_language_with_one_click_unsubscribe(app, nurture, arrive):
    arrive(app, **WEAK, firstName="Joana", country="BR")
    walk_on()
    assert send() == 1
    [sent] = mail.outbox
    text = StageText.objects.get(stage__version__campaign=nurture, stage__position=0, language="pt-br")
    assert sent.subject == text.subject.replace("{{ listing.title }}", "Field Service")
    assert "Joana" in sent.body
    assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert sent.extra_headers["List-Unsubscribe"].strip("<>") in sent.body
    assert "gmail" not in sent.extra_headers["List-Unsubscribe"]
    message = Message.objects.get()
    assert (message.state, message.language) == ("sent", "pt-br")
    assert send() == 0
    assert len(mail.outbox) == 1


def test_values_are_data_and_reach_no_header(app, nurture, arrive):
    StageText.objects.filter(stage__position=0).update(
        subject="Hello {{ contact.first_name|default:there }}", body="{{ contact.first_name }} {{ secret }}"
    )
    arrive(app, **{**WEAK, "firstName": "{{ publisher.name }}\r\nBcc: x@y.example", "country": "US"})
    walk_on()
    send()
    [sent] = mail.outbox
    assert sent.subject == "Hello {{ publisher.name }} Bcc: x@y.example"
    assert "{{ secret }}" in sent.body
    assert sent.recipients() == ["bob@gmail.com"]


def test_suppression_is_read_at_the_moment_of_sending(nurtured):
    walk_on()
    assert Message.objects.get().state == "planned"
    Suppression.add(nurtured.contact.key, Suppression.Reason.UNSUBSCRIBED)
    send()
    assert not mail.outbox
    assert (Message.objects.get().state, Message.objects.get().reason) == ("withheld", "suppressed")


@pytest.mark.parametrize("stop", ["pause", "close"])
def test_nothing_goes_out_after_a_pause_or_a_closed_lead(nurtured, nurture, marketing, stop):
    walk_on()
    if stop == "pause":
        pause(nurture)
    else:
        set_status(Lead.objects.filter(pk=nurtured.pk), "disqualified", by=marketing)
        pipeline.run()
    send()
    assert not mail.outbox


def test_without_a_verified_sender_nothing_is_claimed(nurtured):
    Sender.objects.update(verified_at=None)
    walk_on()
    assert send() == 0
    assert Message.objects.get().state == "planned"


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (smtplib.SMTPRecipientsRefused({"ada@x.example": (550, b"unknown")}), "failed"),
        (smtplib.SMTPDataError(554, b"spam"), "failed"),
        (smtplib.SMTPServerDisconnected("after DATA"), "uncertain"),
        (TimeoutError("slow"), "uncertain"),
    ],
)
def test_an_uncertain_send_is_shown_and_never_repeated(nurtured, monkeypatch, error, state):
    walk_on()

    def refuse(self):
        raise error

    monkeypatch.setattr(sending.EmailMultiAlternatives, "send", refuse)
    assert send() == 1
    assert Message.objects.get().state == state
    monkeypatch.undo()
    assert send() == 0
    assert not mail.outbox


@pytest.mark.parametrize(
    "error",
    [smtplib.SMTPRecipientsRefused({"ada@x.example": (451, b"greylisted")}), smtplib.SMTPSenderRefused(421, b"later", "x"), smtplib.SMTPDataError(452, b"full")],
)  # fmt: skip
def test_what_the_server_refuses_for_now_is_tried_again_later(nurtured, monkeypatch, error):
    walk_on()

    def refuse(self):
        raise error

    monkeypatch.setattr(sending.EmailMultiAlternatives, "send", refuse)
    assert send() == 1
    message = Message.objects.get()
    assert (message.state, message.tries) == ("planned", 1)
    assert message.due_at > timezone.now() + timedelta(minutes=1)
    assert send() == 0
    Message.objects.update(due_at=timezone.now())
    monkeypatch.undo()
    assert send() == 1
    assert len(mail.outbox) == 1


def test_a_mail_server_that_is_away_costs_no_mail_and_some_day_it_has_failed(nurtured, settings):
    walk_on()
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1", 1
    assert send() == 1
    assert Message.objects.get().state == "planned"
    Message.objects.update(due_at=timezone.now(), tries=sending.MOST_TRIES)
    assert send() == 1
    assert Message.objects.get().state == "failed"


def test_a_mail_that_cannot_be_written_harms_no_other(nurtured, app, arrive, monkeypatch):
    other = arrive(app, email="eve@x.example", firstName="Eve")
    walk_on()
    words = sending.words.facts
    monkeypatch.setattr(sending.words, "facts", lambda lead, publisher: 1 / 0 if lead.pk == other.pk else words(lead, publisher))
    assert send() == 2
    assert sorted(Message.objects.values_list("state", flat=True)) == ["failed", "sent"]


def test_an_address_that_said_no_gets_no_mail_under_another_contact_either(nurtured, app, marketing, arrive):
    """Known by phone first, and corrected to an address that somebody else has: the contact keeps its key, the address its wish."""
    arrive(app, email="bob@x.example")
    phoned = arrive(app, email="", phone="+420 555 010 999")
    correct(phoned.contact, {"email": "bob@x.example"}, marketing)
    pipeline.run()
    walk_on()
    Suppression.add("bob@x.example", Suppression.Reason.UNSUBSCRIBED)
    send()
    assert [one.to for one in mail.outbox] == [["bob@gmail.com"]]
    assert Message.objects.get(enrollment__lead=phoned).state == "withheld"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_publishing_waits_for_the_leads_that_are_being_followed(app, marketing, post):
    Sender.objects.create(address="hello@larkfield.example", verified_at=timezone.now())
    post(app, **WEAK)
    pipeline.intake()
    publishing = Thread(target=lambda: at_once(1, lambda: publish(Campaign.objects.get(slug="appsource-nurture"), by=marketing)))
    with transaction.atomic():
        pipeline.follow_all([Lead.objects.get().pk])
        publishing.start()
        publishing.join(0.7)
        assert publishing.is_alive()
    publishing.join(20)
    assert Enrollment.objects.get().due_at is not None


def test_a_claim_whose_worker_died_is_uncertain(nurtured):
    walk_on()
    Message.objects.update(state="sending", claimed_at=timezone.now() - timedelta(minutes=11))
    assert find_uncertain() == 1
    assert send() == 0
    assert Message.objects.get().state == "uncertain"


def test_reaching_the_goal_qualifies_and_finds_an_owner(app, nurture, sales, arrive):
    lead = arrive(app, **WEAK)
    assert lead.owner is None
    for number in range(3):
        lead = arrive(app, **{**WEAK, "description": f"Tell me more about the calendar, part {number}, with prices for us and for our partners."})
    assert (lead.status, lead.owner) == ("qualified", sales)
    assert lead.qualified_at and lead.goal_reached_at
    assert lead.enrollments.get().status == "reached"
    assert lead.owner_reason["because"] == "goal"


def test_nurture_is_held_while_a_seller_owns_the_lead(app, nurture, sales, marketing, arrive):
    from routing.handover import hand_over

    lead = arrive(app, **WEAK)
    hand_over(Lead.objects.filter(pk=lead.pk), sales, by=marketing)
    pipeline.run()
    assert (lead.enrollments.get().status, lead.enrollments.get().due_at) == ("held", None)
    hand_over(Lead.objects.filter(pk=lead.pk), None, by=marketing)
    Lead.objects.update(owner=None)
    pipeline.run()
    assert lead.enrollments.get().status == "active"


def test_demand_runs_beside_the_seller(offer, sales, arrive):
    assert [(e.campaign.kind, e.status) for e in arrive(offer).enrollments.all()] == [("demand", "active")]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_parallel_workers_move_each_enrollment_once_and_mail_once(app, nurture, post, settings):
    for number in range(40):
        post(app, **{**WEAK, "email": f"p{number}@gmail.com"})
    pipeline.run()
    Enrollment.objects.update(due_at=timezone.now() - timedelta(minutes=1))

    def work():
        advance()
        send()

    at_once(6, work)
    assert Transition.objects.count() == 40
    assert Message.objects.filter(state="sent").count() == len(mail.outbox) == 40
    assert len({message.to[0] for message in mail.outbox}) == 40


def test_every_shipped_mail_is_whole_in_every_language(db, settings):
    languages = {code for code, _ in settings.LANGUAGES}
    for stage in Stage.objects.filter(kind="email"):
        texts = {text.language: text for text in stage.texts.all()}
        assert set(texts) == languages
        assert all(text.subject and len(text.body) > 100 for text in texts.values())
