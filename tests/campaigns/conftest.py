"""A campaign to build, and what builds, runs and times it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns import build
from campaigns.advance import advance
from campaigns.models import Campaign, Enrollment, Sender, StageText
from campaigns.publish import publish


@pytest.fixture
def campaign(app, marketing):
    """A nurture campaign without a stage yet; no other takes leads."""
    Sender.objects.create(address="hello@larkfield.example", verified_at=timezone.now())
    Campaign.objects.update(state="ended")
    made = Campaign.objects.create(slug="mine", name="Mine", kind="nurture", storefront=app.storefront)
    made.versions.create(number=1)
    return made


@pytest.fixture
def put(campaign):
    """Add a stage to the end of the draft, or of one of its branch's arms."""

    def add(kind, name="", holds=timedelta(), parent=None, arm=0, **options):
        draft = build.draft_of(campaign)
        stage = build.add(draft, kind, name or f"A {kind}", (parent, arm, 99), options)
        stage.holds_for = holds
        stage.save()
        if kind == "email":
            StageText.objects.create(stage=stage, language="en", subject=f"About {stage.name}", body="Hello")
        return stage

    return add


@pytest.fixture
def running(campaign, marketing):
    """Publish the draft."""

    def publish_it():
        publish(campaign, by=marketing)
        campaign.refresh_from_db()
        return campaign

    return publish_it


@pytest.fixture
def pass_time():
    """Everybody's time is over; whatever is due at once after that is done too."""

    def over():
        Enrollment.objects.filter(status="active").update(due_at=timezone.now() - timedelta(minutes=1))
        while advance():
            pass

    return over
