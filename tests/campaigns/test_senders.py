"""The addresses that campaigns write from: added, asked again, removed, and which of them is in use."""

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import AccessRecord
from campaigns.models import Sender
from listings.models import Storefront

PAGE = "/campaigns/senders/"


@pytest.fixture
def browser(publisher, marketing, signed_in):
    return signed_in(marketing)


@pytest.fixture
def waiting(db):
    return Sender.objects.create(address="hello@larkfield.example", name="Larkfield")


class Refusing:
    """A mail server that takes nothing."""

    def send_messages(self, messages):
        raise ConnectionRefusedError


def test_an_address_is_asked_again_until_it_is_verified(browser, waiting):
    assert "Verification mail sent to hello@larkfield.example" in browser.post(f"{PAGE}{waiting.pk}/ask/", follow=True).text
    assert [message.to for message in mail.outbox] == [["hello@larkfield.example"]]
    Sender.objects.update(verified_at=timezone.now())
    assert browser.post(f"{PAGE}{waiting.pk}/ask/").status_code == 404
    assert len(mail.outbox) == 1


def test_a_mail_server_that_refuses_costs_no_address(browser, monkeypatch):
    monkeypatch.setattr("django.core.mail.message.EmailMessage.get_connection", lambda self, fail_silently=False: Refusing())
    page = browser.post(PAGE, {"address": "hello@larkfield.example", "name": ""}, follow=True)
    assert "The mail server did not take the verification mail. The address is kept; try again later." in page.text
    assert Sender.objects.get().verified_at is None


def test_a_removed_address_writes_nothing_more_and_it_is_written_down(browser, waiting):
    Sender.objects.update(verified_at=timezone.now())
    assert Sender.served() == {None}
    assert "hello@larkfield.example removed" in browser.post(f"{PAGE}{waiting.pk}/remove/", follow=True).text
    assert Sender.served() == set()
    assert AccessRecord.objects.filter(subject=f"sender {waiting.pk} removed").exists()


def test_of_two_the_one_of_the_storefront_is_in_use(browser, waiting):
    appsource = Storefront.objects.get(slug="appsource")
    Sender.objects.update(verified_at=timezone.now())
    own = Sender.objects.create(address="apps@larkfield.example", storefront=appsource, verified_at=timezone.now())
    unverified = Sender.objects.create(address="soon@larkfield.example", storefront=Storefront.objects.get(slug="azure-marketplace"))
    assert browser.get(PAGE).context["in_use"] == {waiting.pk, own.pk}
    assert unverified.pk not in browser.get(PAGE).context["in_use"]


@pytest.mark.parametrize("address", ["", "no address", "two@a.example, three@a.example", "hello@larkfield.example\nBcc: all@a.example"])
def test_what_is_no_address_is_refused_beside_its_field(browser, address):
    page = browser.post(PAGE, {"address": address, "name": ""})
    assert page.status_code == 422
    assert page.context["form"].errors["address"]
    assert not mail.outbox
    assert not Sender.objects.exists()


def test_field_sales_has_nothing_to_do_here(sales, waiting, signed_in):
    for path in ("", f"{waiting.pk}/ask/", f"{waiting.pk}/remove/"):
        assert signed_in(sales).post(f"{PAGE}{path}").status_code == 403
    assert Sender.objects.filter(pk=waiting.pk).exists()
