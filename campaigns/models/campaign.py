"""Campaigns, the versions of their stages, and the leads that are in them."""

from datetime import date, datetime, timedelta
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.ids import uuid7
from campaigns.models.mail import Sender
from campaigns.shipped_names import shown
from leads.models import Lead
from listings.models import CampaignKind, Publisher, Storefront


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def begun(self) -> Self:
        """Those that leads enter on their days, and not over."""
        return self.exclude(state=Campaign.State.ENDED).exclude(state=Campaign.State.DRAFT, gathers=False)

    def taking(self) -> Self:
        """Those that leads may enter today."""
        today = Publisher.current().today
        return self.begun().exclude(starts__gt=today).exclude(ends__lt=today)

    def unswept(self, now: datetime) -> Self:
        """Those whose conditions were not asked of all leads for a day, or not since somebody changed them."""
        return self.begun().filter(models.Q(swept_at=None) | models.Q(swept_at__lt=now - timedelta(days=1)))


class Campaign(models.Model):
    """A campaign of one storefront. As a draft or paused it enrolls and holds; it writes to nobody until a person publishes it."""

    class State(models.TextChoices):
        DRAFT = "draft", pgettext_lazy("campaign state", "Draft")
        PUBLISHED = "published", pgettext_lazy("campaign state", "Published")
        PAUSED = "paused", pgettext_lazy("campaign state", "Paused")
        ENDED = "ended", pgettext_lazy("campaign state", "Ended")

    class Reentry(models.TextChoices):
        NEVER = "never", pgettext_lazy("entering again", "Never")
        AFTER = "after", pgettext_lazy("entering again", "After so many days")
        EACH_ACT = "each_act", pgettext_lazy("entering again", "With each new act of the buyer")

    slug = models.SlugField(unique=True)
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=10, choices=CampaignKind)
    storefront = models.ForeignKey(Storefront, models.PROTECT, related_name="campaigns", verbose_name=_("storefront"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    entry = models.JSONField(_("entry"), default=dict, blank=True)
    goal = models.JSONField(_("goal"), default=dict, blank=True)
    exit = models.JSONField(_("exit"), default=dict, blank=True)
    # Whether and when a lead that was in it may enter again.
    reentry = models.CharField(_("again"), max_length=10, choices=Reentry, default=Reentry.NEVER)
    reentry_days = models.PositiveSmallIntegerField(_("days in between"), default=90, validators=[MinValueValidator(1), MaxValueValidator(3650)])
    # Whether leads enter and are held before it was ever published, as those of the shipped campaigns are.
    gathers = models.BooleanField(default=False)
    # A lead that is in a campaign of a higher priority enters none of a lower one.
    priority = models.PositiveSmallIntegerField(_("priority"), default=0, db_default=0, validators=[MaxValueValidator(100)])
    # The days on which leads may enter, in the publisher's time zone; who is in it by then goes on to the end.
    starts = models.DateField(_("first day"), null=True, blank=True)
    ends = models.DateField(_("last day"), null=True, blank=True)
    # Of demand generation: within so many hours a lead that enters is to be answered, where the playbook's clock would run longer.
    fast_hours = models.PositiveSmallIntegerField(
        _("answer within hours"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(240)]
    )
    # Whoever enters goes to the seller who has least to do by now, as long as nobody answered them.
    assigns_anew = models.BooleanField(_("look for an owner again"), default=False, db_default=False)
    budget = models.DecimalField(_("budget"), max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)])
    # When a person last started, paused or ended it, until that is carried out for everybody in it.
    said_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When its conditions were last asked of all leads; otherwise they are asked of those on whom something happened.
    swept_at = models.DateTimeField(null=True, blank=True)
    # Who its mail comes from; none is the first verified one.
    sender = models.ForeignKey(Sender, models.SET_NULL, null=True, blank=True, related_name="campaigns", verbose_name=_("sender"))
    # Written in the name of the seller who owns the lead, where one does: replies go to them, and from their own address if that is verified.
    from_owner = models.BooleanField(_("in the name of the lead’s owner"), default=False, db_default=False)
    strategy = models.ForeignKey("campaigns.Strategy", models.SET_NULL, null=True, blank=True, related_name="campaigns", verbose_name=_("strategy"))
    # What people enter, and what runs; nothing runs before a person published a version.
    current = models.ForeignKey("Version", models.PROTECT, null=True, blank=True, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        ordering = ["storefront", "name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(ends__gte=models.F("starts")), name="campaign_ends_after_it_starts"),
        ]
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """Its name in the reader's language, as long as it is one that was shipped."""
        return shown(self.name)

    def takes_on(self, day: date) -> bool:
        """Whether leads may enter it on that day; what `taking` says of many."""
        begun = self.state != self.State.ENDED and (self.state != self.State.DRAFT or self.gathers)
        return begun and (self.starts is None or self.starts <= day) and (self.ends is None or day <= self.ends)

    @property
    def writes_from(self) -> Sender | None:
        """Its own sender if that is verified; if it has none of its own, the first that is and serves the storefront; without one it holds its mail."""
        if self.sender:
            return self.sender if self.sender.verified_at else None
        return Sender.verified(self.storefront_id)

    @property
    def version(self) -> "Version":
        """What leads enter: the published version; before there is one, the draft, where they wait."""
        return self.current or self.versions.all()[0]

    @property
    def draft(self) -> "Version | None":
        """The version that is being built, if one is."""
        return next((version for version in self.versions.all() if version.is_draft), None)


class Version(models.Model):
    """The stages of a campaign as they were when a person published them; unpublished it is the draft, of which a campaign has one at the most.

    Who entered on a version stays on it, until a person moves those in flight.
    """

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    made_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["campaign", "number"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="one_version_per_number"),
            models.UniqueConstraint(fields=["campaign"], condition=models.Q(published_at=None), name="one_draft_per_campaign"),
        ]
        verbose_name = _("version")
        verbose_name_plural = _("versions")

    def __str__(self) -> str:
        return str(self.number)

    @property
    def is_draft(self) -> bool:
        return self.published_at is None


class Stage(models.Model):
    """One step of a version. An enrollment stands at a stage until it is due there; then what the stage says is done, and it moves to the next.

    Stages stand in order; those of a branch's arms stand below it (`parent`, `arm`), and who comes to the end of an arm goes on after the branch.
    """

    class Kind(models.TextChoices):
        WAIT = "wait", pgettext_lazy("stage kind", "Wait")
        EMAIL = "email", pgettext_lazy("stage kind", "E-mail")
        BRANCH = "branch", pgettext_lazy("stage kind", "Branch")
        SPLIT = "split", pgettext_lazy("stage kind", "A/B test")
        TASK = "task", pgettext_lazy("stage kind", "Task")
        HAND_OVER = "hand_over", pgettext_lazy("stage kind", "Hand over")
        SET = "set", pgettext_lazy("stage kind", "Set")
        NOTIFY = "notify", pgettext_lazy("stage kind", "Notify")
        WEBHOOK = "webhook", pgettext_lazy("stage kind", "Webhook")
        GOAL = "goal", pgettext_lazy("stage kind", "Goal")
        EXIT = "exit", pgettext_lazy("stage kind", "Exit")

    version = models.ForeignKey(Version, models.CASCADE, related_name="stages")
    # The same over all versions: what a stage did for an enrollment in one, it does not do again in another.
    key = models.UUIDField(default=uuid7, editable=False)
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children")
    arm = models.PositiveSmallIntegerField(default=0)
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    name = models.CharField(_("name"), max_length=100)
    # How long an enrollment stands here before it is due: the wait itself, or how long a goal or condition is waited for.
    holds_for = models.DurationField(_("holds for"), default=timedelta)
    # What else the kind asks for (campaigns.kinds).
    options = models.JSONField(default=dict, blank=True)
    # Where to go from here instead of the next one.
    then = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["version", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "parent", "arm", "position"],
                name="one_stage_per_place",
                nulls_distinct=False,
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.UniqueConstraint(fields=["version", "key"], name="one_stage_per_key"),
        ]
        verbose_name = _("stage")
        verbose_name_plural = _("stages")

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """Its name in the reader's language, as long as it is one that was shipped."""
        return shown(self.name)


class StageText(models.Model):
    """What an e-mail stage says in one language. Placeholders come from a closed list (campaigns.words)."""

    stage = models.ForeignKey(Stage, models.CASCADE, related_name="texts")
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES)
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"))
    # A look of its own in MJML; without one the text is a plain letter.
    mjml = models.TextField(blank=True, default="", db_default="")
    # What is sent, made of either when it was saved; empty in what was written before there was any.
    html = models.TextField(blank=True, default="", db_default="", editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stage", "language"], name="one_text_per_language")]
        verbose_name = _("stage text")
        verbose_name_plural = _("stage texts")

    def __str__(self) -> str:
        return f"{self.stage} ({self.language})"


class EnrollmentQuerySet(models.QuerySet["Enrollment"]):
    def running(self) -> Self:
        """On their way, or held on it."""
        return self.filter(status__in=RUNNING)

    def due(self, now: datetime) -> Self:
        """On their way in a published campaign, and their time at the stage is over."""
        return self.filter(status=Enrollment.Status.ACTIVE, due_at__lte=now, campaign__state=Campaign.State.PUBLISHED)


class Enrollment(models.Model):
    """A lead on its way through a campaign; at any time at most one is running per lead and campaign."""

    class Status(models.TextChoices):
        ACTIVE = "active", pgettext_lazy("enrollment", "Active")
        HELD = "held", pgettext_lazy("enrollment", "Held")
        REACHED = "reached", pgettext_lazy("enrollment", "Goal reached")
        EXITED = "exited", pgettext_lazy("enrollment", "Left")
        ENDED = "ended", pgettext_lazy("enrollment", "Ended")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="enrollments", db_index=False)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="enrollments", db_index=False)
    stage = models.ForeignKey(Stage, models.PROTECT, related_name="enrollments", db_index=False)
    # The first time the lead is in the campaign, the second, and so on.
    round = models.PositiveSmallIntegerField(default=1, db_default=1)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    reason = models.CharField(max_length=40, blank=True, default="")
    entered_at = models.DateTimeField(default=timezone.now)
    stage_since = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(null=True)
    # What was left of their time when the campaign was paused.
    remaining = models.DurationField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lead", "campaign", "round"], name="one_enrollment_per_round"),
            models.UniqueConstraint(fields=["lead", "campaign"], condition=models.Q(status__in=["active", "held"]), name="one_running_enrollment"),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(status="active", due_at__isnull=False), name="enrollment_due"),
            models.Index(fields=["campaign", "stage", "status"], name="enrollment_by_stage"),
        ]
        verbose_name = _("enrollment")
        verbose_name_plural = _("enrollments")

    def __str__(self) -> str:
        return str(self.id)


RUNNING = (Enrollment.Status.ACTIVE, Enrollment.Status.HELD)


class Transition(models.Model):
    """An enrollment left one stage for another. Append-only, partitioned by month on its id."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    enrollment = models.ForeignKey(Enrollment, models.DO_NOTHING, related_name="transitions", db_constraint=False)
    from_stage = models.ForeignKey(Stage, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    to_stage = models.ForeignKey(Stage, models.DO_NOTHING, related_name="+", null=True, db_constraint=False, db_index=False)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("transition")

    def __str__(self) -> str:
        return str(self.id)


class Passage(models.Model):
    """How many moved from one stage to another so far (to none: it ended for them). Kept by advance beside the history, which is dropped by the month."""

    from_stage = models.ForeignKey(Stage, models.CASCADE, related_name="passages_from")
    to_stage = models.ForeignKey(Stage, models.CASCADE, related_name="passages_to", null=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["from_stage", "to_stage"], name="one_passage_per_pair", nulls_distinct=False)]
        verbose_name = _("passage")

    def __str__(self) -> str:
        return f"{self.from_stage_id} → {self.to_stage_id}: {self.count}"
