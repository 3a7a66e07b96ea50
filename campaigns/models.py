"""Campaigns: published versions of stages, the leads enrolled in them, what was sent to whom, and who must not be written to."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.crypto import keyed_digests
from accounts.ids import uuid7
from campaigns.reasons import because
from campaigns.shipped_names import shown
from leads.models import Lead
from listings.models import CampaignKind, Storefront


class Sender(models.Model):
    """An address that campaigns may write from, once its owner has confirmed it."""

    address = models.EmailField(_("address"), unique=True)
    name = models.CharField(_("name"), max_length=100, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("sender")
        verbose_name_plural = _("senders")

    def __str__(self) -> str:
        return self.address

    @classmethod
    def verified(cls) -> "Sender | None":
        return cls.objects.filter(verified_at__isnull=False).order_by("pk").first()


def working_days() -> list[int]:
    return [1, 2, 3, 4, 5]


class MailRules(models.Model):
    """How often and when campaigns may write to a person at all, whichever campaign it is; one row."""

    # 0 is no limit.
    most_mails = models.PositiveSmallIntegerField(_("at most so many mails"), default=0, validators=[MaxValueValidator(100)])
    per_days = models.PositiveSmallIntegerField(_("within so many days"), default=7, validators=[MinValueValidator(1), MaxValueValidator(365)])
    # Hours of the person's day; the same hour twice is the whole day.
    from_hour = models.PositiveSmallIntegerField(_("not before"), default=0, validators=[MaxValueValidator(23)])
    to_hour = models.PositiveSmallIntegerField(_("not after"), default=0, validators=[MaxValueValidator(24)])
    weekdays = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("on"), default=working_days)
    tracks_clicks = models.BooleanField(_("count clicks on links"), default=True)

    class Meta:
        verbose_name = _("mail rules")

    def __str__(self) -> str:
        return f"{self.most_mails} / {self.per_days}"

    @classmethod
    def current(cls) -> "MailRules":
        """Without a row nothing is limited."""
        return cls.objects.order_by("pk").first() or cls()

    @property
    def keeps_hours(self) -> bool:
        return self.from_hour != self.to_hour


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def taking(self) -> Self:
        """Those that leads may enter: begun, and not over."""
        return self.exclude(state=Campaign.State.ENDED).exclude(state=Campaign.State.DRAFT, gathers=False)

    def unswept(self, now: datetime) -> Self:
        """Those whose conditions were not asked of all leads for a day, or not since somebody changed them."""
        return self.taking().filter(models.Q(swept_at=None) | models.Q(swept_at__lt=now - timedelta(days=1)))


class Campaign(models.Model):
    """A campaign of one storefront. As a draft or paused it enrolls and holds; it writes to nobody until a person publishes it."""

    class State(models.TextChoices):
        DRAFT = "draft", pgettext_lazy("campaign state", "Draft")
        PUBLISHED = "published", pgettext_lazy("campaign state", "Published")
        PAUSED = "paused", pgettext_lazy("campaign state", "Paused")
        ENDED = "ended", pgettext_lazy("campaign state", "Ended")

    slug = models.SlugField(unique=True)
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=10, choices=CampaignKind)
    storefront = models.ForeignKey(Storefront, models.PROTECT, related_name="campaigns", verbose_name=_("storefront"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    entry = models.JSONField(_("entry"), default=dict, blank=True)
    goal = models.JSONField(_("goal"), default=dict, blank=True)
    exit = models.JSONField(_("exit"), default=dict, blank=True)
    # Whether leads enter and are held before it was ever published, as those of the shipped campaigns are.
    gathers = models.BooleanField(default=False)
    # When its conditions were last asked of all leads; otherwise they are asked of those on whom something happened.
    swept_at = models.DateTimeField(null=True, blank=True)
    # Who its mail comes from; none is the first verified one.
    sender = models.ForeignKey(Sender, models.SET_NULL, null=True, blank=True, related_name="campaigns", verbose_name=_("sender"))
    # What people enter, and what runs; nothing runs before a person published a version.
    current = models.ForeignKey("Version", models.PROTECT, null=True, blank=True, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        ordering = ["storefront", "name"]
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """Its name in the reader's language, as long as it is one that was shipped."""
        return shown(self.name)

    @property
    def writes_from(self) -> Sender | None:
        """Its own sender if that is verified, else the first that is; without one it holds its mail."""
        return self.sender if self.sender and self.sender.verified_at else Sender.verified() if not self.sender else None

    @property
    def version(self) -> "Version":
        """What leads enter: the published version; before there is one, the draft, where they wait."""
        return self.current or self.versions.earliest("number")

    @property
    def draft(self) -> "Version | None":
        """The version that is being built, if one is."""
        return self.versions.filter(published_at=None).first()


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
        TASK = "task", pgettext_lazy("stage kind", "Task")
        HAND_OVER = "hand_over", pgettext_lazy("stage kind", "Hand over")
        SET = "set", pgettext_lazy("stage kind", "Set")
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

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stage", "language"], name="one_text_per_language")]
        verbose_name = _("stage text")
        verbose_name_plural = _("stage texts")

    def __str__(self) -> str:
        return f"{self.stage} ({self.language})"


class EnrollmentQuerySet(models.QuerySet["Enrollment"]):
    def due(self, now: datetime) -> Self:
        """On their way in a published campaign, and their time at the stage is over."""
        return self.filter(status=Enrollment.Status.ACTIVE, due_at__lte=now, campaign__state=Campaign.State.PUBLISHED)


class Enrollment(models.Model):
    """A lead on its way through a campaign; one per lead and campaign."""

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
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    reason = models.CharField(max_length=40, blank=True, default="")
    entered_at = models.DateTimeField(default=timezone.now)
    stage_since = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lead", "campaign"], name="one_enrollment_per_lead_and_campaign")]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(status="active", due_at__isnull=False), name="enrollment_due"),
            models.Index(fields=["campaign", "stage", "status"], name="enrollment_by_stage"),
        ]
        verbose_name = _("enrollment")
        verbose_name_plural = _("enrollments")

    def __str__(self) -> str:
        return str(self.id)


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

    @classmethod
    def recount(cls) -> None:
        """Count anew from the history, as far as it is kept."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM campaigns_passage")
            cursor.execute(
                "INSERT INTO campaigns_passage (from_stage_id, to_stage_id, count)"
                " SELECT from_stage_id, to_stage_id, count(*) FROM campaigns_transition GROUP BY from_stage_id, to_stage_id"
            )


class MessageQuerySet(models.QuerySet["Message"]):
    def due(self, now: datetime) -> Self:
        """Planned by a published campaign, to go out by now."""
        return self.filter(state=Message.State.PLANNED, due_at__lte=now, enrollment__campaign__state=Campaign.State.PUBLISHED)

    def sendable(self) -> Self:
        """Those whose campaign has a verified sender: its own, or any when it has none of its own."""
        own, any_sender = models.Q(enrollment__campaign__sender__verified_at__isnull=False), Sender.verified() is not None
        return self.filter(own | models.Q(enrollment__campaign__sender=None)) if any_sender else self.none()


class Message(models.Model):
    """One e-mail of one stage to one enrollment. The unique pair and the claim before sending make it at most once."""

    class State(models.TextChoices):
        PLANNED = "planned", pgettext_lazy("message", "Planned")
        SENDING = "sending", pgettext_lazy("message", "Sending")
        SENT = "sent", pgettext_lazy("message", "Sent")
        UNCERTAIN = "uncertain", pgettext_lazy("message", "Uncertain")
        FAILED = "failed", pgettext_lazy("message", "Failed")
        WITHHELD = "withheld", pgettext_lazy("message", "Withheld")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    enrollment = models.ForeignKey(Enrollment, models.CASCADE, related_name="messages", db_index=False)
    stage = models.ForeignKey(Stage, models.PROTECT, related_name="messages", db_index=False)
    # The stage's own, whatever the version.
    stage_key = models.UUIDField()
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    reason = models.CharField(max_length=300, blank=True, default="")
    due_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True)
    # How often the mail server put it off before it took anything.
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    sent_at = models.DateTimeField(null=True)
    language = models.CharField(max_length=8, blank=True, default="")
    subject = models.CharField(max_length=300, blank=True, default="")

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["enrollment", "stage_key"], name="one_message_per_enrollment_and_stage")]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="planned"), name="message_planned"),
            models.Index(fields=["claimed_at"], condition=models.Q(state="sending"), name="message_sending"),
            models.Index(fields=["stage", "state"], name="message_by_stage"),
        ]
        verbose_name = _("message")
        verbose_name_plural = _("messages")

    def __str__(self) -> str:
        return str(self.id)

    @property
    def why(self) -> str:
        """Its reason in words."""
        return because(self.reason)


class Click(models.Model):
    """Somebody, or something, opened a link of a mail. Programs that try all links of a mail as it arrives are told apart and count for nothing."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="clicks")
    url = models.CharField(max_length=2000)
    at = models.DateTimeField(default=timezone.now)
    by_program = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("click")

    def __str__(self) -> str:
        return self.url


class Suppression(models.Model):
    """An address that campaigns never write to, as a keyed hash, so that it outlives the erasure of the person."""

    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", pgettext_lazy("suppression", "Unsubscribed")
        OBJECTED = "objected", pgettext_lazy("suppression", "Objected")
        BOUNCED = "bounced", pgettext_lazy("suppression", "Bounced")
        BY_HAND = "by_hand", pgettext_lazy("suppression", "Entered by hand")

    digest = models.BinaryField(max_length=32, unique=True)
    reason = models.CharField(max_length=12, choices=Reason)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")

    def __str__(self) -> str:
        return self.get_reason_display()

    @classmethod
    def add(cls, email_key: str, reason: str) -> None:
        """Never write to this normalised address again; effective at commit."""
        cls.add_digest(keyed_digests(email_key)[0], reason)

    @classmethod
    def add_digest(cls, digest: bytes, reason: str) -> None:
        """The same for an address that is only known by its hash, as in an unsubscribe link; the first reason stays."""
        cls.objects.get_or_create(digest=digest, defaults={"reason": reason})

    @classmethod
    def holds(cls, email_key: str) -> bool:
        return cls.objects.filter(digest__in=keyed_digests(email_key)).exists()
