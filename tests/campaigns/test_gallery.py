"""Courses to begin with: each can be published as it is, in every language, and begins a campaign that sends nothing by itself."""

import pytest
from django.conf import settings
from django.utils import timezone, translation

from campaigns.flow import Flow
from campaigns.gallery import templates
from campaigns.kinds import faults
from campaigns.models import Campaign, Sender, StageText
from campaigns.publish import publish
from campaigns.words import missing_languages
from leads.conditions import check
from portal import pipeline
from tests.campaigns.test_stages import WEAK

ALL = sorted(templates())


@pytest.fixture
def browser(publisher, marketing, signed_in):
    Sender.objects.create(address="hello@larkfield.example", verified_at=timezone.now())
    return signed_in(marketing)


def begin(browser, slug, **given):
    template = templates()[slug]
    storefront = {"appsource": 1, "azure-marketplace": 2}
    page = browser.get(f"/campaigns/new/?template={slug}")
    assert template.title in page.text
    chosen = page.context["form"].initial["storefront"]
    assert chosen.slug in storefront
    answer = browser.post(f"/campaigns/new/?template={slug}", {"name": f"My {slug}", "storefront": chosen.pk, "kind": template.kind, **given})
    assert answer.status_code == 302
    return Campaign.objects.get(slug=f"my-{slug}")


def test_the_page_shows_each_with_its_stages(browser):
    page = browser.get("/campaigns/new/").text
    assert len(ALL) >= 5
    for template in templates().values():
        assert template.title in page
        assert f"?template={template.slug}" in page
        assert all(stage.name in page for _depth, stage in template.steps)


@pytest.mark.parametrize("slug", ALL)
def test_each_can_be_published_as_it_is(browser, marketing, slug):
    campaign = begin(browser, slug)
    assert campaign.state == "draft"
    for tree in (campaign.entry, campaign.goal, campaign.exit):
        check(tree)
    stages = campaign.version.stages.prefetch_related("texts")
    assert stages.count() == len(templates()[slug].steps)
    assert faults(Flow.of(stages)) == []
    assert [missing_languages(stage) for stage in stages if stage.kind == "email"] == [[]] * templates()[slug].mails
    publish(campaign, by=marketing)


@pytest.mark.parametrize("code", [code for code, _name in settings.LANGUAGES if code != "en"])
def test_stages_are_named_in_the_language_of_who_begins(publisher, code):
    english = [stage.name for template in templates().values() for _depth, stage in template.steps]
    with translation.override(code):
        theirs = [stage.name for template in templates().values() for _depth, stage in template.steps]
        assert all(template.title != template.name and template.says != template.about for template in templates().values())
    assert [one for one, other in zip(english, theirs, strict=True) if one == other] == []


def test_nobody_enters_before_it_is_published_and_then_they_do(browser, app, arrive, marketing):
    Campaign.objects.update(state="ended")
    campaign = begin(browser, "two-openings")
    lead = arrive(app, **WEAK)
    assert not lead.enrollments.exists()
    publish(campaign, by=marketing)
    lead.save(update_fields=[])
    type(lead).objects.update(stale_since=lead.received_at)
    pipeline.run()
    assert lead.enrollments.get().campaign == campaign
    assert StageText.objects.filter(stage__version__campaign=campaign).count() == 12


def test_a_course_that_is_none_begins_with_nothing(browser):
    page = browser.get("/campaigns/new/?template=nonsense")
    assert page.status_code == 200
    assert "none; an empty flow" in page.text
