"""One payload of every dialect that the marketplace is known to send, through the door and down the path: what is kept, and what it becomes."""

from pathlib import Path

import pytest

from leads.models import ActionCode, Demand, Lead, Submission
from portal import pipeline

SAMPLES = Path(__file__).with_name("samples")
# file: disposition, then of a lead: name, e-mail, phone, country, source, action, tail of the lead source.
MEANING = {
    "marketplace-camel.json": ("lead", "Nela Dvořáková", "nela@dvorak-stroj.example", "+420602111222", "CZ", "AzureMarketplace", "INS", "larkfield.edge-firewall"),
    "appsource-pascal.json": ("lead", "Rafael Dias", "rafael@dias-logistica.example", "+551133334444", "BR", "AppSource", "PLT", "larkfield.field-service"),
    "appsource-spza-spaces.json": ("lead", "Пётр Иванов", "petr@ivanov-zavod.example", "+78125550405", "RU", "AppSource", "INS", "larkfield.field-service"),
    "azure-portal-create.json": ("lead", "Mary Quinn", "m.quinn@quinn-steel.example", "", "US", "AzurePortal", "Create", "larkfield.edge-firewall"),
    "test-drive.json": ("lead", "Jan Bakker", "jan@bakker-sloten.example", "+31612345678", "NL", "TestDrive", "StartTestDrive", "larkfield.edge-firewall"),
    "bare-source.json": ("lead", "Niamh Kelly", "niamh@kelly.example", "", "IE", "AzureMarketplace", "INS", ""),
    "offer-title-as-tail.json": ("lead", "Inés Mora", "ines@mora-textil.example", "+34600555019", "ES", "AppSource", "PLT", "Field Service for the whole shop floor"),
    "unknown-code.json": ("lead", "Eva Horká", "eva@horka.example", "", "CZ", "AzureMarketplace", "QRX", "larkfield.edge-firewall"),
    "table-row.json": ("lead", "Leo Marsh", "leo@marsh-foods.example", "+442079460111", "GB", "AzureMarketplace", "INS", "larkfield.edge-firewall"),
    "web-to-lead.txt": ("lead", "Rui Faria", "rui@faria-metais.example", "+351222333444", "PT", "AppSource", "PLT", "Field Service"),
    "do-not-contact.json": ("do_not_contact",),
    "withheld.json": ("anonymous",),
    "validate-button.json": ("test",),
    "missing-comma.txt": ("quarantined",),
}  # fmt: skip


def test_every_sample_has_a_meaning():
    assert {path.name for path in SAMPLES.iterdir()} == set(MEANING)


@pytest.mark.parametrize("name", sorted(MEANING))
def test_a_sample_is_kept_to_the_byte_and_means_what_it_means(offer, sales, post, name):
    body = (SAMPLES / name).read_bytes()
    submission = post(offer, body, "application/x-www-form-urlencoded" if name.startswith("web") else "application/json")
    pipeline.run()
    submission.refresh_from_db()
    disposition, *meaning = MEANING[name]
    assert (submission.raw, submission.disposition) == (body, disposition)
    assert bool(submission.reason) == (disposition in ("anonymous", "quarantined"))
    if not meaning:
        assert not Lead.objects.exists()
        assert Demand.objects.count() == (disposition in ("anonymous", "do_not_contact"))
        return
    lead = Lead.objects.get(pk=submission.lead_id)
    act, contact = lead.interactions.get(), lead.contact
    assert [contact.name, contact.email, contact.phone, contact.country, act.source, act.action, act.offer] == meaning
    assert lead.score is not None and lead.owner == sales


def test_a_code_that_nobody_knows_is_kept_and_listed(offer, sales, post):
    post(offer, (SAMPLES / "unknown-code.json").read_bytes())
    pipeline.run()
    assert ActionCode.objects.get(code="QRX").known is False
    assert Lead.objects.get().interactions.get().extra == {"future": {"a": ["1", "2"]}}
    assert Submission.objects.get().reason == ""
