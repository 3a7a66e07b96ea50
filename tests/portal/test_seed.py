"""The demo data: the same seed tells the same, and everything in it is what the path itself would have made of it."""

from collections import Counter
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from accounts.models import Team, User
from campaigns.models import Campaign, Enrollment, Message
from delivery.models import Delivery, Destination
from insights.models import DailyTally, ResponseTally
from insights.offers import FIGURES
from leads import dialects, normal, understand
from leads.models import Activity, Contact, Demand, Lead, Submission, Task
from leads.reading import read
from listings.models import Listing, Publisher, Storefront
from portal import due, pipeline
from portal.demo.people import firm
from routing.models import Assignment, Seller

pytestmark = pytest.mark.django_db
LEADS = 600
SEEN = (
    "contact__first_name",
    "contact__last_name",
    "contact__email",
    "listing__slug",
    "status",
    "owner__username",
    "interaction_count",
    "said_length",
)


def plant(leads: int = LEADS, *more: str) -> str:
    said = StringIO()
    call_command("seed_demo", f"--leads={leads}", *more, stdout=said)
    return said.getvalue()


def seen() -> list[tuple[Any, ...]]:
    return sorted(Lead.objects.values_list(*SEEN), key=str)


class Undone(Exception):
    """Takes a savepoint back."""


def planted(*more: str) -> tuple[list[tuple[Any, ...]], Counter[str], Counter[str]]:
    """What a run makes, taken back again."""
    try:
        with transaction.atomic():
            plant(LEADS, *more)
            found = seen(), Counter(Enrollment.objects.values_list("status", flat=True)), Counter(Activity.objects.values_list("kind", flat=True))
            raise Undone
    except Undone:
        return found


def test_same_seed_same_leads() -> None:
    first, second, other = planted("--seed=7"), planted("--seed=7"), planted("--seed=8")
    assert first[0] == second[0]
    assert first[1] == second[1]
    # What faded by today is told by the score itself, so the number of those lines is the day's.
    assert first[2] - Counter(scored=10**6) == second[2] - Counter(scored=10**6)
    assert other[0] != first[0]


def test_cast() -> None:
    plant(0)
    marketing, sales, admin = (User.objects.get(username=name) for name in ("marketing", "sales", "admin"))
    assert [user.full_name for user in (marketing, sales, admin)] == ["Mira Okafor", "Ana Duarte", "Jonas Lind"]
    assert [user.role_names for user in (marketing, sales, admin)] == [{"marketing"}, {"sales"}, {"admin"}]
    assert admin.is_staff
    assert admin.is_superuser
    assert not marketing.is_staff
    assert all(user.is_demo and user.check_password("demo") and user.time_zone for user in User.objects.all())
    assert Seller.objects.filter(takes_leads=True, capacity=None).count() == 5
    assert Team.objects.count() == 2
    assert not sales.teams_led.exists()
    assert not Campaign.objects.exclude(state="published", published_by=marketing).exists()
    assert not Destination.objects.exclude(state="off").exists()
    assert Publisher.current().time_zone == "Europe/Prague"
    assert not Lead.objects.exists()


def test_every_kind_is_listed_and_every_storefront_has_two() -> None:
    plant(0)
    assert set(Listing.objects.values_list("kind", flat=True)) == {"app", "consulting_service", "offer", "technology"}
    for storefront in Storefront.objects.all():
        assert storefront.listings.count() >= 2
    for listing in Listing.objects.all():
        listing.clean()
        assert listing.current_lead_url() is not None


def test_first_start_adds_nothing_to_listings() -> None:
    plant(0)
    assert "no demo data" in plant(50, "--first-start")
    assert not Lead.objects.exists()


def test_not_where_nobody_could_sign_in(settings: Any) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="no demo data"):
        plant(10)
    assert not User.objects.exists()


def test_another_run_adds_leads_and_keeps_the_cast() -> None:
    plant(100)
    urls = dict(Listing.objects.values_list("slug", "lead_urls__hint"))
    plant(150)
    assert Lead.objects.count() == 250
    assert dict(Listing.objects.values_list("slug", "lead_urls__hint")) == urls
    assert User.objects.count() == 7


def test_figures_equal_a_live_count() -> None:
    plant()
    zone, live = Publisher.current().zone, Counter[tuple[Any, ...]]()
    for lead in Lead.objects.all():
        day = lead.received_at.astimezone(zone).date()
        for figure, moment in zip(FIGURES, (lead.received_at, lead.qualified_at, lead.opportunity_at, lead.won_at), strict=False):
            live[day, lead.listing_id, figure] += moment is not None
    for demand in Demand.objects.all():
        assert demand.counted
        live[demand.received_at.astimezone(zone).date(), demand.listing_id, demand.kind] += 1
    told = Counter({(row.day, row.listing_id, figure): getattr(row, figure) for row in DailyTally.objects.all() for figure in FIGURES})
    assert +told == +live
    assert sum(ResponseTally.objects.values_list("leads", flat=True)) == Lead.objects.exclude(first_response_at=None).count()
    assert sum(row.leads for row in DailyTally.objects.all()) == LEADS


def test_scores_add_up() -> None:
    plant()
    for lead in Lead.objects.all():
        assert lead.score == sum(lead.score_points) == lead.fit + lead.intent
        assert lead.cluster
    assert set(Lead.objects.values_list("cluster", flat=True)) >= {"act_now", "nurture", "educate"}


def test_nothing_is_stale_and_nothing_is_due() -> None:
    plant()
    assert not Lead.objects.exclude(stale_since=None).exists()
    assert not Lead.objects.filter(Q(revision__lt=1) | Q(face=None)).exists()
    assert not Submission.objects.pending().exists()
    assert not Delivery.objects.filter(state__in=Delivery.WAITING).exists()
    assert not Message.objects.filter(state__in=("planned", "sending")).exists()
    soon = timezone.now() + timedelta(hours=12)
    assert Enrollment.objects.filter(status="active", due_at__lte=soon).count() <= 36
    assert not Enrollment.objects.filter(Q(due_at__lte=timezone.now()) | Q(status="active", due_at=None)).exists()
    assert not [work.name for work in due.WORK if work.name not in ("months", "decay", "seats") and work.due()]
    # A score fades at the hour of its act; this test takes a few seconds of that hour.
    assert Lead.objects.filter(rescore_at__lte=timezone.now()).count() <= 3


def test_the_path_would_have_made_the_same() -> None:
    """Followed again, no lead changes its status, its owner or its campaign; only those that nobody could take find a seller."""

    def state() -> dict[Any, tuple[Any, ...]]:
        columns = (
            "status",
            "owner",
            "qualified_at",
            "goal_reached_at",
            "score",
            "revision",
            "enrollments__status",
            "enrollments__stage",
            "owner_reason",
        )
        return {row[0]: row[1:] for row in Lead.objects.values_list("pk", *columns)}

    plant()
    waiting = set(Lead.objects.filter(owner_reason__code="no_seller").values_list("pk", flat=True))
    before, activities = state(), Activity.objects.exclude(lead__in=waiting).count()
    Lead.objects.update(stale_since=timezone.now())
    while pipeline.follow():
        pass
    after = state()
    assert {pk for pk in before if before[pk] != after[pk]} <= waiting
    assert Activity.objects.exclude(lead__in=waiting).count() == activities
    assert 0 < len(waiting) < 10


def test_sales_owns_a_fair_share() -> None:
    plant()
    owned = dict(Lead.objects.exclude(owner=None).values_list("owner__username").annotate(n=Count("pk")))
    assert set(owned) == {"sales", "leon", "nadia", "ravi", "sofie"}
    assert 0.1 < owned["sales"] / sum(owned.values()) < 0.45
    mine, now = Lead.objects.filter(owner__username="sales"), timezone.now()
    assert mine.overdue(now).exists()
    assert mine.open().filter(respond_by__gt=now, respond_by__lt=now + timedelta(hours=6), first_response_at=None).exists()
    assert mine.exclude(first_response_at=None).exists()


def test_marks_come_in_order() -> None:
    plant()
    late = Q(first_response_at__lt=F("received_at")) | Q(qualified_at__lt=F("received_at")) | Q(opportunity_at__lt=F("qualified_at"))
    late |= Q(won_at__lt=F("opportunity_at")) | Q(closed_at__lt=F("opportunity_at")) | Q(assigned_at__lt=F("received_at"))
    late |= Q(last_activity_at__gt=timezone.now()) | Q(last_interaction_at__gt=F("last_activity_at"))
    assert not Lead.objects.filter(late).exists()
    assert not Lead.objects.filter(status="won", won_at=None).exists()
    assert not Lead.objects.filter(Q(status__in=("won", "opportunity"), opportunity_at=None) | Q(status="accepted", qualified_at=None)).exists()
    assert not Lead.objects.open().exclude(closed_at=None).exists()
    assert set(Lead.objects.values_list("status", flat=True)) == {
        "new", "nurturing", "qualified", "accepted", "opportunity", "won", "lost", "disqualified",
    }  # fmt: skip
    assert not Activity.objects.filter(at__gt=timezone.now()).exists()
    assert not Assignment.objects.filter(ended_at=None).exclude(owner=F("lead__owner")).exists()


def test_archive_says_what_the_leads_are() -> None:
    """Read again, every body gives its disposition, its content key and its act."""
    plant(300)
    for submission in Submission.objects.exclude(disposition="redelivery"):
        reading = read(submission)
        assert (reading.disposition, reading.reason) == (submission.disposition, submission.reason)
        assert len(submission.raw) == submission.size
        if reading.act:
            assert reading.act.content_key == bytes(submission.content_key)
    for lead in Lead.objects.select_related("contact", "contact__company").prefetch_related("interactions", "submissions"):
        assert lead.interaction_count == len(lead.interactions.all()) <= 5
        said = dialects.read(lead.submissions.first().raw, "application/json").person
        assert lead.contact.key in (normal.email_key(said["email"]), f"phone:{normal.phone_key(said['phone'])}")
        if lead.contact.company:
            assert lead.contact.company.key == normal.company_key(said["company"], normal.own_domain(lead.contact.email))
    assert Counter(Submission.objects.values_list("disposition", flat=True))["quarantined"] == 3


def test_interactions_summarised_as_intake_does() -> None:
    plant(300)
    columns = ("active_days", "last_interaction_at", "last_action", "actions", "asked_contact_at", "said_length", "status")
    before = {row[0]: row[1:] for row in Lead.objects.filter(won_at=None, closed_at=None).values_list("pk", *columns)}
    with connection.cursor() as cursor:
        cursor.execute(understand.SUMMARISE, [list(before), understand.CAME_BACK])
    assert {row[0]: row[1:] for row in Lead.objects.filter(pk__in=before).values_list("pk", *columns)} == before


def test_one_listing_fell_silent() -> None:
    plant(1_000)
    days_ago = timezone.now() - timedelta(days=6)
    assert not Submission.objects.filter(listing__slug="shop-floor-insights", received_at__gte=days_ago).exists()
    assert Lead.objects.filter(listing__slug="shop-floor-insights", received_at__gte=days_ago - timedelta(days=8)).exists()


def test_people_are_of_many_kinds() -> None:
    plant()
    kinds = Counter(Contact.objects.values_list("email_kind", flat=True))
    assert set(kinds) == {"business", "free", "none"}
    assert not Contact.objects.filter(email_kind="none", phone="").exists()
    assert not Contact.objects.exclude(Q(email="") | Q(email__endswith=".example") | Q(email__regex=r"^[a-z]+_.*_\d+@gmail\.com$")).exists()
    assert Contact.objects.annotate(n=Count("leads")).filter(n__gt=1).exists()
    assert Contact.objects.values("company").exclude(company=None).annotate(n=Count("pk")).filter(n__gt=1).exists()
    assert len(set(Contact.objects.values_list("country", flat=True))) >= 15
    assert Task.objects.filter(done_at=None).exists()
    assert set(Delivery.objects.values_list("state", flat=True)) >= {"delivered", "dead"}


def test_no_two_companies_are_the_same() -> None:
    firms = [firm(number) for number in range(30_000)]
    assert len({one.domain for one in firms}) == len(firms)
    phones = [one.known_by_phone for one in firms if one.known_by_phone]
    assert len(set(phones)) == len(phones)
    assert all(normal.phone_of(phone, "") == phone for phone in phones[:200])
