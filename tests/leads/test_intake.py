"""What becomes of submissions: dispositions, sameness, and what a bad row may do to its neighbours."""

import json
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.utils import timezone

from leads import dialects, understand
from leads import intake as step
from leads.bulk import set_status
from leads.day import day_of
from leads.intake import intake, rerun
from leads.models import ActionCode, Company, Contact, Demand, Interaction, Lead, Submission
from leads.work import log_call
from portal import pipeline
from routing.models import Seller
from tests.conftest import ADA, at_once, payload


def dispositions():
    return list(Submission.objects.order_by("id").values_list("disposition", flat=True))


def test_the_same_delivery_again_is_one_interaction_and_two_submissions(offer, sales, arrive, post):
    lead = arrive(offer)
    again = post(offer, json.dumps(dict(reversed(ADA.items())), indent=2).encode())
    pipeline.run()
    again.refresh_from_db()
    assert (again.disposition, again.lead_id) == ("redelivery", lead.pk)
    assert Interaction.objects.get().deliveries == 2


def test_the_same_content_a_day_later_is_a_new_act(offer, sales, arrive, post):
    lead = arrive(offer)
    Submission.objects.update(received_at=timezone.now() - timedelta(hours=24, minutes=5))
    assert arrive(offer).pk == lead.pk
    assert lead.interactions.count() == 2


def test_two_of_the_same_in_one_batch_are_one_interaction(offer, sales, post):
    post(offer), post(offer)
    intake()
    assert dispositions() == ["lead", "redelivery"]
    assert Submission.objects.values("lead").distinct().count() == 1


def test_a_new_act_of_the_same_person_joins_the_lead(offer, sales, arrive):
    lead = arrive(offer)
    other = arrive(offer, actionCode="Create", leadSource="AzurePortal-Create|x", email="ADA.Novak@Kolovrat.EXAMPLE")
    assert other.pk == lead.pk
    assert (other.interaction_count, other.last_action, sorted(other.actions)) == (2, "Create", ["Create", "INS"])


def test_another_listing_is_another_lead_of_the_same_contact(offer, app, sales, arrive):
    assert arrive(offer).contact_id == arrive(app).contact_id
    assert Lead.objects.count() == 2
    assert Contact.objects.count() == 1


def test_a_test_lead_proves_the_connection_and_nothing_else(offer, sales, post):
    for _ in range(2):
        post(offer, firstName="MSFT_TEST_637")
    pipeline.run()
    assert dispositions() == ["test", "test"]
    assert not (Lead.objects.exists() or Contact.objects.exists() or Demand.objects.exists())


def test_a_neighbours_buyer_makes_no_lead_and_marks_one_that_exists(app, sales, arrive, post):
    post(app, email="other@x.example", actionCode="DNC")
    lead = arrive(app)
    before = (lead.revision, lead.score, lead.interaction_count)
    post(app, actionCode="DNC")
    pipeline.run()
    lead.refresh_from_db()
    assert dispositions() == ["do_not_contact", "lead", "do_not_contact"]
    assert Lead.objects.count() == 1
    assert lead.asked_neighbour_at is not None
    assert (lead.revision, lead.score, lead.interaction_count) == before
    assert lead.activities.filter(kind="asked_neighbour").count() == 1


@pytest.mark.parametrize("together", [True, False])
def test_a_lead_that_came_after_the_neighbours_note_does_not_show_it(app, sales, post, together):
    """Whether the two are read in one batch or in two."""
    asked = post(app, actionCode="DNC", leadSource="SPZA-DNC|contoso.field-service")
    Submission.objects.filter(pk=asked.pk).update(received_at=timezone.now() - timedelta(minutes=5))
    if not together:
        pipeline.run()
    post(app)
    pipeline.run()
    assert Lead.objects.get().asked_neighbour_at is None


def test_nobody_to_reach_is_demand_and_a_broken_address_waits_in_quarantine(offer, sales, post):
    post(offer, email="", phone="")
    post(offer, email="ada@", phone="")
    post(offer, email="ada@", phone="+420555010203")
    pipeline.run()
    assert dispositions() == ["anonymous", "quarantined", "lead"]
    assert "ada@" in Submission.objects.get(disposition="quarantined").reason
    assert Demand.objects.get().kind == "anonymous"


def test_a_phone_alone_is_a_lead(offer, sales, arrive):
    lead = arrive(offer, email="", firstName="", lastName="")
    assert (lead.contact.key, lead.contact.name) == ("phone:420555010203", "+420555010203")


def test_the_newest_filled_values_count(offer, sales, arrive):
    arrive(offer)
    contact = arrive(offer, firstName="Adéla", phone="", title="", description="x").contact
    assert (contact.first_name, contact.phone, contact.title, contact.seniority) == ("Adéla", "+420555010203", "CIO", 3)
    assert {"ada", "adela"} <= set(contact.words)


def test_companies_come_from_the_domain(offer, sales, arrive):
    arrive(offer)
    arrive(offer, email="eva@kolovrat.example", company="Kolovrat")
    arrive(offer, email="tom@gmail.com", company="Byrne Ltd")
    assert sorted(Company.objects.values_list("key", flat=True)) == ["domain:kolovrat.example", "name:byrne"]


def test_a_lost_buyer_who_acts_again_is_new(offer, sales, arrive):
    lead = arrive(offer)
    Lead.objects.filter(pk=lead.pk).update(status="lost", closed_at=timezone.now() - timedelta(minutes=1))
    assert arrive(offer, description="again").status == "new"


def test_an_act_from_before_it_was_lost_changes_nothing_about_that(offer, sales, arrive, post):
    lead = arrive(offer)
    old = post(offer, description="asked long ago")
    Submission.objects.filter(pk=old.pk).update(received_at=timezone.now() - timedelta(days=3))
    Lead.objects.filter(pk=lead.pk).update(status="disqualified", closed_at=timezone.now())
    pipeline.run()
    lead.refresh_from_db()
    assert (lead.status, lead.interaction_count) == ("disqualified", 2)


def test_what_was_said_long_ago_only_fills_gaps(offer, app, sales, arrive, post):
    arrive(offer, title="CEO", phone="")
    old = post(offer, title="clerk", phone="+420 555 010 333", lastName="Nowak", description="asked long ago")
    Submission.objects.filter(pk=old.pk).update(received_at=timezone.now() - timedelta(days=10))
    pipeline.run()
    contact = Contact.objects.get()
    assert (contact.title, contact.seniority, contact.last_name, contact.phone) == ("CEO", 3, "Novák", "+420555010333")


def test_what_a_person_says_at_one_listing_changes_their_leads_at_the_others(offer, app, sales, arrive):
    lead = arrive(offer, title="clerk", phone="", country="")
    was = lead.fit, lead.revision
    arrive(app, title="CEO", phone="+420 555 010 203", country="CZ")
    lead.refresh_from_db()
    assert lead.stale_since is None
    assert (lead.fit, lead.revision) > was
    arrive(app, title="CEO", phone="+420 555 010 203", country="CZ", description="nothing new about me")
    revision = lead.revision
    lead.refresh_from_db()
    assert lead.revision == revision


def test_a_body_repaired_after_it_was_sent_again_is_the_same_act(offer, sales, post):
    whole = json.dumps(ADA).encode()
    cut = post(offer, whole[:-1])
    Submission.objects.filter(pk=cut.pk).update(received_at=timezone.now() - timedelta(minutes=10))
    pipeline.run()
    again = post(offer, whole)
    pipeline.run()
    cut.refresh_from_db()
    assert cut.disposition == "quarantined"
    rerun(cut, whole)
    pipeline.run()
    for one in (cut, again):
        one.refresh_from_db()
    assert (cut.disposition, again.disposition, cut.lead_id) == ("redelivery", "lead", again.lead_id)
    assert Interaction.objects.get().deliveries == 2


@pytest.mark.parametrize("first", ["gross@kolovrat.example", "groß@kolovrat.example"])
def test_two_mailboxes_that_only_look_alike_are_two_people(offer, sales, arrive, first):
    assert arrive(offer, email=first).contact_id != arrive(offer, email="gros@kolovrat.example").contact_id
    assert arrive(offer, email="gross@kolovrat.example").contact_id != arrive(offer, email="groß@kolovrat.example").contact_id


def test_an_address_that_can_not_be_read_stays_with_the_act_of_a_lead_by_phone(offer, sales, arrive):
    lead = arrive(offer, email="ada at kolovrat")
    assert lead.contact.email == ""
    assert lead.interactions.get().extra["email"] == "ada at kolovrat"


def test_unknown_codes_are_listed(offer, sales, arrive):
    arrive(offer, actionCode="XYZ", leadSource="")
    assert list(ActionCode.objects.filter(known=False).values_list("code", flat=True)) == ["XYZ"]


def test_running_twice_changes_nothing(offer, sales, arrive):
    lead = arrive(offer)
    count = lead.activities.count()
    assert pipeline.run() == {"understood": 0, "followed": 0, "demand": 0}
    assert lead.activities.count() == count


def test_a_poison_row_is_quarantined_alone(offer, sales, post, monkeypatch):
    """One row that PostgreSQL refuses among fifty: it is quarantined with the error, the others become leads."""
    original = understand.contact_fields

    def poison(one):
        fields = original(one)
        return {**fields, "country": "TOO LONG FOR ITS COLUMN"} if fields["first_name"] == "Poison" else fields

    monkeypatch.setattr(understand, "contact_fields", poison)
    for number in range(50):
        post(offer, email=f"p{number}@x.example", firstName="Poison" if number == 33 else "Ada")
    pipeline.run()
    [bad] = Submission.objects.filter(disposition="quarantined")
    assert "too long" in bad.reason
    assert Lead.objects.count() == 49


def test_a_parsers_surprise_costs_no_lead(offer, post, monkeypatch):
    monkeypatch.setattr(dialects, "understand", lambda *fields: 1 / 0)
    post(offer)
    intake()
    assert Submission.objects.get().reason == "ZeroDivisionError while reading it."


def test_a_row_that_kills_its_worker_stands_alone_on_the_third_try_and_is_given_up(offer, post, monkeypatch):
    killer, good = post(offer, email="killer@x.example"), post(offer, email="good@x.example")
    original, batches = step.understand, []

    def die(readings):
        batches.append(len(readings))
        if any(one.submission.pk == killer.pk for one in readings):
            raise KeyboardInterrupt
        original(readings)

    monkeypatch.setattr(step, "understand", die)
    for _ in range(8):
        try:
            intake()
        except KeyboardInterrupt:
            continue
    killer.refresh_from_db(), good.refresh_from_db()
    assert (killer.disposition, good.disposition) == ("quarantined", "lead")
    assert batches == [2, 2, 1, 1, 1, 1]
    assert "stopped every time" in killer.reason


def test_a_quarantined_submission_can_be_repaired_and_keeps_its_bytes(offer, sales, post):
    bad = post(offer, b'{"userDetails":{"email":"kai@lund.example" "x":1}}')
    pipeline.run()
    bad.refresh_from_db()
    original = bad.raw
    rerun(bad, repair=json.dumps(payload(email="kai@lund.example")).encode())
    pipeline.run()
    bad.refresh_from_db()
    assert (bad.disposition, bad.reason, bad.raw) == ("lead", "", original)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_the_same_delivery_from_64_threads_at_the_same_moment_is_one_lead(offer, sales):
    path, barrier, ids = offer.current_lead_url().path, threading.Barrier(64), []

    def deliver():
        barrier.wait()
        ids.append(Client().post(path, json.dumps(ADA), content_type="application/json").json()["id"])
        pipeline.run()

    at_once(64, deliver)
    pipeline.run()
    assert len(set(ids)) == Submission.objects.count() == 64
    assert sorted(dispositions()) == ["lead", *["redelivery"] * 63]
    assert (Lead.objects.count(), Contact.objects.count(), Interaction.objects.get().deliveries) == (1, 1, 64)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_parallel_drains_settle_every_submission_once(offer, app, sales, stranger, post):
    for number in range(120):
        post(offer if number % 2 else app, email=f"p{number % 40}@x{number % 7}.example", description=str(uuid4()))
    at_once(6, pipeline.run)
    pipeline.run()
    assert set(dispositions()) == {"lead"}
    assert Interaction.objects.count() == 120
    assert all(lead.interaction_count == lead.interactions.count() and lead.stale_since is None for lead in Lead.objects.all())
    assert not Lead.objects.exclude(follow_error="").exists()


def test_a_batch_holds_so_many_bytes_and_one_row_at_least(offer, sales, post, monkeypatch):
    for number in range(6):
        post(offer, email=f"p{number}@firm.example", description="d" * 10_000)
    monkeypatch.setattr(step, "BYTES", 25_000)
    assert intake() == 3
    monkeypatch.setattr(step, "BYTES", 1)
    assert [intake() for _ in range(4)] == [1, 1, 1, 0]
    assert Lead.objects.count() == 6
    assert set(Submission.objects.values_list("attempts", flat=True)) == {1}


@pytest.mark.parametrize("where", ["read", "understand"])
def test_a_worker_whose_time_is_over_leaves_the_rows_as_they_were(offer, sales, post, monkeypatch, where):
    for number in range(3):
        post(offer, email=f"p{number}@firm.example")

    def over(*_):
        raise SoftTimeLimitExceeded

    with monkeypatch.context() as patched:
        patched.setattr(dialects if where == "read" else step, where, over)
        with pytest.raises(SoftTimeLimitExceeded):
            intake()
    assert set(Submission.objects.values_list("disposition", "attempts")) == {("pending", 0)}
    assert intake() == 3


def test_two_acts_make_the_same_of_a_person_in_one_batch_and_in_two(offer, app, sales, post):
    acts = [
        {"title": "CEO", "country": "CZ", "phone": "+420 555 010 203"}, {"title": "Intern", "country": "Atlantis", "phone": ""},
        {"title": "", "country": "DE"}, {"title": "Head of IT", "country": ""},
    ]  # fmt: skip
    for at, said in enumerate(acts):
        post(offer, email="one@kolovrat.example", description=str(at), **said)
        post(app, email="two@kolovrat.example", description=str(at), **said)
        if at < 3:
            Submission.objects.filter(disposition="pending", listing=offer).update(disposition="quarantined")  # waits for the batch of all
        intake()
    Submission.objects.filter(disposition="quarantined").update(disposition="pending", attempts=0)
    Lead.objects.filter(listing=offer).delete()
    Contact.objects.filter(email="one@kolovrat.example").delete()
    Submission.objects.filter(listing=offer).update(disposition="pending", content_key=None)
    Interaction.objects.all().delete()
    intake()
    fields = ("first_name", "last_name", "phone", "country", "country_said", "title", "seniority")
    one, two = (Contact.objects.values_list(*fields).get(email=f"{name}@kolovrat.example") for name in ("one", "two"))
    assert one == two
    assert one[3:6] == ("DE", "DE", "Head of IT")


def test_who_comes_back_after_lost_is_a_task_of_the_owner(offer, sales, arrive):
    lead = arrive(offer)
    log_call(lead, by=sales)
    set_status(Lead.objects.filter(pk=lead.pk), "lost", by=sales)
    Lead.objects.update(closed_at=timezone.now() - timedelta(hours=1))
    arrive(offer, actionCode="PLT", leadSource="AzureMarketplace-PLT|contoso.edge-firewall")
    lead.refresh_from_db()
    assert lead.status == "new"
    assert lead.tasks.get().title == "They came back: answer them"
    assert lead.activities.get(kind="task_made").data == {"stage": "They came back: answer them"}
    lead.tasks.update(due_at=timezone.now())
    assert [item.lead for item in day_of(sales).items] == [lead]


@pytest.mark.parametrize("owned", [True, False])
def test_who_comes_back_and_was_never_answered_is_owed_an_answer_from_now_on(offer, sales, arrive, owned):
    long_ago = timezone.now() - timedelta(days=90)
    lead = arrive(offer)
    set_status(Lead.objects.filter(pk=lead.pk), "disqualified", by=sales)
    Lead.objects.update(respond_by=long_ago, closed_at=timezone.now() - timedelta(hours=1), **({} if owned else {"owner": None}))
    Seller.objects.update(takes_leads=owned)
    arrive(offer, actionCode="PLT", leadSource="AzureMarketplace-PLT|contoso.edge-firewall")
    lead.refresh_from_db()
    assert lead.status == "new"
    assert (lead.respond_by is not None and timedelta(hours=23) < lead.respond_by - timezone.now() <= timedelta(hours=24)) == owned


def test_rows_of_a_batch_that_two_made_fail_keep_their_tries(offer, sales, post, monkeypatch):
    """The poison row halves the batch; then the first half is a deadlock's victim."""
    for number in range(4):
        post(offer, email=f"p{number}@firm.example")
    understand, times = step.understand, iter([ValueError("poison"), OperationalError("deadlock detected")])

    def fail(readings):
        if (error := next(times, None)) is not None:
            raise error
        return understand(readings)

    monkeypatch.setattr(step, "understand", fail)
    with pytest.raises(OperationalError):
        intake()
    assert set(Submission.objects.values_list("disposition", "attempts")) == {("pending", 0)}
    assert intake() == 4


def test_what_is_too_much_for_a_statement_is_the_row_s_own_fault(db):
    with pytest.raises(OperationalError) as caught, connection.cursor() as cursor, transaction.atomic():
        cursor.execute(f"SELECT {', '.join('1' * 2_000)}")
    assert not step.is_not_the_rows(caught.value)
    assert step.is_not_the_rows(OperationalError("the server went away"))


@pytest.mark.parametrize("nobody", ["n/a", "N/A", "-", "none", "null"])
def test_an_address_that_says_there_is_none_is_demand_and_needs_no_person(nobody, offer, post):
    post(offer, email=nobody, phone="")
    post(offer, email="ada at nowhere", phone="", description="other")
    intake()
    assert dispositions() == ["anonymous", "quarantined"]
