"""Pages of the listings: who sees what, the secret lead URL, the forms, the playbooks."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import AccessRecord
from leads.models import Submission
from listings.models import LeadUrl, Listing, Storefront
from tests.conftest import ADA, listing

NEW = {"title": "Log Vault", "slug": "", "storefront": "", "kind": "offer", "call_to_action": "contact_me", "state": "live", "lead_sharing": "on"}


@pytest.fixture
def azure(publisher):
    return Storefront.objects.get(slug="azure-marketplace")


def kinds():
    return list(AccessRecord.objects.order_by("id").values_list("kind", flat=True))


def test_every_role_knows_the_listings_but_field_sales_no_figures(offer, arrive, sales, marketing, signed_in):
    arrive(offer)
    for address in ("/listings/", "/listings/edge-firewall/"):
        page = signed_in(sales).get(address).content.decode()
        assert "Edge Firewall" in page
        assert "Ada" not in page
        assert "Healthy" not in page
        assert "Secret" not in page
    assert "Healthy" in signed_in(marketing).get("/listings/").content.decode()


def test_marketing_sees_health_and_no_secret(offer, arrive, marketing, signed_in):
    arrive(offer)
    page = signed_in(marketing).get("/listings/edge-firewall/").content.decode()
    assert "Ada Novák, Kolovrat s.r.o., Get it now" in page
    assert offer.current_lead_url().hint not in page
    assert "Secret lead URL" not in page


def test_the_list_takes_the_same_queries_for_more_listings(offer, marketing, signed_in, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = signed_in(marketing)
    browser.get("/listings/")
    with CaptureQueriesContext(connection) as first:
        browser.get("/listings/")
    asked = len(first)
    for number in range(4):
        listing(f"more-{number}", f"More {number}", "appsource", "app")
    with django_assert_num_queries(asked):
        browser.get("/listings/")


@pytest.mark.parametrize("path", ["new/", "edge-firewall/edit/", "edge-firewall/lead-url/", "edge-firewall/lead-url/new/"])
def test_only_admins_change_listings(offer, marketing, sales, signed_in, path):
    for user in (marketing, sales):
        assert signed_in(user).get(f"/listings/{path}").status_code == 403
        assert signed_in(user).post(f"/listings/{path}").status_code == 403


def test_the_secret_is_shown_after_the_password_and_written_down(offer, admin):
    browser = Client()
    browser.force_login(admin)
    secret = offer.current_lead_url().path
    answer = browser.post("/listings/edge-firewall/lead-url/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert AccessRecord.objects.filter(kind="secret_shown").count() == 0
    shown = browser.post(answer["Location"], {"password": "demo", "next": "/listings/edge-firewall/lead-url/"})
    assert f"http://testserver{secret}" in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    record = AccessRecord.objects.get(kind="secret_shown")
    assert (record.user, record.subject) == (admin, "lead URL of edge-firewall")


def test_a_wrong_password_shows_nothing(offer, admin, signed_in):
    browser = signed_in(admin)
    answer = browser.post("/listings/edge-firewall/lead-url/")
    page = browser.post(answer["Location"], {"password": "wrong", "next": "/listings/edge-firewall/lead-url/"})
    assert offer.current_lead_url().path not in page.content.decode()
    assert not AccessRecord.objects.filter(kind="secret_shown").exists()


def test_the_secret_has_no_address_to_visit(offer, admin, signed_in):
    answer = signed_in(admin).get("/listings/edge-firewall/lead-url/")
    assert (answer.status_code, answer["Location"]) == (302, "/listings/edge-firewall/")


def test_the_listing_page_masks_all_but_the_last_four(offer, admin, signed_in):
    page = signed_in(admin).get("/listings/edge-firewall/").content.decode()
    path = offer.current_lead_url().path
    assert path[-4:] in page
    assert path[-12:] not in page


def test_rotation_keeps_the_old_one_working_for_a_week(offer, admin, signed_in):
    old = offer.current_lead_url()
    signed_in(admin).post("/listings/edge-firewall/lead-url/new/", {"replaces": old.pk})
    new = offer.current_lead_url()
    assert new.pk != old.pk
    for url in (old, new):
        assert Client().post(url.path, ADA, content_type="application/json").status_code == 202
    LeadUrl.objects.filter(pk=old.pk).update(ends_at=new.created_at - timedelta(hours=1))
    assert Client().post(old.path, ADA, content_type="application/json").status_code == 404
    assert Submission.objects.count() == 2
    assert kinds() == ["secret_rotated"]


def test_a_second_click_rotates_nothing(offer, admin, signed_in):
    browser, old = signed_in(admin), offer.current_lead_url()
    for _click in range(2):
        answer = browser.post("/listings/edge-firewall/lead-url/new/", {"replaces": old.pk}, follow=True)
    assert "rotated it already" in answer.content.decode()
    assert offer.lead_urls.count() == 2


def test_a_new_listing_gets_its_secret_at_once(azure, admin, signed_in):
    answer = signed_in(admin).post("/listings/new/", NEW | {"storefront": azure.pk})
    made = Listing.objects.get()
    assert answer["Location"] == "/listings/log-vault/"
    assert made.current_lead_url() is not None


def test_a_new_listing_does_not_claim_to_be_connected(azure, admin, signed_in):
    assert not signed_in(admin).get("/listings/new/").context["form"]["lead_sharing"].value()


def test_a_kind_that_the_storefront_does_not_carry_is_refused_in_words(azure, admin, signed_in):
    answer = signed_in(admin).post("/listings/new/", NEW | {"storefront": azure.pk, "kind": "app"})
    message = "Azure Marketplace carries Offer, Technology; a listing of the kind App does not belong there."
    assert message in answer.context["form"].errors["kind"]
    assert not Listing.objects.exists()


@pytest.mark.parametrize(
    ("title", "slug", "said"),
    [("Новое", "", "short name"), ("New", "new", "address of the portal"), ("Log Vault", "edge-firewall", "already exists")],
)
def test_short_names_are_given_free_and_not_taken(azure, offer, admin, signed_in, title, slug, said):
    answer = signed_in(admin).post("/listings/new/", NEW | {"storefront": azure.pk, "title": title, "slug": slug})
    assert said in str(answer.context["form"].errors)


def test_two_listings_of_one_title_do_not_break(azure, admin, signed_in):
    browser = signed_in(admin)
    for _time in range(2):
        answer = browser.post("/listings/new/", NEW | {"storefront": azure.pk})
    assert answer.status_code == 422
    assert "already exists" in str(answer.context["form"].errors)


def test_edits_are_saved_and_written_down(offer, admin, signed_in):
    form = NEW | {"title": "Edge Firewall 2", "storefront": offer.storefront_id, "lead_sharing": ""}
    signed_in(admin).post("/listings/edge-firewall/edit/", form)
    offer.refresh_from_db()
    assert (offer.title, offer.lead_sharing) == ("Edge Firewall 2", False)
    assert kinds() == ["changed"]


def test_playbooks_show_the_table_of_both_storefronts(publisher, marketing, signed_in):
    page = signed_in(marketing).get("/setup/playbooks/").content.decode()
    for words in (
        "Business customers", "All customers", "Nurture", "In-demand generation", "App, Consulting service", "Offer, Technology",
        "Your CRM, Microsoft field seller CRM", "Azure Marketplace, Microsoft field seller CRM",
        "When it is act now, asked to be contacted, or reached the nurture goal", "At once", "24 h",
    ):  # fmt: skip
        assert words in page


def test_admins_edit_a_playbook_but_not_under_its_listings(app, admin, marketing, signed_in):
    form = {
        "audience": "business", "campaign_kind": "nurture", "listing_kinds": ["consulting_service"], "follow_up_systems": ["crm"], "owner_when": "ready",
        "respond_within_hours": 8,
    }  # fmt: skip
    assert signed_in(marketing).post("/setup/playbooks/appsource/", form).status_code == 403
    browser = signed_in(admin)
    answer = browser.post("/setup/playbooks/appsource/", form)
    assert answer.context["form"].errors["listing_kinds"] == ["Field Service is of the kind App."]
    assert browser.post("/setup/playbooks/appsource/", form | {"listing_kinds": ["app"]}).status_code == 302
    assert Storefront.objects.get(slug="appsource").respond_within_hours == 8
