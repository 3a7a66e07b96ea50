"""The link in every mail: looking changes nothing, one press is enough, and neither tells whether anybody is known here."""

import re

import pytest
from django.test import Client

from accounts.crypto import keyed_digests
from campaigns.models import Suppression
from campaigns.words import unsubscribe_path

KEY = "ada.novak@kolovrat.example"


@pytest.fixture
def path(publisher):
    return unsubscribe_path(KEY)


@pytest.fixture
def mail_program():
    """A client as a mail program is: no cookies, no token of ours, CSRF checked."""
    return Client(enforce_csrf_checks=True)


def test_looking_changes_nothing_and_sets_no_cookie(mail_program, path):
    answer = mail_program.get(path)
    assert answer.status_code == 200
    assert not Suppression.objects.exists()
    assert not answer.cookies
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert KEY not in answer.text


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n', "multipart/form-data; boundary=x"),
    ],
)
def test_one_click_without_cookies_suppresses(mail_program, path, body, content_type):
    answer = mail_program.post(path, body, content_type=content_type)
    assert answer.status_code == 200  # RFC 8058: no redirect
    assert not answer.cookies
    assert Suppression.holds(KEY)
    assert Suppression.objects.get().reason == Suppression.Reason.UNSUBSCRIBED


def test_twice_is_once(mail_program, path):
    Suppression.add(KEY, Suppression.Reason.OBJECTED)
    for _ in range(2):
        assert mail_program.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert Suppression.objects.get().reason == Suppression.Reason.OBJECTED


def test_the_answer_is_the_same_whether_the_person_is_known(mail_program, offer, sales, arrive):
    arrive(offer)
    known, unknown = unsubscribe_path(KEY), unsubscribe_path("nobody@nowhere.example")
    assert mail_program.get(known).content == mail_program.get(unknown).content
    assert mail_program.post(known).content == mail_program.post(unknown).content


@pytest.mark.parametrize(
    "change", [lambda path: path[:-2] + "x/", lambda path: re.sub("[0-9a-f]{4}", "0000", path, count=1), lambda _: "/unsubscribe/x/"]
)
def test_a_forged_link_is_a_neutral_404(mail_program, path, change):
    for answer in (mail_program.get(change(path)), mail_program.post(change(path), {"List-Unsubscribe": "One-Click"})):
        assert answer.status_code == 404
        assert not answer.cookies
    assert not Suppression.objects.exists()


def test_a_link_signed_by_another_key_is_nobodys(mail_program, path, settings):
    settings.PORTAL_KEYS = ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]
    assert mail_program.post(path).status_code == 404


def test_a_link_survives_key_rotation(mail_program, path, settings):
    settings.PORTAL_KEYS = ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", *settings.PORTAL_KEYS]
    assert mail_program.post(path).status_code == 200
    assert Suppression.holds(KEY)
    assert bytes(Suppression.objects.get().digest) == keyed_digests(KEY)[1]


def test_it_speaks_the_visitors_language(publisher, path):
    assert 'lang="cs"' in Client(headers={"accept-language": "cs"}).get(path).text


def test_other_methods_are_refused(mail_program, path):
    assert mail_program.put(path).status_code == 405


def test_a_choice_that_fails_half_way_leaves_what_was_refused(mail_program, path, monkeypatch):
    Suppression.add(KEY, Suppression.Reason.UNSUBSCRIBED)

    def fails(*_given):
        raise RuntimeError("the server went away")

    monkeypatch.setattr("campaigns.unsubscribe.prefer", fails)
    with pytest.raises(RuntimeError):
        mail_program.post(path, {"choose": "1", "wanted": ["nurture"]})
    assert Suppression.objects.get().purpose == ""
