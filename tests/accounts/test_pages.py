"""Oneself, people, teams, tokens and the audit in the browser."""

import threading

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import AccessRecord, ApiToken, Team, User
from accounts.people import give_roles
from tests.conftest import at_once, person

INVITED = {"username": "nina", "first_name": "Nina", "last_name": "Vos", "email": "nina@larkfield.example", "roles": ["marketing"]}


@pytest.fixture
def boss(admin, signed_in, publisher):
    return signed_in(admin)


@pytest.mark.parametrize("page", ["/setup/people/", "/setup/people/new/", "/setup/people/teams/new/", "/setup/audit/"])
def test_people_and_audit_are_for_admins(page, publisher, admin, marketing, sales, signed_in):
    assert signed_in(admin).get(page).status_code == 200
    for user in (marketing, sales):
        assert signed_in(user).get(page).status_code == 403
    assert Client().get(page).status_code == 302


def test_preferences_keep_name_zone_and_language_with_its_cookie(sales, signed_in):
    browser = signed_in(sales)
    given = {"first_name": "Ana", "last_name": "Duarte", "language": "cs", "time_zone": "Europe/Prague"}
    answer = browser.post("/account/", given)
    sales.refresh_from_db()
    assert (sales.full_name, sales.language, sales.time_zone) == ("Ana Duarte", "cs", "Europe/Prague")
    assert answer.cookies["django_language"].value == "cs"
    assert 'lang="cs"' in browser.get("/account/").text
    assert browser.post("/account/", given | {"time_zone": "Mars/Base"}).status_code == 422
    assert browser.post("/account/", given | {"language": ""}).cookies["django_language"]["max-age"] == 0


def test_a_token_is_shown_once_and_works(sales, signed_in):
    browser = signed_in(sales)
    answer = browser.post("/account/tokens/", {"name": "reporting", "scopes": ["read"], "days": "30"})
    assert answer.status_code == 302
    page = browser.get("/account/tokens/")
    token = next(word for word in page.text.replace(">", " ").replace("<", " ").split() if word.startswith("pp_"))
    assert "no-store" in page["Cache-Control"]
    assert token not in browser.get("/account/tokens/").text
    assert Client(headers={"authorization": f"Bearer {token}"}).get("/api/v1/leads/").status_code == 200
    assert (ApiToken.objects.get().scopes, AccessRecord.objects.filter(kind="token_issued").count()) == (["read"], 1)


def test_nobody_gives_a_token_more_than_they_may(sales, signed_in):
    assert signed_in(sales).post("/account/tokens/", {"name": "x", "scopes": ["admin"], "days": "30"}).status_code == 422
    assert not ApiToken.objects.exists()


def test_tokens_are_revoked_by_their_owner_or_an_admin_and_seen_by_no_other(sales, marketing, admin, signed_in):
    ApiToken.issue(sales, "theirs", ["read"])
    token = ApiToken.objects.get()
    other = signed_in(marketing)
    assert "theirs" not in other.get("/account/tokens/?all=1").text
    assert other.post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
    boss = signed_in(admin)
    assert "theirs" in boss.get("/account/tokens/?all=1").text
    boss.post(f"/account/tokens/{token.pk}/revoke/")
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_an_invited_person_sets_their_own_password(boss):
    assert boss.post("/setup/people/new/", INVITED).status_code == 302
    user = User.objects.get(username="nina")
    assert (user.role_names, user.has_usable_password(), user.is_staff) == ({"marketing"}, False, False)
    [message] = mail.outbox
    assert message.to == ["nina@larkfield.example"]
    link = "/" + next(word for word in message.body.split() if "/password/reset/" in word).split("/", 3)[3]
    visitor = Client()
    page = visitor.get(link, follow=True)
    visitor.post(page.redirect_chain[-1][0], {"password1": "Zk7-platan-okno", "password2": "Zk7-platan-okno"})
    user.refresh_from_db()
    assert user.check_password("Zk7-platan-okno")


def test_an_address_belongs_to_one_person(boss, sales):
    answer = boss.post("/setup/people/new/", INVITED | {"email": "SALES@larkfield.example"})
    assert answer.status_code == 422
    assert "Somebody else has this address." in answer.text


def test_roles_change_and_admins_enter_the_back_office(boss, marketing):
    given = {"first_name": "M", "last_name": "", "email": marketing.email, "roles": ["marketing", "admin"]}
    boss.post(f"/setup/people/{marketing.pk}/", given)
    user = User.objects.get(pk=marketing.pk)
    assert (user.role_names, user.is_staff, user.is_superuser) == ({"marketing", "admin"}, True, True)
    boss.post(f"/setup/people/{marketing.pk}/", given | {"roles": ["sales"]})
    user = User.objects.get(pk=marketing.pk)
    assert (user.role_names, user.is_staff, user.is_superuser) == ({"sales"}, False, False)


def test_there_is_always_an_admin(boss, admin):
    given = {"first_name": "A", "last_name": "", "email": admin.email, "roles": ["sales"]}
    answer = boss.post(f"/setup/people/{admin.pk}/", given)
    assert answer.status_code == 422
    assert "This is the last admin" in answer.text
    boss.post(f"/setup/people/{admin.pk}/active/", {"active": "0"})
    assert User.objects.get(pk=admin.pk).is_active
    assert User.objects.get(pk=admin.pk).role_names == {"admin"}


def test_somebody_deactivated_is_out_at_once(boss, marketing, signed_in, api):
    browser, client = signed_in(marketing), api(marketing)
    assert browser.get("/campaigns/").status_code == 200
    boss.post(f"/setup/people/{marketing.pk}/active/", {"active": "0"})
    assert browser.get("/campaigns/").status_code == 302
    assert client.get("/api/v1/leads/").status_code == 401
    boss.post(f"/setup/people/{marketing.pk}/active/", {"active": "1"})
    assert browser.get("/campaigns/").status_code == 200


def test_a_team_is_made_of_sellers(boss, sales, stranger, marketing):
    boss.post("/setup/people/teams/new/", {"name": "North", "leader": sales.pk, "members": [stranger.pk]})
    team = Team.objects.get()
    assert (team.leader, list(team.members.all())) == (sales, [stranger])
    assert boss.post(f"/setup/people/teams/{team.pk}/", {"name": "North", "leader": marketing.pk}).status_code == 422
    boss.post(f"/setup/people/teams/{team.pk}/remove/")
    assert not Team.objects.exists()
    assert User.objects.filter(pk=stranger.pk).exists()


def test_the_audit_shows_the_newest_first_and_filters(boss, marketing, sales):
    for user, subject in ((marketing, "first thing"), (sales, "second thing")):
        AccessRecord.objects.create(user=user, kind="changed", subject=subject, count=4_321)
    text = boss.get("/setup/audit/").text
    assert text.index("second thing") < text.index("first thing")
    assert "4,321" in text
    assert "second thing" not in boss.get("/setup/audit/?user=marketing").text
    assert "first thing" not in boss.get("/setup/audit/?kind=exported").text
    assert boss.get("/setup/audit/?kind=nothing&user=nobody&before=x").status_code == 200


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_admins_who_leave_at_once_are_not_both_let_go():
    pair = [person(name, "admin") for name in ("first", "second")]
    refused, ready = [], threading.Barrier(2, timeout=20)

    def leave():
        with lock:
            user = pair.pop()
        ready.wait()
        try:
            give_roles(user, ["sales"])
        except ValidationError:
            refused.append(user)

    lock = threading.Lock()
    at_once(2, leave)
    assert len(refused) == 1
    assert User.objects.filter(groups__name="admin", is_active=True).get() == refused[0]
