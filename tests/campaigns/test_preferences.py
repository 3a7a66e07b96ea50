"""What people chose behind the link of a mail: its language, and whether it may be seen that they open it. Nobody who did not agree is watched."""

from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.test import Client
from django.utils import timezone

from campaigns.dryrun import dry_run
from campaigns.models import MailEvent, MailRules, Message, Preference, StageText
from campaigns.send import send
from campaigns.words import unsubscribe_path
from leads.conditions import matching
from leads.models import Lead
from tests.campaigns.test_events import INBOUND, TRACKING, provider  # noqa: F401
from tests.campaigns.test_stages import WEAK

BOB = "bob@gmail.com"


def choose(**wanted):
    return Client().post(unsubscribe_path(BOB), {"choose": "1", "wanted": ["nurture", "demand"], **wanted})


@pytest.fixture
def planned(app, put, running, arrive, pass_time):
    """A mail to bob@gmail.com, a Czech, that is due now, in English and Dutch."""
    stage = put("email", "Hello")
    StageText.objects.create(stage=stage, language="nl", subject="Hallo", body="Dag {{ contact.first_name }}")
    running()
    arrive(app, **{**WEAK, "country": "CZ"})
    pass_time()
    return Message.objects.get()


@pytest.fixture
def watching(db):
    return MailRules.objects.create(tracks_opens=True, tracks_clicks=False)


def sent():
    assert send() == 1
    Message.objects.update(sent_at=timezone.now() - timedelta(minutes=5))
    return outbox.outbox[-1].alternatives[0][0]


def dot_of(html):
    return "/o/" + html.split("/o/")[1].split('"')[0]


def test_mail_is_in_the_language_the_person_chose(planned):
    assert choose(language="nl").status_code == 200
    route = dry_run(planned.stage.version, Lead.objects.all()).paths[0].passings
    assert [one.why for one in route if one.stage.kind == "email"] == ["sent in Nederlands"]
    sent()
    assert outbox.outbox[0].subject == "Hallo"
    planned.refresh_from_db()
    assert planned.language == "nl"


def test_without_a_choice_the_country_decides_and_english_stands_in(planned):
    sent()
    assert outbox.outbox[0].subject == "About Hello"


def test_a_language_that_is_none_of_ours_is_no_choice(planned):
    choose(language="xx-evil")
    assert Preference.objects.get().language == ""


def test_the_latest_choice_stands_whichever_key_its_link_was_made_with(planned, settings):
    old = unsubscribe_path(BOB)
    settings.PORTAL_KEYS = ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", *settings.PORTAL_KEYS]
    choose(language="nl")
    Client().post(old, {"choose": "1", "wanted": ["nurture"], "language": "es"})
    assert Preference.objects.count() == 2
    assert Preference.of(BOB).language == "es"


def test_the_page_shows_what_was_chosen(planned, watching):
    choose(language="nl", opens="on")
    page = Client().get(unsubscribe_path(BOB)).text
    assert '<option value="nl" lang="nl" selected>' in page
    assert 'name="opens" checked' in page
    choose()
    assert 'name="opens" checked' not in Client().get(unsubscribe_path(BOB)).text


def test_nobody_is_watched_unless_the_rules_say_so_and_the_person_agreed(planned):
    rules = MailRules.objects.create()
    assert not rules.tracks_opens
    choose(opens="on")
    assert "/o/" not in sent()


def test_who_did_not_agree_is_not_watched(planned, watching):
    assert "/o/" not in sent()
    assert 'name="opens"' in Client().get(unsubscribe_path(BOB)).text


def test_opening_is_noted_once_and_conditions_can_ask_for_it(planned, watching):
    choose(opens="on")
    dot = dot_of(sent())
    Lead.objects.update(stale_since=None)
    for _ in range(2):
        answer = Client().get(dot)
        assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (200, "image/gif", "no-store")
        assert not answer.cookies
    lead = planned.enrollment.lead
    assert [event.kind for event in MailEvent.objects.all()] == ["opened"]
    assert lead.activities.filter(kind="mail_opened").count() == 1
    lead.refresh_from_db()
    assert lead.stale_since
    assert matching(Lead.objects.all(), {"field": "opened", "op": "is", "value": True}).get() == lead


def test_programs_and_those_who_thought_again_count_for_nothing(planned, watching):
    choose(opens="on")
    dot = dot_of(sent())
    Client().head(dot)
    Message.objects.update(sent_at=timezone.now() - timedelta(seconds=2))
    Client().get(dot)
    Message.objects.update(sent_at=timezone.now() - timedelta(minutes=5))
    choose()
    Client().get(dot)
    assert not MailEvent.objects.exists()
    for forged in (dot[:-2] + "x/", "/o/nonsense/", f"/o/{planned.pk}/"):
        assert Client().get(forged).status_code == 404


@pytest.mark.parametrize("agreed", [False, True])
def test_what_a_provider_tells_of_opening_is_kept_of_those_who_agreed(planned, watching, provider, agreed):  # noqa: F811
    choose(**({"opens": "on"} if agreed else {}))
    sent()
    told = {
        "RecordType": "Open",
        "FirstOpen": True,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Recipient": BOB,
        "ReceivedAt": "2026-11-20T16:33:54Z",
    }
    assert provider(TRACKING, **told).status_code == 200
    assert MailEvent.objects.exists() is agreed


def test_the_results_show_opening_only_where_it_is_asked_for(planned, marketing, signed_in):
    browser = signed_in(marketing)
    of = f"/campaigns/{planned.enrollment.campaign.slug}/results/"
    assert "Opened" not in browser.get(of).text
    MailRules.objects.create(tracks_opens=True)
    assert "Opened" in browser.get(of).text
