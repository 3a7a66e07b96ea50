"""The back office: its door is the portal's own, secrets are not shown, and what the portal writes by itself can't be changed."""

from django.contrib import admin as back_office
from django.test import Client
from django.urls import reverse

from accounts.models import AccessRecord, ApiToken
from delivery.models import Destination
from listings.models import Listing, Storefront
from scoring.models import ScoreVersion

NEW = {"slug": "log-vault", "title": "Log Vault", "kind": "offer", "call_to_action": "contact_me", "state": "live"}
NO_URLS = {"lead_urls-TOTAL_FORMS": 0, "lead_urls-INITIAL_FORMS": 0}


def test_it_has_no_sign_in_of_its_own(admin):
    first = Client().get("/admin/")
    assert first["Location"] == "/admin/login/?next=/admin/"
    assert Client().get(first["Location"])["Location"] == "/accounts/login/?next=/admin/"
    beside = Client().post("/admin/login/", {"username": "admin", "password": "demo"})
    assert beside["Location"].startswith("/accounts/login/")


def test_an_admin_outside_the_demo_needs_the_second_factor_here_too(admin, signed_in):
    admin.is_demo = False
    admin.save()
    browser = signed_in(admin)
    assert browser.get("/admin/").status_code == 302
    assert "2fa" in browser.get("/admin/login/?next=/admin/")["Location"]


def test_who_is_not_staff_stays_outside(sales, marketing, signed_in):
    for user in (sales, marketing):
        assert signed_in(user).get("/admin/", follow=True).status_code == 403


def test_every_list_opens_and_shows_no_secret(offer, admin, arrive, signed_in):
    secret = "whsec_" + "a" * 32
    destination = Destination(name="CRM", kind="https", config={"url": "https://crm.example"})
    destination.keep_secret(secret)
    destination.save()
    destination.listings.add(offer)
    arrive(offer)
    hidden = (secret, ApiToken.issue(admin, "mine", ["read"]), offer.current_lead_url().path[4:])
    browser = signed_in(admin)
    for model in back_office.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages = [reverse(f"{name}_changelist"), *(reverse(f"{name}_change", args=[one.pk]) for one in model._default_manager.all()[:1])]
        for page in pages:
            answer = browser.get(page)
            assert answer.status_code == 200, page
            assert not [word for word in hidden if word in answer.content.decode()], page


def test_the_audit_and_published_scores_are_only_read(admin, signed_in):
    record = AccessRecord.objects.create(user=admin, kind="signed_in")
    browser = signed_in(admin)
    for row in (record, ScoreVersion.objects.get(number=1)):
        address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        assert browser.post(address, {}).status_code == 403
        assert browser.post(address.replace("change", "delete"), {"post": "yes"}).status_code == 403


def test_a_listing_made_here_gets_its_secret_at_once(publisher, admin, signed_in):
    azure = Storefront.objects.get(slug="azure-marketplace")
    answer = signed_in(admin).post("/admin/listings/listing/add/", NEW | NO_URLS | {"storefront": azure.pk})
    assert answer.status_code == 302
    assert Listing.objects.get().current_lead_url() is not None


def test_tokens_are_revoked_here(admin, signed_in):
    ApiToken.issue(admin, "mine", ["read"])
    token = ApiToken.objects.get()
    signed_in(admin).post("/admin/accounts/apitoken/", {"action": "revoke", "_selected_action": [token.pk]})
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_a_long_table_is_counted_no_further_than_its_bound(offer, admin, arrive, signed_in, monkeypatch):
    monkeypatch.setattr("accounts.admin.Bounded.FAR", 2)
    for number in range(4):
        arrive(offer, email=f"p{number}@kolovrat.example")
    browser = signed_in(admin)
    for name in ("lead", "activity", "interaction", "submission"):
        assert browser.get(reverse(f"admin:leads_{name}_changelist")).context["cl"].result_count == 2
