"""The record of a lead, My day and the pipeline: who may open them, and what people do there."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AccessRecord
from campaigns.models import Suppression
from delivery.models import Delivery, Destination
from leads import work
from leads.models import Activity, Contact, Lead, Task
from leads.story import sentence, side
from portal import pipeline
from routing.models import Seller

FOREIGN = ("", "status/", "notes/", "calls/", "wrote/", "tasks/", "contact/")


@pytest.fixture
def lead(offer, sales, stranger, arrive):
    """Ada's lead, owned by `sales`."""
    Seller.objects.filter(user=stranger).update(takes_leads=False)
    return arrive(offer, description="We plan on paper today.\n<b>Can</b> you help?")


def url(lead, tail=""):
    return f"/leads/{lead.pk}/{tail}"


def test_a_foreign_lead_is_404_whatever_one_does(lead, stranger, signed_in):
    browser = signed_in(stranger)
    task = work.add_task(lead, lead.owner, "Call back", timezone.now())
    for tail in FOREIGN:
        assert browser.post(url(lead, tail), {"note": "x", "status": "won", "title": "x", "due_at": "2030-01-01T09:00"}).status_code in (404, 405)
        assert browser.get(url(lead, tail)).status_code in (404, 405)
    assert browser.get(url(lead)).status_code == browser.get(url(lead, "contact/")).status_code == 404
    assert browser.post(f"/leads/tasks/{task.pk}/done/").status_code == 404
    assert browser.post(f"/routing/leads/{lead.pk}/owner/", {"owner": "stranger"}).status_code == 403
    assert Activity.objects.filter(lead=lead, kind__in=("noted", "called", "wrote", "status", "task_done")).count() == 0
    assert not AccessRecord.objects.filter(kind="personal_data_read").exists()


def test_the_record_says_who_what_why_whose_and_by_when(lead, sales, signed_in):
    page = signed_in(sales).get(url(lead))
    text = page.content.decode()
    for words in (
        "Ada Novák",
        "Kolovrat s.r.o.",
        "Czechia",
        "We plan on paper today.",
        f"Why {lead.score}",
        "left",
        "lowest load: 0 open",
        "tel:+420555010203",
        "mailto:ada",
    ):
        assert words in text, words
    assert "<b>Can</b>" not in text
    assert "&lt;b&gt;Can&lt;/b&gt;" in text
    assert AccessRecord.objects.get(kind="personal_data_read").subject == f"lead {lead.pk}"
    lines = [line for _name, lines, *_ in page.context["main"][0].data["columns"] for line in lines]
    assert sum(line.points for line in lines) == lead.score


def test_the_panels_stand_in_their_order(lead, marketing, offer, signed_in):
    destination = Destination.objects.create(name="Your CRM", kind="https")
    delivery = Delivery.objects.create(lead=lead, destination=destination, revision=1, state="dead", attempts=3, last_error="503 Service Unavailable")
    Suppression.add(lead.contact.email, "unsubscribed")
    page = signed_in(marketing).get(url(lead))
    assert [part.name for part in page.context["main"]] == ["score"]
    assert [part.name for part in page.context["rail"]] == ["owner", "campaigns", "deliveries", "value", "tags", "consent"]
    text = page.content.decode()
    assert "Attempt 3, “503 Service Unavailable”." in text
    assert "Wants no mail" in text
    signed_in(marketing).post(f"/follow-up/deliveries/{delivery.pk}/again/")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("due", 0)


def test_a_seller_sends_nothing_again(lead, sales, signed_in):
    delivery = Delivery.objects.create(lead=lead, destination=Destination.objects.create(name="CRM", kind="https"), revision=1, state="dead")
    assert signed_in(sales).post(f"/follow-up/deliveries/{delivery.pk}/again/").status_code == 403
    assert "Retry now" not in signed_in(sales).get(url(lead)).content.decode()


def test_other_leads_beside_the_record_are_only_ones_the_user_sees(lead, app, offer, sales, stranger, marketing, arrive, signed_in):
    other = arrive(app, leadSource="AppSource-PLT|x.y", actionCode="PLT")
    colleague = arrive(offer, email="jan@kolovrat.example", firstName="Jan")
    Lead.objects.filter(pk__in=[other.pk, colleague.pk]).update(owner=stranger)
    assert "other_leads" not in [part.name for part in signed_in(sales).get(url(lead)).context["rail"]]
    [part] = [part for part in signed_in(marketing).get(url(lead)).context["rail"] if part.name == "other_leads"]
    assert part.data == {"theirs": [other], "others": [colleague]}


def test_a_neighbours_buyer_is_shown_as_a_note(lead, offer, sales, post, signed_in):
    post(offer, actionCode="DNC", leadSource="AzureMarketplace-DNC|contoso.edge-firewall")
    pipeline.run()
    text = signed_in(sales).get(url(lead)).content.decode()
    assert "Asked a neighbour" in text


def test_a_call_stops_the_clock_once(lead, sales, signed_in):
    browser = signed_in(sales)
    page = browser.post(url(lead, "calls/"), {"reached": "0", "note": "later"}, follow=True)
    assert "Call noted, the clock stopped" in page.content.decode()
    first = Lead.objects.get().first_response_at
    assert first is not None
    browser.post(url(lead, "calls/"), {"reached": "1"})
    assert Lead.objects.get().first_response_at == first
    calls = Activity.objects.filter(kind="called").order_by("pk")
    assert [(call.actor, call.data) for call in calls] == [(sales, {"reached": False, "note": "later"}), (sales, {"reached": True, "note": ""})]


def test_writing_stops_the_clock_and_a_note_does_not(lead, sales, signed_in):
    browser = signed_in(sales)
    browser.post(url(lead, "notes/"), {"note": "Budget date matters"})
    assert Lead.objects.get().first_response_at is None
    assert (
        "at least" in browser.post(url(lead, "notes/"), {"note": ""}, follow=True).content.decode()
        or Activity.objects.filter(kind="noted").count() == 1
    )
    browser.post(url(lead, "wrote/"), {"note": "Sent dates"})
    assert Lead.objects.get().first_response_at is not None
    text = browser.get(url(lead)).content.decode()
    assert "“Budget date matters”" in text
    assert "Sent dates" in text


def test_tasks_are_made_shown_and_done_once(lead, sales, signed_in):
    browser = signed_in(sales)
    browser.post(url(lead, "tasks/"), {"title": "Send the dates", "due_at": "2030-01-01T09:00"})
    task = Task.objects.get()
    assert "Send the dates" in browser.get(url(lead)).content.decode()
    for _ in range(2):
        assert browser.post(f"/leads/tasks/{task.pk}/done/", {"from": "day"})["Location"] == "/leads/my-day/"
    assert Activity.objects.filter(kind="task_done").count() == 1
    browser.post(url(lead, "tasks/"), {"title": "", "due_at": "x"})
    assert Task.objects.count() == 1


def test_the_timeline_by_sides_and_by_pages(lead, sales, signed_in):
    Activity.objects.bulk_create(
        Activity(lead=lead, kind="noted", actor=sales, at=timezone.now() + timedelta(seconds=n), data={"note": f"n{n}"}) for n in range(60)
    )
    browser = signed_in(sales)
    page = browser.get(url(lead)).context["timeline"]
    assert {tab.name: tab.count for tab in page.tabs} == {"all": 64, "theirs": 1, "ours": 60, "system": 3}
    assert len(page.page.rows) == 50
    assert [entry.text for entry in page.entries[:2]] == ["n59", "n58"]
    second = browser.get(url(lead) + page.page.next_url).context["timeline"]
    assert len(second.page.rows) == 14
    assert second.entries[-1].headline == "Get it now"
    assert second.entries[-1].result.startswith("Score ")
    ours = browser.get(url(lead) + "?side=theirs").context["timeline"]
    assert [entry.side for entry in ours.entries] == ["theirs"]


FIELDS = {
    "first_name": "Ada",
    "last_name": "Dvořáková",
    "title": "IT manager",
    "company_said": "Kolovrat s.r.o.",
    "phone": "555 010 999",
    "country": "CZ",
}


def test_correcting_a_contact(lead, app, sales, arrive, signed_in):
    other = arrive(app, leadSource="AppSource-PLT|x.y", actionCode="PLT")
    Lead.objects.update(stale_since=None)
    browser = signed_in(sales)
    assert browser.get(url(lead, "contact/")).status_code == 200
    assert browser.post(url(lead, "contact/"), {**FIELDS, "email": "other@x.example"})["Location"] == url(lead)
    contact = Contact.objects.get()
    assert (contact.last_name, contact.phone, contact.seniority, contact.email) == ("Dvořáková", "+420555010999", 1, "ada.novak@kolovrat.example")
    assert "dvorakova" in contact.words
    assert "novak" in " ".join(contact.words)  # still in the address
    assert Lead.objects.filter(stale_since__isnull=False).count() == 2
    edited = Activity.objects.filter(kind="edited", actor=sales)
    assert {a.lead_id for a in edited} == {lead.pk, other.pk}
    assert browser.get("/leads/?q=dvorakova").context["total"].figure == 2
    browser.post(url(lead, "contact/"), FIELDS)
    assert Activity.objects.filter(kind="edited").count() == 2


def test_two_who_correct_different_things_at_once_keep_both_and_the_timeline_says_what(lead, sales, marketing, signed_in):
    shown = signed_in(sales).get(url(lead, "contact/")).context["form"]
    seen = {f"initial-{name}": shown[name].value() or "" for name in FIELDS} | {name: shown[name].value() or "" for name in FIELDS}
    signed_in(marketing).post(url(lead, "contact/"), {**seen, "title": "CEO"})
    signed_in(sales).post(url(lead, "contact/"), {**seen, "first_name": "Adéla"})
    contact = Contact.objects.get()
    assert (contact.first_name, contact.title) == ("Adéla", "CEO")
    page = signed_in(sales).get(url(lead)).content.decode()
    assert "Job title: CIO → CEO" in page or "Title: CIO → CEO" in page
    assert "First name: Ada → Adéla" in page


def test_the_page_to_correct_a_contact_says_what_it_showed(lead, sales, signed_in):
    page = signed_in(sales).get(url(lead, "contact/")).content.decode()
    assert re.search(r'type="hidden" name="initial-title" value="CIO"', page)


def test_a_status_that_changed_meanwhile_is_not_overwritten(lead, sales, marketing, signed_in):
    mine, theirs = signed_in(sales), signed_in(marketing)
    assert f'name="was" value="{lead.status}"' in mine.get(url(lead)).content.decode()
    theirs.post(url(lead, "status/"), {"was": lead.status, "status": "opportunity"})
    page = mine.post(url(lead, "status/"), {"was": lead.status, "status": "lost"}, follow=True).content.decode()
    assert "by now; nothing was changed" in page
    lead.refresh_from_db()
    assert lead.status == "opportunity"


def test_an_address_can_be_added_where_there_is_none(offer, sales, arrive, signed_in):
    lead = arrive(offer, email="")
    browser = signed_in(sales)
    page = browser.post(url(lead, "contact/"), {**FIELDS, "email": "not an address"})
    assert "This is not an e-mail address." in page.content.decode()
    page = browser.post(url(lead, "contact/"), {**FIELDS, "phone": "", "email": ""})
    assert "nobody can reach" in page.content.decode()
    browser.post(url(lead, "contact/"), {**FIELDS, "email": "Ada@Kolovrat.example"})
    contact = Contact.objects.get()
    assert (contact.key, contact.email, contact.email_kind) == ("ada@kolovrat.example", "ada@kolovrat.example", "business")
    assert contact.company.key == "domain:kolovrat.example"
    arrive(offer, email="ada@kolovrat.example")
    assert Contact.objects.count() == 1


def test_an_address_of_somebody_else_says_nothing_about_them(lead, app, sales, arrive, signed_in):
    lost = arrive(app, email="", phone="+420 555 010 777", leadSource="AppSource-PLT|x.y", actionCode="PLT")
    assert lost.contact_id != lead.contact_id
    assert signed_in(sales).post(url(lost, "contact/"), {**FIELDS, "email": lead.contact.email}).status_code == 302
    assert Contact.objects.get(pk=lost.contact_id).key == "phone:420555010777"


def test_my_day_begins_with_what_is_late(offer, app, sales, stranger, marketing, arrive, signed_in):
    Seller.objects.filter(user=stranger).update(takes_leads=False)
    now = timezone.now()
    late, soon, foreign, closed = (arrive(offer, email=f"{n}@{n}.example", firstName=n) for n in ("late", "soon", "foreign", "closed"))
    Lead.objects.filter(pk=late.pk).update(respond_by=now - timedelta(hours=5))
    Lead.objects.filter(pk=soon.pk).update(respond_by=now + timedelta(minutes=5))
    Lead.objects.filter(pk=foreign.pk).update(respond_by=now - timedelta(hours=9), owner=stranger)
    Lead.objects.filter(pk=closed.pk).update(respond_by=now - timedelta(hours=9), status="lost")
    work.add_task(soon, sales, "Send the dates", now - timedelta(hours=1))
    work.add_task(foreign, stranger, "Not mine", now)
    page = signed_in(sales).get("/leads/my-day/")
    day = page.context["day"]
    assert [(item.lead.contact.first_name, item.task and item.task.title) for item in day.items] == [
        ("late", None),
        ("soon", "Send the dates"),
        ("soon", None),
    ]
    assert (day.overdue, day.tasks, day.open.figure) == (1, 1, 2)
    assert "foreign" not in page.content.decode()
    assert "Not mine" not in page.content.decode()
    assert "Nothing waits for you" in signed_in(marketing).get("/leads/my-day/").content.decode()
    answer = signed_in(sales).post(url(late, "calls/"), {"reached": "1", "from": "day"})
    assert answer["Location"] == "/leads/my-day/"


def test_field_sales_lands_on_my_day(sales, publisher, signed_in):
    assert signed_in(sales).get("/", follow=True).request["PATH_INFO"] == "/leads/my-day/"


@pytest.mark.parametrize("path", ["/leads/my-day/", "/leads/pipeline/"])
def test_day_and_board_ask_the_same_queries_for_five_and_fifty(path, offer, sales, post, signed_in):
    counts = []
    browser = signed_in(sales)
    for more in (5, 45):
        for number in range(more):
            post(offer, email=f"p{more}-{number}@p{number}.example", phone="")
        pipeline.run()
        Lead.objects.update(respond_by=timezone.now() + timedelta(seconds=60))
        browser.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(path).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 24


def test_the_pipeline_by_status_and_by_owner(lead, offer, sales, stranger, marketing, arrive, signed_in):
    won = arrive(offer, email="won@won.example", firstName="Won")
    Lead.objects.filter(pk=won.pk).update(status="won", owner=stranger)
    columns = {column.status: column for column in signed_in(marketing).get("/leads/pipeline/").context["columns"]}
    assert list(columns) == ["new", "nurturing", "qualified", "accepted", "opportunity", "won", "lost"]
    assert (columns["won"].leads, columns["won"].count.figure) == ([won], 1)
    columns = {column.status: column for column in signed_in(sales).get("/leads/pipeline/").context["columns"]}
    assert (columns["won"].leads, columns["won"].count.figure) == ([], 0)
    answer = signed_in(sales).post(url(lead, "status/"), {"status": "accepted", "from": "board"})
    assert answer["Location"] == "/leads/pipeline/"
    assert Lead.objects.get(pk=lead.pk).status == "accepted"


def test_the_expected_value_is_kept_told_and_taken_back(offer, sales, arrive, signed_in, api):
    lead = arrive(offer)
    Lead.objects.update(owner=sales)
    browser, path = signed_in(sales), f"/leads/{lead.pk}/value/"
    assert browser.post(path, {"value": "12500.5"}).status_code == 302
    browser.post(path, {"value": "12500.50"})
    lead.refresh_from_db()
    assert str(lead.value) == "12500.50"
    assert [one.data for one in lead.activities.filter(kind="valued")] == [{"was": "", "value": "12500.50"}]
    assert 'value="12500.50"' in browser.get(f"/leads/{lead.pk}/").text
    for wrong in ("-1", "x", "1e30"):
        browser.post(path, {"value": wrong})
        lead.refresh_from_db()
        assert str(lead.value) == "12500.50", wrong
    told = api(sales).patch(f"/api/v1/leads/{lead.pk}/", {"value": "99.90"}, content_type="application/json").json()
    assert (told["value"], told["status"]) == ("99.90", "new")
    for wrong in ({}, {"value": -1}, {"value": "x"}):
        assert api(sales).patch(f"/api/v1/leads/{lead.pk}/", wrong, content_type="application/json").status_code == 400
    browser.post(path, {"value": ""})
    lead.refresh_from_db()
    assert lead.value is None


def test_tags_are_put_on_and_taken_off_by_hand(offer, sales, arrive, signed_in):
    lead, browser = arrive(offer), signed_in(sales)
    page = browser.post(f"/leads/{lead.pk}/tags/", {"tag": "  Trade   Fair, 2026 "}, follow=True)
    assert "trade fair 2026" in page.content.decode()
    browser.post(f"/leads/{lead.pk}/tags/", {"tag": "TRADE FAIR 2026"})
    lead.refresh_from_db()
    assert lead.tags == ["trade fair 2026"]
    assert [(line.kind, line.actor, line.data["tag"]) for line in lead.activities.filter(kind="tagged")] == [("tagged", sales, "trade fair 2026")]
    browser.post(f"/leads/{lead.pk}/tags/", {"off": "trade fair 2026"})
    lead.refresh_from_db()
    assert lead.tags == []
    assert lead.activities.filter(kind="untagged", actor=sales).count() == 1


def test_a_tag_of_nothing_and_one_too_many_are_said(offer, sales, arrive, signed_in):
    lead, browser = arrive(offer), signed_in(sales)
    assert "It does not say which tag." in browser.post(f"/leads/{lead.pk}/tags/", {"tag": " , "}, follow=True).content.decode()
    Lead.objects.update(tags=[f"tag {n}" for n in range(30)])
    assert "A lead may have 30 tags." in browser.post(f"/leads/{lead.pk}/tags/", {"tag": "one more"}, follow=True).content.decode()
    assert "one more" not in Lead.objects.get().tags
    assert "A lead may have" not in browser.post(f"/leads/{lead.pk}/tags/", {"tag": "tag 7"}, follow=True).content.decode()


def test_what_a_campaign_did_is_not_said_to_be_ours(offer, marketing, sales, arrive):
    lead = arrive(offer)
    by_campaign = Activity(lead=lead, kind="status", data={"was": "new", "status": "nurturing", "campaign": "Mine"})
    by_person = Activity(lead=lead, kind="status", actor=marketing, data={"was": "new", "status": "nurturing"})
    assert [side(by_campaign), side(by_person), side(Activity(lead=lead, kind="noted", data={}))] == ["system", "ours", "ours"]


def test_it_says_what_o_clock_it_is_where_the_phone_is_at_home(offer, marketing, sales, arrive, signed_in):
    lead = arrive(offer, phone="+81 3 1234 5678", country="JP")
    before = timezone.now()
    page = signed_in(marketing).get(lead.get_absolute_url()).text
    moments = {f"{at.astimezone(ZoneInfo('Asia/Tokyo')):%H:%M}" for at in (before, timezone.now())}
    assert [said for said in moments if f"It is {said} there." in page]


def test_a_refused_form_stands_open_with_what_was_typed(offer, marketing, sales, arrive, signed_in):
    lead = arrive(offer)
    page = signed_in(marketing).post(f"{lead.get_absolute_url()}tasks/", {"title": "Call about the offer", "due_at": "2326-01-01T10:00"})
    assert page.status_code == 422
    assert 'id="task" popover data-open' in page.text and page.text.count("data-open") == 1
    assert 'value="Call about the offer"' in page.text and "That day is too far away." in page.text
    assert not Task.objects.exists()


def test_a_value_is_written_as_the_reader_s_language_does():
    valued = Activity(kind="valued", data={"was": None, "value": "1000000.50"})
    assert sentence(valued) == "Expected value – → 1,000,000.5"


def test_whom_a_call_did_not_reach_is_called_again_tomorrow(lead, sales, signed_in):
    browser = signed_in(sales)
    for _ in range(2):
        page = browser.post(f"/leads/{lead.pk}/calls/", {"reached": "0"}, follow=True).text
    assert [task.title for task in lead.tasks.all()] == ["Call again"]
    assert timezone.localdate(lead.tasks.get().due_at) == timezone.localdate() + timedelta(days=1)
    assert "Call again" in page
    browser.post(f"/leads/tasks/{lead.tasks.get().pk}/done/")
    browser.post(f"/leads/{lead.pk}/calls/", {"reached": "1"})
    assert not lead.tasks.filter(done_at=None).exists()


def test_a_task_is_for_a_day_that_is_not_over(lead, sales, signed_in):
    browser = signed_in(sales)
    yesterday = timezone.localtime() - timedelta(days=1)
    for due in ("2019-01-01T09:00", f"{yesterday:%Y-%m-%d}T23:30"):
        answer = browser.post(f"/leads/{lead.pk}/tasks/", {"title": "Ask", "due_at": due})
        assert (answer.status_code, "That day is over." in answer.text, lead.tasks.count()) == (422, True, 0)


def test_who_was_signed_out_meanwhile_hears_that_nothing_was_saved(lead, sales, client):
    page = client.post(f"/leads/{lead.pk}/notes/", {"note": "typed for long"}, follow=True).text
    assert "what you sent last was not saved" in page
    assert not lead.activities.filter(kind="noted").exists()
