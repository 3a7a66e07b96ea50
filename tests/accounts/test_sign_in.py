"""Who may sign in, from where, and what is written down about it."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import AccessRecord, Team, User
from leads.models import Lead


@pytest.fixture(autouse=True)
def calm(db):
    cache.clear()


def sign_in(name, password="demo", **extra):
    client = Client(**extra)
    answer = client.post("/accounts/login/", {"login": name, "password": password})
    return client, answer


@pytest.mark.parametrize("name", ["sales", "sales@larkfield.example", "SALES@larkfield.example"])
def test_username_or_email_signs_in(sales, name):
    _, answer = sign_in(name)
    assert answer.status_code == 302
    assert AccessRecord.objects.get(kind="signed_in").user == sales


def test_a_wrong_password_is_refused_and_written_down(sales):
    _, answer = sign_in("sales", "wrong")
    assert answer.status_code == 200
    assert AccessRecord.objects.get().kind == "sign_in_failed"
    assert sign_in("nobody", "wrong")[1].content.count(b"error") == answer.content.count(b"error")


def test_demo_users_sign_in_from_this_machine_only(sales):
    _, answer = sign_in("sales", REMOTE_ADDR="203.0.113.9")
    assert answer.status_code == 200
    assert not AccessRecord.objects.filter(kind="signed_in").exists()


def test_demo_users_do_not_sign_in_without_demo(sales, settings):
    settings.DEMO = False
    assert sign_in("sales")[1].status_code == 200


def test_a_demo_users_token_works_from_this_machine_only(sales, api):
    client = api(sales)
    assert client.get("/api/v1/leads/").status_code == 200
    assert client.get("/api/v1/leads/", REMOTE_ADDR="203.0.113.9").status_code == 401


def test_nobody_signs_up(db):
    answer = Client().post(
        "/accounts/signup/", {"username": "eve", "email": "eve@x.example", "password1": "Long-enough-1", "password2": "Long-enough-1"}
    )
    assert not User.objects.filter(username="eve").exists()
    assert answer.status_code == 404


def test_many_wrong_passwords_are_throttled_in_the_database(sales):
    statuses = [sign_in("sales", f"wrong{n}")[1] for n in range(12)]
    assert statuses[-1].status_code == 429 or b"Too many" in statuses[-1].content


def test_admins_outside_the_demo_set_up_a_second_factor_first(admin, signed_in):
    admin.is_demo = False
    admin.save()
    answer = signed_in(admin).get("/")
    assert answer.status_code == 302
    assert "2fa/totp/activate" in answer["Location"]


def test_signing_out_ends_the_session(sales):
    client, _ = sign_in("sales")
    client.post("/accounts/logout/")
    assert client.get("/").status_code == 302
    assert "login" in client.get("/")["Location"]
    assert AccessRecord.objects.filter(kind="signed_out", user=sales).exists()


def test_a_disabled_user_is_out_at_the_next_request(sales):
    client, _ = sign_in("sales")
    User.objects.filter(pk=sales.pk).update(is_active=False)
    assert "login" in client.get("/")["Location"]


def test_a_team_lead_sees_the_teams_leads_and_members_do_not_see_each_others(offer, sales, stranger, arrive):
    lead = arrive(offer)
    owner, other = (sales, stranger) if lead.owner == sales else (stranger, sales)
    team = Team.objects.create(name="North")
    team.members.add(owner, other)
    assert not Lead.objects.visible_to(other).exists()
    team.leader = other
    team.save()
    assert set(Lead.objects.visible_to(User.objects.get(pk=other.pk))) == {lead}


def test_somebody_without_a_role_sees_nothing(offer, sales, arrive, signed_in):
    lead = arrive(offer)
    nobody = User.objects.create_user("nobody", "nobody@x.example", "x")
    assert not Lead.objects.visible_to(nobody).exists()
    assert signed_in(nobody).get("/").status_code == 403
    nobody.groups.add(Group.objects.get(name="sales"))
    assert not Lead.objects.visible_to(User.objects.get(pk=nobody.pk)).filter(pk=lead.pk).exists()


def test_pages_with_personal_data_are_not_stored(sales, signed_in):
    assert signed_in(sales).get("/")["Cache-Control"] == "no-store"


def test_headers_of_every_page(sales, signed_in):
    answer = Client().get("/accounts/login/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(("minutes", "is_in"), [(29, True), (31, False)])
def test_a_visit_ends_after_half_an_hour_without_a_request(sales, minutes, is_in):
    browser, _ = sign_in("sales")
    start = timezone.now()
    with time_machine.travel(start + timedelta(minutes=20), tick=False):
        assert browser.get("/leads/").status_code == 200
    with time_machine.travel(start + timedelta(minutes=20 + minutes), tick=False):
        assert (browser.get("/leads/").status_code == 200) is is_in
        assert ("_auth_user_id" in browser.session) is is_in
        assert ("You were signed out after 30 minutes without use" in browser.get("/accounts/login/", follow=True).content.decode()) is not is_in


def test_a_visit_ends_twelve_hours_after_it_began_however_busy_it_is(sales):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        browser, _ = sign_in("sales")
        for _ in range(35):
            clock.shift(timedelta(minutes=20))
            assert browser.get("/leads/").status_code == 200
        clock.shift(timedelta(minutes=21))
        answer = browser.get("/leads/")
        assert answer.status_code == 302
        assert answer["Clear-Site-Data"] == '"cache"'
    assert AccessRecord.objects.filter(kind="signed_out", user=sales, subject="by itself").count() == 1


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://testserver/leads/?status=won", "/leads/%3Fstatus%3Dwon"), ("https://evil.example/leads/", "/"), ("", "/"), ("javascript:alert(1)", "/"),
        ("http://testserver", "/"),
    ],
)  # fmt: skip
def test_who_sent_a_form_too_late_signs_in_and_is_back_on_its_page(publisher, referer, back):
    answer = Client().post("/leads/picked/status/", {"status": "won"}, headers={"referer": referer} if referer else {})
    assert answer.status_code == 302
    assert answer["Location"].replace("%2F", "/") == f"/accounts/login/?next={back}"


def test_a_part_of_a_page_that_is_asked_for_too_late_sends_the_whole_page_to_sign_in(publisher):
    answer = Client().get("/leads/", headers={"hx-request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (200, answer["Location"])


def test_too_many_tries_are_answered_in_the_portal_s_own_words(client, db, settings):
    settings.ACCOUNT_RATE_LIMITS = {"reset_password": "1/h/ip"}
    client.cookies["django_language"] = "cs"
    answers = [client.post("/accounts/password/reset/", {"email": "nobody@x.example"}) for _ in range(3)]
    assert answers[-1].status_code == 429
    assert "Příliš mnoho pokusů" in answers[-1].content.decode()


@pytest.mark.parametrize("language", ["en", "es", "pt-br", "nl", "cs", "ru"])
def test_every_language_is_called_by_its_own_name_and_no_password_rule_is_left_in_english(language, client, admin, signed_in):
    browser = signed_in(admin)
    browser.cookies["django_language"] = language
    page = browser.post("/accounts/password/change/", {"oldpassword": "x", "password1": "a1", "password2": "a1"}).content.decode()
    assert ">English<" in page.replace("\n", "")
    assert ("too short" in page) == (language == "en")
