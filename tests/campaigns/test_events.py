"""What the mail provider tells after a mail went out, and what people choose by the link in it. Payloads are those that Postmark sends."""

from base64 import b64encode

import pytest
from django.core import mail as django_mail
from django.test import Client
from django.utils import timezone

from campaigns.models import MailEvent, MailRules, Message, Suppression
from campaigns.send import send, withheld
from campaigns.words import unsubscribe_path
from leads.conditions import matching
from leads.models import Lead
from tests.campaigns.test_stages import WEAK

SECRET = "postmark:only-for-these-tests"
TRACKING, INBOUND = "/mail-events/postmark/tracking/", "/mail-events/postmark/inbound/"


@pytest.fixture
def message(app, put, running, arrive, pass_time):
    """A mail that went out to bob@gmail.com."""
    put("email", "Hello")
    running()
    arrive(app, **WEAK)
    pass_time()
    assert send() == 1
    return Message.objects.get()


@pytest.fixture
def provider(settings):
    settings.MAIL_EVENTS, settings.ANYMAIL = "postmark", {"WEBHOOK_SECRET": SECRET}

    def tell(path, secret=SECRET, **event):
        known = {"HTTP_AUTHORIZATION": "Basic " + b64encode(secret.encode()).decode()} if secret else {}
        return Client(enforce_csrf_checks=True).post(path, event, content_type="application/json", **known)

    return tell


def bounce(kind, code, **more):
    return {
        "RecordType": "Bounce", "ID": 42, "Type": kind, "TypeCode": code, "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483", "Details": "550 no such user",
        "Description": "The server was unable to deliver your message", "Email": "bob@gmail.com", "BouncedAt": "2026-11-20T16:33:54.9070259Z", **more,
    }  # fmt: skip


HARD, SOFT = bounce("HardBounce", 1), bounce("SoftBounce", 4096)
SPAM = bounce("SpamComplaint", 512) | {"RecordType": "SpamComplaint"}


def test_a_hard_bounce_suppresses_at_once_and_is_told_once(message, provider):
    for _ in range(2):
        assert provider(TRACKING, **HARD).status_code == 200
    message.refresh_from_db()
    assert (message.state, message.events.get().kind) == ("bounced", "bounced")
    assert Suppression.holds("bob@gmail.com")
    assert Suppression.objects.get().reason == "bounced"
    lead = message.enrollment.lead
    assert lead.activities.filter(kind="mail_bounced").count() == 1
    assert Lead.objects.get(pk=lead.pk).stale_since is not None
    bounced = {"field": "bounced", "op": "is", "value": True}
    assert list(matching(Lead.objects.all(), bounced)) == [lead]


def test_soft_bounces_suppress_when_there_are_too_many(message, provider):
    MailRules.objects.create(most_soft_bounces=2)
    provider(TRACKING, **SOFT)
    assert not Suppression.objects.exists()
    message.refresh_from_db()
    assert message.state == "sent"
    other = Message.objects.create(
        enrollment=message.enrollment, stage=message.stage, stage_key="018f0000-0000-7000-8000-000000000002", state="sent", sent_at=timezone.now()
    )
    provider(TRACKING, **SOFT, Metadata={"message": f"<{other.pk}@larkfield.example>"})
    assert Suppression.holds("bob@gmail.com")


def test_a_complaint_is_an_objection(message, provider):
    assert provider(TRACKING, **SPAM).status_code == 200
    assert Suppression.objects.get().reason == "objected"
    assert MailEvent.objects.get().kind == "complained"


def test_what_changes_nothing_and_what_is_nobodys_is_taken_and_forgotten(message, provider):
    delivered = {
        "RecordType": "Delivery",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Recipient": "bob@gmail.com",
        "DeliveredAt": "2026-11-20T16:33:54Z",
    }
    assert provider(TRACKING, **delivered).status_code == 200
    assert provider(TRACKING, **{**HARD, "Email": "nobody@else.example"}).status_code == 200
    assert not MailEvent.objects.exists()
    assert not Suppression.objects.exists()


def test_without_the_password_or_for_another_provider_nothing_is_taken(message, provider, settings):
    assert provider(TRACKING, secret="", **HARD).status_code == 400
    assert provider(TRACKING, secret="postmark:another-password", **HARD).status_code == 400
    assert provider("/mail-events/sendgrid/tracking/", **HARD).status_code == 404
    settings.MAIL_EVENTS = ""
    assert provider(TRACKING, **HARD).status_code == 404
    assert not MailEvent.objects.exists()


def reply(**headers):
    given = [{"Name": name.replace("_", "-"), "Value": value} for name, value in headers.items()]
    return {
        "FromFull": {"Email": "bob@gmail.com", "Name": "Bob"}, "From": "bob@gmail.com", "To": "hello@larkfield.example", "Subject": "Re: About Hello",
        "MessageID": "x", "TextBody": "Yes please", "Headers": given, "Attachments": [],
    }  # fmt: skip


def test_a_reply_is_found_by_the_mail_it_answers_and_a_program_is_not_a_person(message, provider):
    out_of_office = reply(In_Reply_To=f"<{message.pk}@larkfield.example>", Auto_Submitted="auto-replied")
    assert provider(INBOUND, **out_of_office).status_code == 200
    assert not MailEvent.objects.exists()
    assert provider(INBOUND, **reply(In_Reply_To=f"<{message.pk}@larkfield.example>")).status_code == 200
    event = MailEvent.objects.get()
    assert (event.kind, event.message, event.reason) == ("replied", message, "Re: About Hello")
    assert message.enrollment.lead.activities.get(kind="mail_replied").data["subject"] == "About Hello"
    assert not Suppression.objects.exists()


def test_whoever_unsubscribes_by_a_mail_is_told_beside_it(message):
    path = unsubscribe_path("bob@gmail.com")
    assert Client().post(f"{path}?m={message.pk}", {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert MailEvent.objects.get().kind == "unsubscribed"
    gone = {"field": "unsubscribed", "op": "is", "value": True}
    assert list(matching(Lead.objects.all(), gone)) == [message.enrollment.lead]


@pytest.mark.parametrize("said", ["x", "018f0000-0000-7000-8000-000000000002", ""])
def test_a_link_that_names_no_mail_of_theirs_unsubscribes_all_the_same(message, said):
    Client().post(f"{unsubscribe_path('eve@else.example')}?m={said or message.pk}")
    assert Suppression.holds("eve@else.example")
    assert not MailEvent.objects.exists()


def test_the_mail_itself_leads_there(message):
    [mail] = django_mail.outbox
    assert mail.extra_headers["List-Unsubscribe"].endswith(f"/?m={message.pk}>")
    assert f"/?m={message.pk}" in mail.body


def test_people_choose_what_mail_is_about(message, marketing):
    path = unsubscribe_path("bob@gmail.com")
    page = Client().get(path).text
    assert "News and offers" in page and page.count("checked") == 2
    page = Client().post(path, {"choose": "1", "wanted": ["demand"]}).text
    assert "Your choice is kept" in page and page.count("checked") == 1
    assert not Suppression.holds("bob@gmail.com")
    assert Suppression.holds("bob@gmail.com", "nurture") and not Suppression.holds("bob@gmail.com", "demand")
    assert withheld(message) == "suppressed"
    Client().post(path, {"choose": "1", "wanted": ["demand", "nurture", "odd"]})
    assert not Suppression.objects.exists()
    Client().post(path)
    assert Suppression.holds("bob@gmail.com", "demand")
    Client().post(path, {"choose": "1", "wanted": ["nurture"]})
    assert not Suppression.holds("bob@gmail.com", "nurture") and Suppression.holds("bob@gmail.com", "demand")


def test_what_others_entered_is_not_taken_back_by_a_choice(publisher):
    Suppression.add("bob@gmail.com", "objected")
    Client().post(unsubscribe_path("bob@gmail.com"), {"choose": "1", "wanted": ["demand", "nurture"]})
    assert Suppression.holds("bob@gmail.com", "demand")
