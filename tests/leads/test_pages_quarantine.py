"""The quarantine: shown safely, repaired, run again; unknown action codes."""

import pytest

from accounts.models import AccessRecord
from leads.evidence import evidence
from leads.health import arrivals
from leads.models import ActionCode, Lead, Submission
from portal import pipeline

BROKEN = b'{"userDetails": {"firstName": "<script>Ada</script>" "email": "ada@kolovrat.example"}, "leadSource": "AzureMarketplace-INS|a.b"}'
MENDED = '{"userDetails": {"firstName": "Ada", "email": "ada@kolovrat.example"},\r\n "leadSource": "AzureMarketplace-INS|a.b"}'


@pytest.fixture
def broken(offer, sales, post):
    submission = post(offer, BROKEN)
    pipeline.run()
    return Submission.objects.get(pk=submission.pk)


def test_only_the_office_sees_it(broken, sales, marketing, admin, signed_in):
    for path in ("/leads/quarantine/", f"/leads/quarantine/{broken.pk}/"):
        assert signed_in(sales).get(path).status_code == 403
        assert signed_in(marketing).get(path).status_code == signed_in(admin).get(path).status_code == 200
    assert signed_in(sales).post(f"/leads/quarantine/{broken.pk}/run/").status_code == 403


def test_bytes_are_shown_and_never_as_markup(broken, marketing, signed_in):
    page = signed_in(marketing).get(f"/leads/quarantine/{broken.pk}/").content.decode()
    assert "<script>Ada" not in page
    assert "&lt;script&gt;Ada" in page
    assert "Not valid JSON" in page
    assert "Not valid JSON" in signed_in(marketing).get("/leads/quarantine/").content.decode()


def test_who_repaired_it_is_in_the_audit(broken, marketing, signed_in):
    signed_in(marketing).post(f"/leads/quarantine/{broken.pk}/run/", {"repair": "1", "text": MENDED})
    assert AccessRecord.objects.filter(user=marketing, subject=f"submission {broken.pk} repaired").count() == 1


def test_a_repaired_copy_becomes_a_lead_and_the_bytes_stay(broken, marketing, signed_in):
    browser = signed_in(marketing)
    answer = browser.post(f"/leads/quarantine/{broken.pk}/run/", {"repair": "1", "text": MENDED})
    lead = Lead.objects.get()
    assert answer["Location"] == f"/leads/{lead.pk}/"
    broken.refresh_from_db()
    assert (broken.disposition, broken.raw, broken.lead) == ("lead", BROKEN, lead)
    assert broken.readable.decode("utf-8-sig") == MENDED
    assert "stays in the archive" in browser.get(f"/leads/quarantine/{broken.pk}/").content.decode()


def test_a_repair_is_utf8_whatever_the_sender_declared(offer, sales, marketing, post, signed_in):
    submission = post(offer, b"odd")
    Submission.objects.update(content_type="application/json; charset=utf-16")
    pipeline.run()
    signed_in(marketing).post(f"/leads/quarantine/{submission.pk}/run/", {"repair": "1", "text": MENDED})
    assert Lead.objects.get().contact.first_name == "Ada"


def test_unchanged_it_stays_and_says_why(broken, marketing, signed_in):
    page = signed_in(marketing).post(f"/leads/quarantine/{broken.pk}/run/", follow=True)
    assert "Still not readable: Not valid JSON" in page.content.decode()
    page = signed_in(marketing).post(f"/leads/quarantine/{broken.pk}/run/", {"repair": "1", "text": ""}, follow=True)
    assert page.status_code == 200
    broken.refresh_from_db()
    assert (broken.disposition, broken.repair) == ("quarantined", None)


def test_a_settled_submission_is_not_run_again(broken, marketing, signed_in):
    browser = signed_in(marketing)
    for _ in range(2):
        browser.post(f"/leads/quarantine/{broken.pk}/run/", {"repair": "1", "text": MENDED})
    assert Lead.objects.get().interaction_count == 1


def test_what_is_no_lead_is_discarded_and_can_be_taken_up_again(broken, offer, marketing, signed_in):
    browser = signed_in(marketing)
    page = browser.post(f"/leads/quarantine/{broken.pk}/discard/", follow=True).content.decode()
    assert "Nothing in quarantine" in page
    assert f'action="/leads/quarantine/{broken.pk}/run/"' in page  # Undo
    broken.refresh_from_db()
    assert (broken.disposition, broken.raw) == ("refused", BROKEN)
    assert broken.why == "Discarded by Marketing: it was no lead."
    assert AccessRecord.objects.filter(subject=f"submission {broken.pk} discarded", user=marketing).exists()
    assert [check.title for check in arrivals([offer])[offer.pk] if check.name == "failures"] == ["Nothing failed to be read"]
    assert "no longer in quarantine" in browser.post(f"/leads/quarantine/{broken.pk}/discard/", follow=True).content.decode()
    browser.post(f"/leads/quarantine/{broken.pk}/run/", {"repair": "1", "text": MENDED})
    assert Lead.objects.get().contact.first_name == "Ada"


def test_a_lead_is_not_discarded(offer, sales, marketing, arrive, signed_in):
    lead = arrive(offer)
    submission = lead.submissions.get()
    signed_in(marketing).post(f"/leads/quarantine/{submission.pk}/discard/")
    submission.refresh_from_db()
    assert submission.disposition == "lead"


@pytest.mark.parametrize(
    ("raw", "kind", "text", "is_binary"),
    [
        (b'{"a": "caf\xc3\xa9"}', "application/json", '{"a": "café"}', False),
        (b'{"a": "caf\xe9 au lait"}', "application/json", '{"a": "caf\ufffd au lait"}', False),
        (b'{"a": "caf\xe9"}', "application/json; charset=latin-1", '{"a": "café"}', False),
        ('{"a": 1}'.encode("utf-16"), "application/json", '{"a": 1}', False),
        (bytes(range(4)), "", "00000000  00 01 02 03                                      ....", True),
        (b"", "", "", False),
    ],
)
def test_evidence(raw, kind, text, is_binary):
    seen = evidence(raw, kind)
    assert (seen.text, seen.is_binary, seen.is_whole) == (text, is_binary, True)


def test_long_bytes_are_cut(publisher):
    assert not evidence(b"x" * 300_000, "").is_whole
    assert len(evidence(bytes(300_000), "").text) < 100_000


def test_unknown_action_codes_are_listed_until_an_admin_knows_them(offer, sales, marketing, admin, arrive, signed_in):
    arrive(offer, actionCode="../odd/code")
    assert "../odd/code" in signed_in(marketing).get("/leads/quarantine/").content.decode()
    assert signed_in(marketing).post("/leads/quarantine/codes/", {"code": "../odd/code"}).status_code == 403
    assert signed_in(admin).post("/leads/quarantine/codes/", {"code": "none"}).status_code == 404
    page = signed_in(admin).post("/leads/quarantine/codes/", {"code": "../odd/code"}, follow=True)
    assert "Unknown action codes" not in page.content.decode()
    assert ActionCode.objects.get(code="../odd/code").known


def test_what_was_taken_for_a_test_in_error_is_read_in_a_copy_without_the_mark(offer, sales, post, marketing, signed_in):
    taken = post(offer, company="MSFT_TEST Instruments")
    pipeline.run()
    browser, path = signed_in(marketing), f"/leads/quarantine/{taken.pk}/"
    assert "Run repaired copy" in browser.get(path).text
    browser.post(f"{path}run/", {"repair": "1", "text": browser.get(path).context["form"].initial["text"].replace("MSFT_TEST ", "")})
    taken.refresh_from_db()
    assert (taken.disposition, Lead.objects.get().contact.company_name) == ("lead", "Instruments")
    browser.post(f"{path}run/")
    taken.refresh_from_db()
    assert taken.disposition == "lead"
