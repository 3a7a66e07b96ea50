"""What a person enters about a campaign as a whole: what it is, whom it takes, its texts, its sender, addresses that must not be written to."""

from typing import Any

from django import forms
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns import words
from campaigns.build import copy
from campaigns.gallery import Template
from campaigns.letterhead import UNSUBSCRIBE, html_of
from campaigns.models import Campaign, MailRules, Sender, StageText, Suppression, Version
from campaigns.stage_form import DAYS
from campaigns.written import write
from leads.condition_form import ConditionForm, read_condition
from leads.conditions import check
from leads.normal import email_key
from listings.models import CampaignKind, Storefront


class TextForm(forms.ModelForm):
    """An e-mail stage's text in one language. Emptied, the language falls back to English; English itself can't be emptied."""

    class Meta:
        model = StageText
        fields = ("subject", "body", "mjml")
        widgets = {"body": forms.Textarea(attrs={"rows": 14}), "mjml": forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "font-mono"})}
        labels = {"body": gettext_lazy("Message"), "mjml": gettext_lazy("A look of its own (MJML)")}
        help_texts = {
            "mjml": gettext_lazy("Empty: a plain letter. The message stays the part for programs that show no HTML. {{ unsubscribe }} must be the address of a link."),
        }  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("subject", "body"):
            self.fields[name].required = self.instance.language == "en"

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for name in ("subject", "body"):
            self.check_placeholders(name, given.get(name) or "")
        if not self.errors:
            self.make_html(given)
        if bool(given.get("subject")) != bool(given.get("body")) and not self.errors:
            raise forms.ValidationError(_("A mail needs both a subject and a message."))
        return given

    def check_placeholders(self, name: str, text: str) -> None:
        """Only the closed list is filled in; anything else in braces would be sent as it stands."""
        unknown = words.unknown_placeholders(text)
        rest = words.PLACEHOLDER.sub("", text)
        if unknown:
            message = _("Nothing is known for %(names)s. What can be filled in stands below the message.")
            self.add_error(name, message % {"names": ", ".join("{{ " + one + " }}" for one in unknown)})
        elif "{{" in rest or "}}" in rest or "{%" in rest:
            self.add_error(name, _("Something in double braces can't be read and would be sent as it stands."))

    def make_html(self, given: dict[str, Any]) -> None:
        """What will be sent, made now, so that what is wrong with it is said now."""
        mjml = given.get("mjml") or ""
        self.check_placeholders("mjml", UNSUBSCRIBE.sub("", mjml))
        if mjml and not UNSUBSCRIBE.search(mjml):
            self.add_error("mjml", _("The link to stop the mail is missing: {{ unsubscribe }}."))
        if not self.errors:
            try:
                self.instance.html = html_of(given.get("body") or "", mjml, self.instance.language)
            except forms.ValidationError as error:
                self.add_error("mjml", error)

    def keep(self) -> bool:
        """Save the text, or drop it when emptied; returns whether there is one now."""
        if self.cleaned_data["body"]:
            self.save()
            return True
        if self.instance.pk:
            self.instance.delete()
        return False


class SenderForm(forms.ModelForm):
    """An address to write from, to be verified by whoever reads it."""

    storefront = forms.ModelChoiceField(
        Storefront.objects.all(), label=gettext_lazy("Storefront"), required=False, empty_label=gettext_lazy("both"),
        help_text=gettext_lazy("Whose campaigns write from it."),
    )  # fmt: skip

    class Meta:
        model = Sender
        fields = ("address", "name", "storefront")
        help_texts = {"name": gettext_lazy("Shown beside the address; empty means the publisher's name.")}
        widgets = {"address": forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"})}

    def clean_name(self) -> str:
        return " ".join(str(self.cleaned_data["name"]).split())


class SuppressionForm(forms.Form):
    """An address that no campaign writes to again."""

    address = forms.CharField(label=gettext_lazy("E-mail address"), max_length=320, widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"),
        choices=[(one.value, one.label) for one in (Suppression.Reason.BY_HAND, Suppression.Reason.OBJECTED, Suppression.Reason.BOUNCED)],
    )

    def clean_address(self) -> str:
        """The address as campaigns know it."""
        key = email_key(self.cleaned_data["address"])
        if not key:
            raise forms.ValidationError(_("This is not an e-mail address."))
        return key


class RulesForm(forms.ModelForm):
    """How often and when campaigns may write to a person."""

    from_hour = forms.TypedChoiceField(label=gettext_lazy("Not before"), coerce=int, choices=[(hour, f"{hour:02}:00") for hour in range(24)])
    to_hour = forms.TypedChoiceField(
        label=gettext_lazy("Not after"), coerce=int, choices=[(hour, f"{hour:02}:00") for hour in range(25)],
        help_text=gettext_lazy("In the main time zone of their country, which is an assumption. The same hour twice: the whole day."),
    )  # fmt: skip
    weekdays = forms.TypedMultipleChoiceField(label=gettext_lazy("On"), coerce=int, choices=DAYS, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = MailRules
        fields = (
            "most_mails", "per_days", "from_hour", "to_hour", "weekdays", "most_per_domain", "most_soft_bounces", "tracks_clicks", "tracks_opens",
        )  # fmt: skip
        help_texts = {
            "most_mails": gettext_lazy("To one person, over all campaigns; 0 is no limit."),
            "most_per_domain": gettext_lazy("Mail providers turn away who sends them too much at once; 0 is no limit."),
            "tracks_clicks": gettext_lazy("Links of the HTML part lead through this portal. Programs that try every link count for nothing."),
            "tracks_opens": gettext_lazy("Only of those who agree to it on the page behind the link to unsubscribe; everybody else’s mail holds nothing to see it by."),
        }  # fmt: skip

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "from_hour" in given and given["from_hour"] > given.get("to_hour", 24):
            self.add_error("to_hour", _("The day ends before it begins."))
        return given


class CampaignForm(forms.Form):
    """A campaign to begin: its name, its storefront, and what it begins with: nothing, the stages of another, or a course of the gallery."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    storefront = forms.ModelChoiceField(Storefront.objects.all(), label=gettext_lazy("Storefront"), empty_label=None)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=CampaignKind.choices)
    like = forms.ModelChoiceField(
        Campaign.objects.all(), label=gettext_lazy("Begin with the stages of"), required=False, empty_label=gettext_lazy("none; an empty flow")
    )

    def __init__(self, *args: Any, template: Template | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.template = template
        if template:
            del self.fields["like"]
            self.initial = {"name": template.title, "kind": template.kind, "storefront": Storefront.objects.filter(slug=template.storefront).first()}

    def clean_name(self) -> str:
        return " ".join(str(self.cleaned_data["name"]).split())

    def begin(self) -> Campaign:
        """The campaign with its first draft. Nobody enters it before it is published."""
        given = self.cleaned_data
        other: Campaign | None = given.get("like")
        like = self.template or other
        with transaction.atomic():
            campaign = Campaign.objects.create(
                slug=free_slug(given["name"]), name=given["name"], storefront=given["storefront"], kind=given["kind"],
                state=Campaign.State.DRAFT, entry=like.entry if like else {}, goal=like.goal if like else {}, exit=like.exit if like else {},
            )  # fmt: skip
            version = Version.objects.create(campaign=campaign, number=1)
            if self.template:
                write(version, self.template.spoken())
            elif other:
                copy(other.version.stages.prefetch_related("texts"), version, keep_keys=False)
        return campaign


# Pages beside the campaigns' own.
RESERVED = {"new", "demand", "strategies", "targets", "costs", "senders", "rules", "suppressions", "mailbox", "calendar", "leads", "enrollments"}


def free_slug(name: str) -> str:
    """An address for the campaign that no other has; `new` and the like are pages."""
    wanted = slugify(name)[:40] or "campaign"
    taken = set(Campaign.objects.filter(slug__startswith=wanted).values_list("slug", flat=True)) | RESERVED
    return next(slug for slug in (wanted, *(f"{wanted}-{n}" for n in range(2, 10_000))) if slug not in taken)


class ConditionsForm(forms.ModelForm):
    """A campaign's name, and the conditions of entering it, reaching its goal, leaving it."""

    class Meta:
        model = Campaign
        fields = (
            "name", "strategy", "sender", "from_owner", "reentry", "reentry_days", "priority", "starts", "ends", "fast_hours", "assigns_anew", "budget",
        )  # fmt: skip
        labels = {
            "reentry": gettext_lazy("May be in it again"), "reentry_days": gettext_lazy("Days in between"),
            "starts": gettext_lazy("Leads enter from"), "ends": gettext_lazy("Leads enter until"),
        }  # fmt: skip
        help_texts = {
            "from_owner": gettext_lazy("Replies go to them; their own address is written from once it is a verified sender."),
            "priority": gettext_lazy("A lead that is in a campaign of a higher priority does not enter this one."),
            "fast_hours": gettext_lazy("Whoever enters is to be answered this soon, where the storefront’s clock runs longer."),
            "assigns_anew": gettext_lazy(
                "Whoever enters goes to the seller with the fewest open leads, unless somebody answered or a person chose the owner."
            ),
            "ends": gettext_lazy("Both days included. Who is in it by then goes on to the end."),
        }
        widgets = {name: forms.DateInput({"type": "date"}, format="%Y-%m-%d") for name in ("starts", "ends")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        senders = forms.ModelChoiceField(
            Sender.objects.filter(verified_at__isnull=False),
            label=_("Mail comes from"),
            required=False,
            empty_label=_("the first verified address of the storefront"),
        )
        senders.initial = self.instance.sender_id
        self.fields["sender"] = senders
        self.fields["priority"].required = False
        if self.instance.kind != CampaignKind.DEMAND:
            del self.fields["fast_hours"], self.fields["assigns_anew"]

    def clean_priority(self) -> int:
        return self.cleaned_data["priority"] or 0

    @property
    def conditions(self) -> list[tuple[str, str, ConditionForm]]:
        """(heading, what it decides, the condition) of each."""
        return [
            (_("Who enters"), _("Open leads of the storefront for which this holds; again only if you say so above."), ConditionForm.of(self.instance.entry, "entry")),
            (_("Goal"), _("Reached: the campaign ends for the lead, it is qualified and enters the pipeline."), ConditionForm.of(self.instance.goal, "goal")),
            (_("Who leaves"), _("For whom this comes to hold leaves without the goal; closed leads always do."), ConditionForm.of(self.instance.exit, "exit")),
        ]  # fmt: skip

    @property
    def goes_on(self) -> bool:
        """Whether a line was added or removed, so that the next thing is to fill it in."""
        return any(self.data.get(f"{name}-{what}") for name in ("entry", "goal", "exit") for what in ("new", "remove"))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("starts") and given.get("ends") and given["ends"] < given["starts"]:
            self.add_error("ends", _("It ends before it starts."))
        for name in ("entry", "goal", "exit"):
            tree = read_condition(self.data, name, getattr(self.instance, name))
            try:
                check(tree)
            except forms.ValidationError as error:
                self.add_error(None, error)
            setattr(self.instance, name, tree)
        self.instance.swept_at = None
        return given

    def keep(self) -> None:
        """Save what the form says and nothing else: what somebody publishes, pauses or ends meanwhile stays so."""
        self.instance.save(update_fields=[*self.fields, "entry", "goal", "exit", "swept_at"])
