"""Campaigns: published versions of stages, the leads enrolled in them, what was sent to whom, who must not be written to, and what is planned and spent."""

from campaigns.models.asked import Asked
from campaigns.models.campaign import RUNNING, Campaign, Enrollment, Passage, Stage, StageText, Transition, Version
from campaigns.models.events import MailEvent
from campaigns.models.mail import MailRules, Preference, Sender, Suppression, every_day, working_days
from campaigns.models.message import Click, Message
from campaigns.models.notice import Notice
from campaigns.models.plan import Cost, DemandActivity, Strategy, Target, Touch, Visits
from campaigns.models.split import Choice, Split

__all__ = [
    "RUNNING", "Asked", "Campaign", "Choice", "Click", "Cost", "DemandActivity", "Enrollment", "MailEvent", "MailRules", "Message", "Notice", "Passage", "Preference",
    "Sender", "Split", "Stage", "StageText", "Strategy", "Suppression", "Target", "Touch", "Transition", "Version", "Visits", "every_day", "working_days",
]  # fmt: skip
