"""The rows a lead is made of: Submission (bytes) -> Interaction (their meaning) -> Lead, Contact, Company; Activity tells the story.

The current answers of the apps on the right (score, owner, clock, goal) are plain columns of Lead; rules, history and verbs are theirs.
Whoever changes a lead sets `stale_since` in the same UPDATE, and portal.pipeline.follow does the rest.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.ids import array, uuid7
from accounts.models import User
from leads import reasons
from leads.saved import SavedView as SavedView
from listings.models import Listing


class Disposition(models.TextChoices):
    PENDING = "pending", pgettext_lazy("disposition", "Pending")
    LEAD = "lead", pgettext_lazy("disposition", "Lead")
    REDELIVERY = "redelivery", pgettext_lazy("disposition", "Redelivery")
    TEST = "test", pgettext_lazy("disposition", "Test")
    DO_NOT_CONTACT = "do_not_contact", pgettext_lazy("disposition", "Asked a neighbour")
    ANONYMOUS = "anonymous", pgettext_lazy("disposition", "Anonymous")
    QUARANTINED = "quarantined", pgettext_lazy("disposition", "Quarantined")
    REFUSED = "refused", pgettext_lazy("disposition", "Refused")


IS_DISCARDED = models.Q(disposition=Disposition.REFUSED, reason__startswith=reasons.DISCARDED.partition("%")[0])


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def visible_to(self, user: User) -> Self:
        """The archive is marketing's and the admin's."""
        return self.filter() if user.sees_all else self.none()

    def pending(self) -> Self:
        """Committed and not yet understood, oldest first."""
        return self.filter(disposition=Disposition.PENDING).order_by("id")

    def quarantined(self) -> Self:
        return self.filter(disposition=Disposition.QUARANTINED)

    def discarded(self) -> Self:
        """What a person took out of quarantine for good, or until somebody thinks again."""
        return self.filter(IS_DISCARDED)

    def repairable(self) -> Self:
        """What a person may take up once more: what could not be read, was put away, or was taken for a test."""
        return self.filter(IS_DISCARDED | models.Q(disposition__in=(Disposition.QUARANTINED, Disposition.TEST)), body__isnull=False)


class Submission(models.Model):
    """One delivery by the marketplace, or what a person brought: the exact bytes, and what became of them. Partitioned by month on its id."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    received_at = models.DateTimeField(db_default=Now(), default=timezone.now)
    listing = models.ForeignKey(Listing, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    content_type = models.CharField(max_length=200, blank=True)
    size = models.PositiveIntegerField()
    sha256 = models.BinaryField(max_length=32, null=True)
    body = models.BinaryField(null=True)
    repair = models.BinaryField(null=True)
    disposition = models.CharField(max_length=20, choices=Disposition, default=Disposition.PENDING)
    reason = models.TextField(blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    content_key = models.BinaryField(max_length=32, null=True)
    lead = models.ForeignKey("Lead", models.SET_NULL, null=True, related_name="submissions", db_constraint=False)
    is_brought = models.BooleanField(db_default=False, default=False)  # by a person, from a file or by hand: not through the lead URL
    erased_at = models.DateTimeField(null=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(disposition="pending"), name="submission_pending"),
            models.Index(fields=["attempts", "id"], condition=models.Q(disposition="pending", attempts__gte=2), name="submission_suspect"),
            models.Index(fields=["id"], condition=models.Q(disposition="quarantined"), name="submission_quarantined"),
            models.Index(fields=["listing", "content_key", "received_at"], condition=models.Q(content_key__isnull=False), name="submission_content"),
            models.Index(fields=["listing", "disposition", "is_brought", "-received_at"], name="submission_came"),
        ]
        verbose_name = _("submission")
        verbose_name_plural = _("submissions")

    def __str__(self) -> str:
        return str(self.id)

    @property
    def raw(self) -> bytes:
        """The bytes as they came."""
        return bytes(self.body or b"")

    @property
    def why(self) -> str:
        """Its reason in the reader's language."""
        return reasons.in_words(self.reason)

    @property
    def readable(self) -> bytes:
        """What intake reads: the bytes as a person repaired them, else as they came."""
        return self.raw if self.repair is None else bytes(self.repair)


class Company(models.Model):
    """A buyer's organisation, known by its own domain, or by its normalised name when the mail address is nobody's own."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.CharField(max_length=260, unique=True, db_collation="C")
    name = models.CharField(_("name"), max_length=255)
    domain = models.CharField(_("domain"), max_length=255, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("company")
        verbose_name_plural = _("companies")

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """A person, known by normalised e-mail; without one, by phone."""

    class EmailKind(models.TextChoices):
        NONE = "none", pgettext_lazy("e-mail kind", "None")
        BUSINESS = "business", pgettext_lazy("e-mail kind", "Business")
        FREE = "free", pgettext_lazy("e-mail kind", "Free provider")
        DISPOSABLE = "disposable", pgettext_lazy("e-mail kind", "Disposable")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.CharField(max_length=340, unique=True, db_collation="C")
    first_name = models.CharField(_("first name"), max_length=150, blank=True)
    last_name = models.CharField(_("last name"), max_length=150, blank=True)
    email = models.CharField(_("e-mail"), max_length=320, blank=True)
    phone = models.CharField(_("phone"), max_length=60, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    country_said = models.CharField(max_length=100, blank=True)
    title = models.CharField(_("job title"), max_length=200, blank=True)
    company = models.ForeignKey(Company, models.SET_NULL, null=True, blank=True, related_name="contacts", verbose_name=_("company"))
    company_said = models.CharField(_("company"), max_length=255, blank=True)
    email_kind = models.CharField(max_length=12, choices=EmailKind, default=EmailKind.NONE)
    seniority = models.PositiveSmallIntegerField(default=0)
    words = ArrayField(models.CharField(max_length=100), default=list)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [GinIndex(models.Func("words", function="array_to_tsvector"), name="contact_words")]
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What to call them: the full name, or the best handle there is."""
        return " ".join(filter(None, (self.first_name, self.last_name))) or self.phone or self.email

    @property
    def company_name(self) -> str:
        return self.company_said or (self.company.name if self.company else "")


class Status(models.TextChoices):
    NEW = "new", pgettext_lazy("lead status", "New")
    NURTURING = "nurturing", pgettext_lazy("lead status", "Nurturing")
    QUALIFIED = "qualified", pgettext_lazy("lead status", "Qualified")
    ACCEPTED = "accepted", pgettext_lazy("lead status", "Accepted")
    OPPORTUNITY = "opportunity", pgettext_lazy("lead status", "Opportunity")
    WON = "won", pgettext_lazy("lead status", "Won")
    LOST = "lost", pgettext_lazy("lead status", "Lost")
    DISQUALIFIED = "disqualified", pgettext_lazy("lead status", "Disqualified")


CLOSED = (Status.WON, Status.LOST, Status.DISQUALIFIED)
# Ever reached: to be won, a lead was an opportunity, and to be that it was qualified.
QUALIFIED_BY = (Status.QUALIFIED, Status.ACCEPTED, Status.OPPORTUNITY, Status.WON)
OPPORTUNITY_BY = (Status.OPPORTUNITY, Status.WON)


class Cluster(models.TextChoices):
    ACT_NOW = "act_now", pgettext_lazy("cluster", "Act now")
    EVALUATE = "evaluate", pgettext_lazy("cluster", "Evaluate")
    NURTURE = "nurture", pgettext_lazy("cluster", "Nurture")
    EDUCATE = "educate", pgettext_lazy("cluster", "Educate")


STALE_AT_ONCE = 5_000


class LeadQuerySet(models.QuerySet["Lead"]):
    def visible_to(self, user: User) -> Self:
        """All leads for marketing and admins; for a seller the ones they own and those of the teams they lead; none for anybody else."""
        if not user.is_authenticated or not user.role_names:
            return self.none()
        if user.sees_all:
            return self.filter()
        # Keys and not a subquery: with that PostgreSQL would look at every lead there is.
        return self.filter(owner__in=user.sees_leads_of)

    def among(self, ids: Iterable[uuid.UUID]) -> Self:
        """Those with one of these ids."""
        return self.filter(RawSQL('"leads_lead"."id" = ANY(%s::uuid[])', [array(ids)], output_field=models.BooleanField()))

    def stale(self, now: datetime) -> Self:
        """Changed since they were last followed, longest waiting first."""
        return self.filter(stale_since__lte=now).order_by("stale_since")

    def make_stale(self) -> int:
        """Have all of these followed again that are not about to be; returns how many. Locks them in id order, some thousand per statement, each in a
        transaction of its own unless the caller has one."""
        leads, found = list(self.filter(stale_since=None).order_by("pk").values_list("pk", flat=True)), 0
        for at in range(0, len(leads), STALE_AT_ONCE):
            with transaction.atomic():
                rows = self.model.objects.among(leads[at : at + STALE_AT_ONCE]).filter(stale_since=None)
                locked = list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
                found += self.model.objects.among(locked).update(stale_since=Now())
        return found

    def open(self) -> Self:
        """Neither won, lost nor disqualified."""
        return self.exclude(status__in=CLOSED)

    def overdue(self, now: datetime) -> Self:
        """Open, unanswered, and past their response clock, which starts with an owner."""
        return self.open().filter(respond_by__isnull=False, respond_by__lt=now, first_response_at=None)

    def unroutable(self) -> Self:
        """Open, and should have an owner, but nobody could take them."""
        return self.open().filter(owner=None, owner_reason__code="no_seller")

    def for_list(self) -> Self:
        return self.select_related("contact", "contact__company", "listing", "listing__storefront", "owner")


class Lead(models.Model):
    """One contact's interest in one listing: every act of that person on that listing is an Interaction on this row."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    contact = models.ForeignKey(Contact, models.PROTECT, related_name="leads", verbose_name=_("contact"))
    listing = models.ForeignKey(Listing, models.PROTECT, related_name="leads", verbose_name=_("listing"), db_index=False)
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.NEW)
    is_brought = models.BooleanField(db_default=False, default=False)  # its first act did not come through the lead URL
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    last_activity_at = models.DateTimeField(_("last activity"), default=timezone.now)
    # What its interactions say, kept by intake for scoring and segments.
    interaction_count = models.PositiveIntegerField(default=0)
    active_days = models.PositiveIntegerField(default=0)
    last_interaction_at = models.DateTimeField(null=True, blank=True)
    last_action = models.CharField(max_length=40, blank=True, default="")
    actions = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    asked_contact_at = models.DateTimeField(null=True, blank=True)
    said_length = models.PositiveIntegerField(default=0)
    asked_neighbour_at = models.DateTimeField(null=True, blank=True)
    # Scoring's answers.
    score = models.PositiveSmallIntegerField(_("score"), null=True, blank=True)
    fit = models.PositiveSmallIntegerField(null=True, blank=True)
    intent = models.PositiveSmallIntegerField(null=True, blank=True)
    cluster = models.CharField(max_length=10, choices=Cluster, blank=True, default="")
    score_version = models.PositiveIntegerField(null=True, blank=True)
    score_points = ArrayField(models.SmallIntegerField(), default=list, blank=True)
    rescore_at = models.DateTimeField(null=True, blank=True)
    # Points that a campaign adds to the intent, and which campaign; a later one takes the place of an earlier one.
    bonus = models.SmallIntegerField(default=0, db_default=0)
    bonus_from = models.CharField(max_length=100, blank=True, default="", db_default="")
    # Routing's answers.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="leads", verbose_name=_("owner"), db_index=False
    )
    owner_reason = models.JSONField(default=dict, blank=True)
    assigned_at = models.DateTimeField(null=True, blank=True)
    respond_by = models.DateTimeField(_("respond by"), null=True, blank=True)
    # What became of it.
    first_response_at = models.DateTimeField(null=True, blank=True)
    goal_reached_at = models.DateTimeField(null=True, blank=True)
    qualified_at = models.DateTimeField(null=True, blank=True)
    opportunity_at = models.DateTimeField(null=True, blank=True)
    won_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    # What a person expects it to be worth, in the publisher's currency.
    value = models.DecimalField(_("expected value"), max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)])
    tags = ArrayField(models.CharField(max_length=40), default=list, db_default=[], blank=True)
    # Bookkeeping.
    revision = models.PositiveIntegerField(default=0)
    face = models.BigIntegerField(null=True, blank=True)
    stale_since = models.DateTimeField(null=True, blank=True)
    follow_error = models.TextField(blank=True, default="")

    objects = LeadQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["contact", "listing"], name="one_lead_per_contact_and_listing")]
        indexes = [
            models.Index(fields=["stale_since"], condition=models.Q(stale_since__isnull=False), name="lead_stale"),
            models.Index(fields=["rescore_at"], condition=models.Q(rescore_at__isnull=False), name="lead_rescore"),
            models.Index(fields=["-received_at", "-id"], name="lead_received"),
            models.Index(fields=["-score", "-id"], name="lead_score"),
            models.Index(fields=["listing", "-received_at", "-id"], name="lead_by_listing"),
            models.Index(fields=["status", "-received_at", "-id"], name="lead_by_status"),
            models.Index(fields=["owner", "-received_at", "-id"], name="lead_by_owner"),
            models.Index(fields=["listing", "received_at"], condition=models.Q(is_brought=True), name="lead_brought"),
            GinIndex(fields=["tags"], condition=~models.Q(tags=[]), name="lead_tags"),
            models.Index(
                fields=["owner", "respond_by"],
                condition=models.Q(owner__isnull=False) & ~models.Q(status__in=["won", "lost", "disqualified"]),
                name="lead_load",
            ),
            # Few, and asked for by every overview.
            models.Index(
                fields=["-received_at"],
                condition=models.Q(owner__isnull=True, owner_reason__code="no_seller") & ~models.Q(status__in=["won", "lost", "disqualified"]),
                name="lead_unroutable",
            ),
            models.Index(
                fields=["respond_by"],
                condition=models.Q(first_response_at__isnull=True, respond_by__isnull=False) & ~models.Q(status__in=["won", "lost", "disqualified"]),
                name="lead_clock",
            ),
        ]
        verbose_name = _("lead")
        verbose_name_plural = _("leads")

    def __str__(self) -> str:
        return str(self.id)

    def get_absolute_url(self) -> str:
        return reverse("leads:detail", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.status not in CLOSED


class Interaction(models.Model):
    """One act of a person on a listing, as the storefront told it. Its id is the submission's, whose bytes may expire."""

    id = models.UUIDField(primary_key=True, editable=False)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="interactions", db_index=False)
    received_at = models.DateTimeField()
    source = models.CharField(max_length=100, blank=True)
    action = models.CharField(max_length=40, blank=True)
    lead_source = models.CharField(max_length=500, blank=True)
    offer = models.CharField(max_length=300, blank=True)
    offer_title = models.CharField(max_length=300, blank=True)
    description = models.TextField(blank=True)
    extra = models.JSONField(default=dict, blank=True)
    deliveries = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-received_at"]
        indexes = [models.Index(fields=["lead", "-received_at"], name="interaction_by_lead")]
        verbose_name = _("interaction")
        verbose_name_plural = _("interactions")

    def __str__(self) -> str:
        return f"{self.source}-{self.action}"


class Activity(models.Model):
    """One line of a lead's timeline: what happened, who did it, when and why. `kind` and `data` become words in the reader's language."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="activities", db_index=False)
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=30)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["lead", "-at", "-id"], name="activity_by_lead")]
        verbose_name = _("activity")
        verbose_name_plural = _("activities")

    def __str__(self) -> str:
        return self.kind


class Task(models.Model):
    """Something a person is to do about a lead by a day; campaigns and people make them."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="tasks")
    title = models.CharField(_("what"), max_length=200)
    due_at = models.DateTimeField(_("due"))
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["due_at"]
        indexes = [models.Index(fields=["due_at"], condition=models.Q(done_at__isnull=True), name="task_open")]
        verbose_name = _("task")
        verbose_name_plural = _("tasks")

    def __str__(self) -> str:
        return self.title

    @property
    def words(self) -> str:
        """Its title in the reader's language, when a shipped campaign or the portal gave it."""
        return gettext(self.title) if self.title else ""


class Demand(models.Model):
    """Interest without a lead: nobody to reach (anonymous), or a buyer who asked another publisher. It outlives the submission's bytes."""

    class Kind(models.TextChoices):
        ANONYMOUS = "anonymous", pgettext_lazy("demand", "Anonymous")
        ASKED_NEIGHBOUR = "asked_neighbour", pgettext_lazy("demand", "Asked a neighbour")

    id = models.UUIDField(primary_key=True, editable=False)
    listing = models.ForeignKey(Listing, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=16, choices=Kind)
    received_at = models.DateTimeField()
    action = models.CharField(max_length=40, blank=True)
    counted = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=models.Q(counted=False), name="demand_uncounted"),
            models.Index(fields=["listing", "received_at"], name="demand_by_listing"),
        ]
        verbose_name = _("demand without a lead")
        verbose_name_plural = _("demand without a lead")

    def __str__(self) -> str:
        return self.kind


class ActionCode(models.Model):
    """A storefront's action code and what it means; codes nobody knew yet are added by intake, for the admin to name."""

    code = models.CharField(_("code"), max_length=40, primary_key=True, db_collation="C")
    known = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["known", "code"]
        verbose_name = _("action code")
        verbose_name_plural = _("action codes")

    def __str__(self) -> str:
        return self.code


class Import(models.Model):
    """A file of leads that a person brought. It is checked first; then each readable row becomes a Submission and takes the path of any other."""

    class State(models.TextChoices):
        CHECKED = "checked", pgettext_lazy("import", "Checked")
        DONE = "done", pgettext_lazy("import", "Imported")
        DROPPED = "dropped", pgettext_lazy("import", "Not imported")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    listing = models.ForeignKey(Listing, models.CASCADE, related_name="+", verbose_name=_("listing"))
    file_name = models.CharField(_("file"), max_length=200)
    content = models.BinaryField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.CHECKED)
    good = models.PositiveIntegerField(default=0)
    bad = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list)
    unread = models.JSONField(default=list)
    first_id = models.UUIDField(null=True)
    last_id = models.UUIDField(null=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    imported_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("import")
        verbose_name_plural = _("imports")

    def __str__(self) -> str:
        return self.file_name

    @property
    def told(self) -> list[tuple[int, str]]:
        """The kept problems by line, in the reader's language."""
        return [(line, reasons.in_words(problem)) for line, problem in self.problems]

    @property
    def content_type(self) -> str:
        """The content type of its submissions, by which they are told from all others."""
        return f"application/json; import={self.pk}"

    def submissions(self) -> SubmissionQuerySet:
        """What its rows became; none before it was run."""
        if self.first_id is None:
            return Submission.objects.none()
        return Submission.objects.filter(id__range=(self.first_id, self.last_id), listing=self.listing, content_type=self.content_type)
