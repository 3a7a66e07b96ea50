"""Campaigns in the browser: who may, what publishing refuses, texts, uncertain mail, previews, senders, the mailbox."""

from datetime import timedelta
from email.message import EmailMessage as Mime

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts.models import AccessRecord
from campaigns import senders
from campaigns.advance import advance
from campaigns.figures import figures_of
from campaigns.models import Campaign, Enrollment, Message, Sender, StageText, Suppression
from campaigns.publish import publish
from campaigns.send import compose

NURTURE, DEMAND = "/campaigns/appsource-nurture/", "/campaigns/azure-demand/"


@pytest.fixture
def browser(marketing, signed_in, publisher):
    return signed_in(marketing)


@pytest.fixture
def sender(db):
    return Sender.objects.create(address="hello@larkfield.example", verified_at=timezone.now())


@pytest.fixture
def welcome(db):
    """The first mail of the in-demand campaign."""
    return Campaign.objects.get(slug="azure-demand").version.stages.get(position=0)


@pytest.fixture
def uncertain(offer, sales, arrive, welcome):
    """A message whose worker died around the send."""
    enrollment = Enrollment.objects.get(lead=arrive(offer))
    return Message.objects.create(
        enrollment=enrollment, stage=welcome, stage_key=welcome.key, state="uncertain", reason="worker_lost", claimed_at=timezone.now()
    )


PAGES = ["", "appsource-nurture/", "appsource-nurture/publish/", "appsource-nurture/messages/", "senders/", "suppressions/", "mailbox/"]


@pytest.mark.parametrize("page", PAGES)
def test_the_office_enters_and_sellers_do_not(page, publisher, marketing, admin, sales, signed_in):
    for user in (marketing, admin):
        assert signed_in(user).get(f"/campaigns/{page}").status_code == 200
    assert signed_in(sales).get(f"/campaigns/{page}").status_code == 403
    assert Client().get(f"/campaigns/{page}").status_code == 302


def test_publishing_without_a_sender_is_refused_in_words(browser):
    answer = browser.post(NURTURE + "publish/")
    assert answer.status_code == 422
    assert "Verify a sender address first; the campaign sends e-mail." in answer.text
    assert Campaign.objects.get(slug="appsource-nurture").state == "draft"


def test_publishing_without_english_is_refused_by_the_stage_s_name(browser, sender):
    StageText.objects.filter(stage__version__campaign__slug="appsource-nurture", stage__name="Welcome", language="en").delete()
    assert "“Welcome”: It has no English text" in browser.post(NURTURE + "publish/").text


def test_looking_at_publish_publishes_nothing_and_posting_does(browser, marketing, sender):
    browser.get(NURTURE + "publish/")
    campaign = Campaign.objects.get(slug="appsource-nurture")
    assert campaign.state == "draft"
    assert browser.post(NURTURE + "publish/").status_code == 302
    campaign.refresh_from_db()
    assert (campaign.state, campaign.published_by) == ("published", marketing)
    assert browser.post(NURTURE + "pause/").status_code == 302
    campaign.refresh_from_db()
    assert campaign.state == "paused"
    assert AccessRecord.objects.filter(subject="campaign appsource-nurture published").exists()


def test_the_figures_of_the_flow_close(browser, marketing, sender, offer, sales, arrive):
    for number in range(3):
        arrive(offer, email=f"a{number}@kolovrat{number}.example")
    campaign = Campaign.objects.get(slug="azure-demand")
    publish(campaign, by=marketing)
    first, second, _ = Enrollment.objects.order_by("pk")
    for walkers in ([first, second], [first]):
        Enrollment.objects.filter(pk__in=[one.pk for one in walkers]).update(due_at=timezone.now() - timedelta(minutes=1))
        advance()
    Enrollment.objects.filter(pk=second.pk).update(status="exited", reason="lead_closed")
    campaign.refresh_from_db()
    flow = figures_of(campaign.version)
    assert (flow.entered, flow.here, flow.gone, flow.reached, flow.ended) == (3, 2, 1, 0, 0)
    assert [one.moved_on for one in flow.standings[:3]] == [2, 1, 1]
    assert [(one.here, one.gone) for one in flow.standings[:3]] == [(1, 0), (0, 1), (0, 0)]
    assert sum(one.here for one in flow.standings[3:]) == 1
    assert "1 left: closed" in " ".join(browser.get(DEMAND).text.split())


def test_an_unknown_placeholder_is_refused_and_the_input_kept(browser, welcome):
    path = f"{DEMAND}stages/{welcome.pk}/en/"
    answer = browser.post(path, {"subject": "Hello {{ contact.firstname }}", "body": "Text"})
    assert answer.status_code == 422
    assert "Nothing is known for {{ contact.firstname }}" in answer.text
    assert 'value="Hello {{ contact.firstname }}"' in answer.text
    assert browser.post(path, {"subject": "{{ Contact.Name }}", "body": "Text"}).status_code == 422
    assert browser.post(path, {"subject": "", "body": ""}).status_code == 422  # English is what others fall back on


def test_a_text_is_saved_in_its_language_and_removed_when_emptied(browser, welcome):
    path = f"{DEMAND}stages/{welcome.pk}/cs/"
    assert browser.post(path, {"subject": "Ahoj", "body": "{{ contact.first_name|default:Vážený zákazníku }}"}).status_code == 302
    assert welcome.texts.get(language="cs").subject == "Ahoj"
    assert browser.post(f"{DEMAND}stages/{welcome.pk}/xx/", {"subject": "A", "body": "B"}).status_code == 404
    browser.post(path, {"subject": "", "body": ""})
    assert not welcome.texts.filter(language="cs").exists()
    assert "the text is missing" in browser.get(f"{DEMAND}?stage={welcome.pk}&language=cs").text


def test_an_uncertain_message_is_decided_by_a_person_and_never_sent_again(browser, uncertain, marketing):
    path = f"{DEMAND}messages/{uncertain.pk}/"
    assert "It went out" in browser.get(f"{DEMAND}messages/?state=uncertain").text
    browser.post(path, {"went_out": "1"})
    uncertain.refresh_from_db()
    assert (uncertain.state, uncertain.sent_at, uncertain.reason) == ("sent", uncertain.claimed_at, "seen_sent")
    assert uncertain.enrollment.lead.activities.get(kind="mailed").actor == marketing
    browser.post(path, {"went_out": "0"})  # too late: decided already
    uncertain.refresh_from_db()
    assert uncertain.state == "sent"
    assert not mail.outbox


def test_an_uncertain_message_that_did_not_go_out_fails(browser, uncertain):
    browser.post(f"{DEMAND}messages/{uncertain.pk}/", {"went_out": "0"})
    uncertain.refresh_from_db()
    assert (uncertain.state, uncertain.sent_at) == ("failed", None)


def test_a_preview_shows_the_mail_audits_the_look_and_sends_nothing(browser, uncertain, welcome):
    answer = browser.get(f"{DEMAND}stages/{welcome.pk}/pt-br/preview/")
    assert "Edge Firewall" in answer.text
    assert "ada.novak@kolovrat.example" in answer.text
    assert AccessRecord.objects.filter(kind="personal_data_read", subject__contains="mail preview").exists()
    assert not mail.outbox


def test_lists_cost_the_same_however_long(browser, offer, sales, arrive, welcome):
    def costs(path):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(path).status_code == 200
        return len(queries)

    def message(number):
        lead = arrive(offer, email=f"a{number}@kolovrat{number}.example")
        Message.objects.create(enrollment=lead.enrollments.get(), stage=welcome, stage_key=welcome.key, state="uncertain", claimed_at=timezone.now())

    paths = ("/campaigns/", DEMAND, f"{DEMAND}messages/", f"{DEMAND}?stage={welcome.pk}")
    message(0)
    few = [costs(path) for path in paths]
    for number in range(1, 6):
        message(number)
    assert [costs(path) for path in paths] == few


def test_the_mail_ends_with_the_way_out_in_words(uncertain, sender):
    text = compose(uncertain, sender).body
    with translation.override("cs"):
        assert f"{gettext('Unsubscribe')}: http" in text


def test_a_sender_is_verified_by_the_link_in_its_mail_and_not_by_looking(browser):
    browser.post("/campaigns/senders/", {"address": "hello@larkfield.example", "name": ""})
    [message] = mail.outbox
    link = next(word for word in message.body.split() if "/verify/" in word)
    path = "/" + link.split("/", 3)[3]
    stranger = Client()
    assert stranger.get(path).status_code == 200
    assert Sender.served() == set()
    assert stranger.post(path).status_code == 200
    assert Sender.served() == {None}


def test_a_verification_link_holds_three_days_and_for_its_address_only(publisher, monkeypatch):
    one = Sender.objects.create(address="a@larkfield.example")
    token = senders.token_of(one)
    assert senders.sender_of(token) == one
    assert senders.sender_of(token + "x") is None
    Sender.objects.update(address="b@larkfield.example")
    assert senders.sender_of(token) is None
    Sender.objects.update(address="a@larkfield.example")
    monkeypatch.setattr(senders, "LASTS", -senders.LASTS)
    assert Client().post(f"/campaigns/senders/verify/{token}/").status_code == 404


def test_an_address_is_suppressed_by_hand_under_its_normal_form(browser):
    answer = browser.post("/campaigns/suppressions/", {"address": " Ada.Novak@Kolovrat.example ", "reason": "objected"})
    assert answer.status_code == 302
    assert Suppression.holds("ada.novak@kolovrat.example")
    assert browser.post("/campaigns/suppressions/", {"address": "no address", "reason": "objected"}).status_code == 422
    assert "ada.novak" not in browser.get("/campaigns/suppressions/").text


@pytest.fixture
def written(settings, tmp_path):
    """Mail in files: one of a campaign, one with a link that sets a password; and a file that is none of the backend's."""
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "django.core.mail.backends.filebased.EmailBackend", str(tmp_path)
    for name, subject, header in (("20261120-101010-1.log", "Campaign <b>mail</b>", True), ("20261121-101010-2.log", "Set your password", False)):
        one = Mime()
        one["From"], one["To"], one["Subject"] = "hello@larkfield.example", "ada@kolovrat.example", subject
        one["Date"] = "Fri, 20 Nov 2026 10:10:10 -0000"
        if header:
            one["List-Unsubscribe"] = "<http://127.0.0.1/unsubscribe/x/>"
        one.set_content("Text <script>alert(1)</script>")
        (tmp_path / name).write_bytes(one.as_bytes() + b"\n" + b"-" * 79 + b"\n")
    (tmp_path / "keys.json").write_text("SECRET")
    return tmp_path


def test_the_mailbox_shows_mail_safely_newest_first(written, admin, signed_in, publisher):
    browser = signed_in(admin)
    text = browser.get("/campaigns/mailbox/").text
    assert text.index("Set your password") < text.index("Campaign &lt;b&gt;mail&lt;/b&gt;")
    text = browser.get("/campaigns/mailbox/20261120-101010-1.log-0/").text
    assert "&lt;script&gt;" in text
    assert "<script>alert" not in text


def test_the_mailbox_keeps_password_links_from_marketing_and_other_files_from_everybody(written, admin, marketing, signed_in, publisher):
    assert "Set your password" not in signed_in(marketing).get("/campaigns/mailbox/").text
    assert signed_in(marketing).get("/campaigns/mailbox/20261121-101010-2.log-0/").status_code == 404
    for key in ("keys.json-0", "keys.json", "..%2Fkeys.json-0", "20261121-101010-9.log-0", "20261121-101010-2.log-7"):
        assert signed_in(admin).get(f"/campaigns/mailbox/{key}/").status_code == 404


def test_a_portal_with_a_mail_server_has_no_mailbox(written, settings, admin, signed_in, publisher):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    browser = signed_in(admin)
    assert "Mail goes to a mail server" in browser.get("/campaigns/mailbox/").text
    assert browser.get("/campaigns/mailbox/20261120-101010-1.log-0/").status_code == 404
