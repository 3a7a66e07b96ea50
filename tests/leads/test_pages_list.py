"""The list of leads: what each role sees, filters, pages by key, what is done to several at once, export."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessRecord, Team
from leads import keyset
from leads.filters import period
from leads.lists import chosen, tonight
from leads.models import Activity, Lead, Status
from routing.models import Assignment

LIST = "/leads/"


@pytest.fixture
def many(offer, app, sales, arrive, post):
    """Leads of `sales`, some with equal scores and moments."""

    def make(count):
        for number in range(count):
            post(offer, email=f"p{number}@kolovrat{number}.example", firstName=f"Person{number:02d}", phone="")
        from portal import pipeline

        pipeline.run()
        return list(Lead.objects.order_by("pk"))

    return make


def names(page):
    return [lead.contact.first_name for lead in page.context["page"].rows]


def test_nobody_enters_unsigned(client, offer):
    for name in ("list", "my_day", "pipeline", "export"):
        answer = client.get(reverse(f"leads:{name}"))
        assert answer.status_code == 302
        assert "login" in answer["Location"]


def test_each_role_sees_its_leads(offer, sales, stranger, marketing, admin, arrive, signed_in):
    lead = arrive(offer)
    Lead.objects.update(owner=sales)
    for user, sees in ((sales, True), (stranger, False), (marketing, True), (admin, True)):
        page = signed_in(user).get(LIST)
        assert page.status_code == 200
        assert (lead.contact.name in page.content.decode()) is sees
        assert page.context["total"].figure == int(sees)


def test_a_team_leader_sees_what_the_members_own(offer, sales, stranger, arrive, signed_in):
    lead = arrive(offer)
    Lead.objects.update(owner=sales)
    Team.objects.create(name="East", leader=stranger).members.add(sales)
    assert lead.contact.name in signed_in(stranger).get(LIST).content.decode()
    assert signed_in(stranger).get(lead.get_absolute_url()).status_code == 200


def test_a_seller_cannot_find_a_foreign_lead_by_filter_or_search(offer, sales, stranger, arrive, signed_in):
    arrive(offer)
    Lead.objects.update(owner=sales)
    browser = signed_in(stranger)
    for query in ("q=Ada", "q=kolovrat.example", "q=555010203", "owner=sales", "status=new", "listing=edge-firewall"):
        page = browser.get(f"{LIST}?{query}")
        assert "Novák" not in page.content.decode()
        assert page.context["total"].figure == 0
        assert page.context["way_out"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 1), ("q=ada+kolovrat", 1), ("q=nobody", 0), ("status=new,won", 1), ("status=won", 0), ("status=new&status=won", 1), ("storefront=azure-marketplace", 1),
        ("storefront=appsource", 0), ("listing=edge-firewall", 1), ("owner=sales", 1), ("owner=nobody", 0), ("score_min=0", 1), ("score_min=101", 0),
        ("score_min=x", 0), ("clock=running", 1), ("clock=overdue", 0), ("clock=answered", 0), ("from=2000-01-01", 1), ("to=2000-01-01", 0), ("from=x", 0),
        ("reached=won", 0),
    ],
)  # fmt: skip
def test_filters(query, found, offer, app, sales, marketing, arrive, signed_in):
    arrive(offer)
    page = signed_in(marketing).get(f"{LIST}?{query}")
    assert page.status_code == 200
    assert len(page.context["page"].rows) == page.context["total"].figure == found


def test_chips_say_what_is_chosen_and_take_it_back(offer, sales, marketing, arrive, signed_in):
    arrive(offer)
    page = signed_in(marketing).get(f"{LIST}?status=new,won&score_min=30&from=2000-11-01&to=2000-11-20&q=ada&sort=score")
    chips = {chip.label: chip for chip in page.context["chips"]}
    assert chips["Status"].value == "New, Won"
    assert chips["Score"].value == "30 or more"
    assert "Nov" in chips["Received"].value
    assert "from=" not in chips["Received"].url
    assert "status=new%2Cwon" in chips["Score"].url
    assert "q=ada" in chips["Score"].url
    assert "sort=score" in chips["Score"].url


def test_an_empty_list_names_the_filter_to_drop(offer, sales, marketing, arrive, signed_in):
    arrive(offer)
    page = signed_in(marketing).get(f"{LIST}?status=new&score_min=101")
    assert page.context["way_out"].chip.label == "Score"
    assert "Without “Score 101 or more” there is 1." in page.content.decode()
    page = signed_in(marketing).get(f"{LIST}?q=nobody")
    assert "Without “Search nobody” there is 1." in page.content.decode()


def test_the_first_run_says_what_to_do(publisher, marketing, sales, signed_in):
    assert "No lead has come in yet" in signed_in(marketing).get(LIST).content.decode()
    assert "No lead is yours yet" in signed_in(sales).get(LIST).content.decode()


def test_the_same_queries_for_five_rows_and_a_whole_page(many, sales, marketing, signed_in):
    counts = []
    for rows in (5, keyset.SIZE):
        many(rows)
        for user in (marketing, sales):
            browser = signed_in(user)
            browser.get(LIST)
            with CaptureQueriesContext(connection) as queries:
                page = browser.get(LIST)
            counts.append(len(queries))
            assert len(page.context["page"].rows) == rows
    assert counts[0] == counts[2]
    assert counts[1] == counts[3]
    assert max(counts) <= 16


def walk(browser, query, way):
    """All rows in the order of the pages, following one way from where the query begins."""
    seen, url = [], f"{LIST}{query}"
    for _ in range(50):
        page = browser.get(url).context["page"]
        seen = seen + page.rows if way == "next" else page.rows + seen
        step = page.next_url if way == "next" else page.previous_url
        if not step:
            return [lead.pk for lead in seen], url
        url = LIST + step
    raise AssertionError("no end")


@pytest.mark.parametrize("sort", ["received", "score"])
def test_pages_by_key_have_no_gaps_and_no_doubles(sort, many, sales, marketing, signed_in, monkeypatch):
    monkeypatch.setattr(keyset.turn, "__defaults__", (7, None))
    leads = many(30)
    now = timezone.now()
    for number, lead in enumerate(leads):
        score = None if number % 5 == 0 else 50 + number % 3
        Lead.objects.filter(pk=lead.pk).update(received_at=now - timedelta(hours=number % 4), score=score)
    browser = signed_in(marketing)
    column = {"received": "received_at", "score": "score"}[sort]
    wanted = list(Lead.objects.order_by(f"-{column}", "-pk").values_list("pk", flat=True))
    forward, last = walk(browser, f"?sort={sort}", "next")
    assert forward == wanted
    backward, _first = walk(browser, last.removeprefix(LIST), "previous")
    assert backward == wanted


def test_pages_are_numbered_and_odd_marks_are_the_first_page(many, sales, marketing, signed_in, monkeypatch):
    monkeypatch.setattr(keyset.turn, "__defaults__", (7, None))
    many(10)
    browser = signed_in(marketing)
    first = browser.get(LIST).context["page"]
    assert (first.first, first.last, first.total, first.previous_url) == (1, 7, 10, "")
    second = browser.get(LIST + first.next_url).context["page"]
    assert (second.first, second.last, second.next_url) == (8, 10, "")
    again = browser.get(LIST + second.previous_url).context["page"]
    assert (again.first, again.last, again.rows) == (1, 7, first.rows)
    odd_marks = (
        "after=x",
        "after=.x",
        "after=99999999999999999999999.0",
        "before=1.zz",
        "after=5&sort=score",
        f"after=99999999.{'0' * 32}&sort=score",
        "n=-1",
    )
    for odd in odd_marks:
        page = browser.get(f"{LIST}?{odd}")
        assert page.status_code == 200
        assert page.context["page"].rows == browser.get(f"{LIST}?{odd.partition('&')[2]}").context["page"].rows


@pytest.mark.parametrize(("said", "first"), [("²", 1), ("٣", 3), ("-4", 1), ("0", 1), ("7", 7), ("9" * 12, 1), ("", 1)])
def test_the_number_of_the_first_row_is_read_or_it_is_the_first(said, first):
    assert keyset.number({"n": said}, back=False, more=True) == first


def test_a_stage_or_a_standing_without_its_campaign_narrows_too_and_goes_with_it(offer, sales, marketing, arrive, signed_in):
    lead = arrive(offer)
    enrollment = lead.enrollments.get()
    nowhere = "00000000-0000-7000-8000-000000000000"
    for asked, finds in (
        (f"stage={enrollment.stage.key}", True),
        (f"stage={nowhere}", False),
        ("campaign=:active", True),
        ("campaign=:reached", False),
        ("campaign=azure-demand", True),
        ("campaign=appsource-nurture", False),
        ("campaign=no-such", False),
        ("stage=nonsense", False),
        ("campaign=:", True),
    ):
        assert chosen(Lead.objects.all(), dict([asked.split("=")])).exists() is finds, asked
    browser = signed_in(marketing)
    page = browser.get(f"{LIST}?campaign=azure-demand:running&stage={enrollment.stage.key}")
    [chip] = [chip for chip in page.context["chips"] if "campaign" in chip.names]
    assert "In-demand generation" in chip.value and "stage" not in chip.url
    browser.post(f"/leads/picked/status/?stage={nowhere}", {"all": "1", "status": "lost"})
    lead.refresh_from_db()
    assert lead.status != "lost"


def test_a_count_stops_at_its_bound(many, sales):
    many(4)
    assert keyset.count(Lead.objects.all(), 3) == keyset.Count(3, False)
    assert keyset.count(Lead.objects.all(), 4) == keyset.Count(4, True)


def test_a_status_for_the_ticked_and_undo(many, sales, stranger, signed_in):
    mine, foreign, third = many(3)
    Lead.objects.filter(pk__in=[mine.pk, third.pk]).update(owner=sales)
    Lead.objects.filter(pk=foreign.pk).update(owner=stranger)
    Lead.objects.update(stale_since=None)
    browser = signed_in(sales)
    page = browser.post("/leads/picked/status/?score_min=1", {"pick": [mine.pk, foreign.pk, third.pk, "x"], "status": "won"}, follow=True)
    assert page.redirect_chain == [("/leads/?score_min=1", 302)]
    [message] = page.context["messages"]
    assert str(message) == "2 leads set to Won"
    assert dict(Lead.objects.values_list("pk", "status")) == {mine.pk: "won", foreign.pk: "new", third.pk: "won"}
    assert Lead.objects.filter(won_at__isnull=False, closed_at__isnull=False, stale_since__isnull=False).count() == 2
    undo = message.extra_tags.removeprefix("undo:")
    browser.post(undo)
    assert set(Lead.objects.values_list("status", "won_at", "qualified_at", "closed_at")) == {("new", None, None, None)}
    assert [a.data for a in Activity.objects.filter(lead=mine, kind="status").order_by("pk")] == [
        {"was": "new", "status": "won"}, {"was": "won", "status": "new"},
    ]  # fmt: skip
    assert "can&#x27;t be undone" in browser.post(undo, follow=True).content.decode()


def test_undo_leaves_alone_what_moved_on(many, sales, signed_in):
    [lead] = many(1)
    browser = signed_in(sales)
    page = browser.post(f"/leads/{lead.pk}/status/", {"status": "won"}, follow=True)
    [message] = page.context["messages"]
    Lead.objects.update(status="lost")
    browser.post(message.extra_tags.removeprefix("undo:"))
    assert Lead.objects.get().status == "lost"


def test_a_status_for_all_of_the_list(many, sales, marketing, signed_in):
    many(3)
    signed_in(marketing).post("/leads/picked/status/?q=Person01", {"all": "1", "status": "lost"})
    assert sorted(Lead.objects.values_list("status", flat=True)) == ["lost", "new", "new"]


def test_only_the_office_assigns_and_only_to_sellers(many, sales, stranger, marketing, signed_in):
    first, second = many(2)
    Lead.objects.update(owner=sales)
    url = reverse("routing:assign_picked")
    assert signed_in(sales).post(url, {"pick": [first.pk], "owner": "stranger"}).status_code == 403
    browser = signed_in(marketing)
    assert browser.post(url, {"pick": [first.pk], "owner": "marketing"}).status_code == 404
    browser.post(url, {"pick": [first.pk, second.pk], "owner": "stranger"})
    assert set(Lead.objects.values_list("owner__username", flat=True)) == {"stranger"}
    browser.post(url, {"pick": [first.pk], "owner": "nobody"})
    assert Lead.objects.get(pk=first.pk).owner is None
    browser.post(reverse("routing:assign", args=[first.pk]), {"owner": "sales"})
    assert Lead.objects.get(pk=first.pk).owner == sales


def test_an_assignment_is_undone_with_its_clock(many, sales, stranger, marketing, signed_in):
    first, second = many(2)
    now = timezone.now()
    Lead.objects.filter(pk=first.pk).update(owner=sales, respond_by=now, assigned_at=now)
    Lead.objects.filter(pk=second.pk).update(owner=None, respond_by=None, owner_reason={"code": "no_seller"})
    Assignment.objects.filter(lead=second).update(ended_at=now)
    browser = signed_in(marketing)
    page = browser.post(reverse("routing:assign_picked"), {"pick": [first.pk, second.pk], "owner": "stranger"}, follow=True)
    [message] = page.context["messages"]
    assert str(message) == "2 leads assigned to Stranger"
    assert Lead.objects.filter(owner=stranger, respond_by__gt=now + timedelta(hours=23), stale_since__isnull=False).count() == 2
    assert Assignment.objects.filter(ended_at=None).count() == Assignment.objects.filter(ended_at=None, owner=stranger).count() == 2
    page = browser.post(message.extra_tags.removeprefix("undo:"), follow=True)
    assert "2 leads put back" in page.content.decode()
    assert set(Lead.objects.values_list("pk", "owner", "respond_by")) == {(first.pk, sales.pk, now), (second.pk, None, None)}
    assert list(Assignment.objects.filter(ended_at=None).values_list("lead", "owner")) == [(first.pk, sales.pk)]
    assert Activity.objects.filter(kind="assigned", actor=marketing).count() == 4


def test_an_answered_lead_keeps_its_clock_with_a_new_owner(many, sales, stranger, marketing, signed_in):
    [lead] = many(1)
    due = Lead.objects.get().respond_by
    Lead.objects.update(first_response_at=timezone.now(), owner=sales)
    signed_in(marketing).post(reverse("routing:assign", args=[lead.pk]), {"owner": "stranger"})
    lead.refresh_from_db()
    assert (lead.owner, lead.respond_by) == (stranger, due)


def rows_of(answer):
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_export_is_formula_safe_filtered_and_audited(offer, sales, stranger, marketing, arrive, signed_in):
    lead = arrive(offer, firstName="=HYPERLINK(1)", lastName="@x", company="-1+1", title="\tx")
    other = arrive(offer, email="x@other.example", firstName="Other")
    Lead.objects.filter(pk=lead.pk).update(owner=sales)
    Lead.objects.filter(pk=other.pk).update(owner=stranger)
    [row] = rows_of(signed_in(sales).get("/leads/export.csv"))
    assert (row["first_name"], row["last_name"], row["company"], row["phone"]) == ("'=HYPERLINK(1)", "'@x", "'-1+1", "+420555010203")
    assert row["id"] == str(lead.pk)
    record = AccessRecord.objects.get(kind="exported")
    assert (record.user, record.subject) == (sales, "leads")
    assert len(rows_of(signed_in(marketing).get("/leads/export.csv"))) == 2
    assert [line.count for line in AccessRecord.objects.filter(kind="exported").order_by("id")] == [1, 2]
    assert [row["first_name"] for row in rows_of(signed_in(marketing).get("/leads/export.csv?q=other&status=new"))] == ["Other"]
    assert AccessRecord.objects.filter(subject="leads q, status").exists()
    [row] = rows_of(signed_in(sales).post("/leads/picked/export.csv", {"pick": [lead.pk, other.pk]}))
    assert row["id"] == str(lead.pk)


def test_a_page_that_changes_something_takes_no_get(offer, sales, arrive, signed_in):
    lead = arrive(offer)
    browser = signed_in(sales)
    for url in (
        "/leads/picked/status/",
        "/leads/picked/export.csv",
        *(f"/leads/{lead.pk}/{verb}/" for verb in ("status", "notes", "calls", "wrote", "tasks")),
    ):
        assert browser.get(url).status_code == 405
    assert browser.post("/leads/picked/status/", {"status": "odd"}, follow=True).status_code == 200
    assert browser.post(f"/leads/{lead.pk}/status/", {"status": "odd"}, follow=True).status_code == 200
    assert Lead.objects.get().status == Status.NEW


def test_the_palette_finds_only_what_is_theirs(offer, sales, stranger, marketing, arrive, signed_in):
    lead = arrive(offer)
    Lead.objects.update(owner=sales)
    for user, sees in ((sales, True), (stranger, False), (marketing, True)):
        found = signed_in(user).get("/search?q=ada").json()
        assert [one["url"] for one in found] == ([lead.get_absolute_url()] if sees else [])
    assert signed_in(marketing).get("/search?q=a").json() == []
    assert {one["label"] for one in signed_in(marketing).get("/search?q=edge").json()} == {"Edge Firewall"}


def test_every_list_of_people_is_noted_with_how_many_it_showed(offer, sales, signed_in, many):
    browser, shown = signed_in(sales), len(many(3))
    for path, what in (("/leads/", "leads"), ("/leads/pipeline/", "pipeline"), ("/leads/my-day/", "my day"), ("/search?q=kolovrat", "search")):
        assert browser.get(path).status_code == 200
        line = AccessRecord.objects.filter(kind="personal_data_listed").latest("id")
        assert (line.user, line.subject, line.count) == (sales, what, shown), path
    assert browser.get("/leads/?q=nobody-at-all").status_code == 200
    assert AccessRecord.objects.filter(kind="personal_data_listed").count() == 4


def test_several_counts_in_one_query(many, django_assert_num_queries):
    many(3)
    leads = Lead.objects.all()
    with django_assert_num_queries(1):
        found = keyset.counts(leads, leads.filter(status=Status.WON), leads.none(), leads.order_by("-score"), bound=2)
    assert found == [keyset.Count(2, False), keyset.Count(0, True), keyset.Count(0, True), keyset.Count(2, False)]
    assert found[0] == keyset.count(leads, 2)


def test_all_of_very_many_are_the_first_as_the_page_shows_them(offer, many, marketing, signed_in, monkeypatch):
    leads = many(4)
    for place, lead in enumerate(leads):
        Lead.objects.filter(pk=lead.pk).update(score=[20, 90, 10, 80][place])
    monkeypatch.setattr("leads.keyset.FAR", 2)
    signed_in(marketing).post(f"{reverse('leads:status_of_picked')}?sort=score", {"all": "1", "status": "lost"})
    assert set(Lead.objects.filter(status="lost").values_list("score", flat=True)) == {90, 80}


def test_those_made_stale_are_counted_once(offer, many):
    leads = many(3)
    Lead.objects.update(stale_since=None)
    Lead.objects.filter(pk=leads[0].pk).update(stale_since=timezone.now())
    assert Lead.objects.filter(listing=offer).make_stale() == 2
    assert Lead.objects.filter(listing=offer).make_stale() == 0
    assert not Lead.objects.filter(stale_since=None).exists()


def test_waiting_are_those_overdue_and_those_whose_clock_runs(offer, many, marketing, signed_in):
    late, running, answered, closed = many(4)
    now = timezone.now()
    Lead.objects.update(respond_by=now + timedelta(hours=1), first_response_at=None)
    Lead.objects.filter(pk=late.pk).update(respond_by=now - timedelta(hours=1))
    Lead.objects.filter(pk=answered.pk).update(first_response_at=now)
    Lead.objects.filter(pk=closed.pk).update(status="lost")
    found = {
        state: {one.pk for one in signed_in(marketing).get(f"{LIST}?clock={state}").context["page"].rows}
        for state in ("waiting", "overdue", "running")
    }
    assert found == {"waiting": {late.pk, running.pk}, "overdue": {late.pk}, "running": {running.pk}}


def test_days_of_another_year_say_so(publisher):
    this = publisher.today.year
    said = [period(*days).replace("\u2009", " ") for days in ((f"{this}-01-02", f"{this}-01-05"), ("2020-01-01", "2020-12-31"), ("9999-01-01", ""))]
    assert said == ["2–5 Jan", "1 Jan – 31 Dec 2020", "from 1 Jan 9999"]


@pytest.mark.parametrize("name", ["status", "storefront", "listing", "owner", "cluster", "score_min", "clock", "days", "from", "to", "reached", "tag", "country", "campaign", "stage", "brought"])  # fmt: skip
def test_a_filter_that_says_nonsense_finds_nothing(name, offer, sales, arrive, marketing, signed_in, api):
    arrive(offer)
    browser = signed_in(marketing)
    assert browser.get(f"{LIST}?{name}=zzz").context["page"].rows == []
    assert len(b"".join(browser.get(f"{reverse('leads:export')}?{name}=zzz").streaming_content).splitlines()) == 1
    answer = api(marketing).get(f"/api/v1/leads/?{name}=zzz")
    assert name == "brought" or answer.status_code == 400 or answer.json()["results"] == []


def test_due_today_leads_to_what_my_day_counts(offer, sales, arrive, signed_in):
    now, end = timezone.now(), tonight()
    for number, due in enumerate((now - timedelta(hours=1), now + (end - now) / 2, end + timedelta(minutes=1))):
        Lead.objects.filter(pk=arrive(offer, email=f"p{number}@kolovrat.example").pk).update(owner=sales, respond_by=due)
    browser = signed_in(sales)
    page = browser.get(reverse("leads:my_day"))
    address = re.search(r'href="([^"]*clock=today[^"]*)"', page.content.decode())[1].replace("&amp;", "&")
    assert page.context["day"].due_today == len(browser.get(address).context["page"].rows) == 1


def test_a_seller_s_chip_names_the_owner(offer, sales, arrive, signed_in):
    arrive(offer)
    assert [chip.value for chip in signed_in(sales).get(f"{LIST}?owner=sales").context["chips"]] == [sales.full_name]


@pytest.mark.parametrize(
    "typed",
    ["lukasz walesa", "Łukasz", "obrien", "08912345678", "089 123456-78", "0049 89 12345678", "+49(0)8912345678", "(089)12345678", "+49 89 12345678"],
)
def test_somebody_is_found_as_one_types_them(offer, sales, marketing, arrive, signed_in, typed):
    arrive(offer, firstName="Łukasz", lastName="Wałęsa O’Brien", phone="089 12345678", country="DE")
    arrive(offer, email="other@firm.example", phone="+420555010203")
    page = signed_in(marketing).get("/leads/", {"q": typed}).text
    assert "Łukasz" in page and "other@firm.example" not in page and page.count('class="card-title lead-cell"') == 1
