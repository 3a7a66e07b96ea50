"""How a mail looks: made when it is saved, filled in when it goes out, shown in a frame that runs and loads nothing."""

import pytest
from django.core import mail as django_mail
from django.core.exceptions import ValidationError

from campaigns.letterhead import addressed, html_of
from campaigns.models import StageText
from campaigns.send import send
from campaigns.written import as_data, write
from leads.models import Contact
from tests.campaigns.test_stages import WEAK

MJML = """<mjml><mj-body><mj-section><mj-column><mj-text>Dear {{ contact.first_name|default:friend }}</mj-text>
<mj-button href="https://larkfield.example/demo">Book</mj-button><mj-text><a href="{{ unsubscribe }}">Stop</a></mj-text></mj-column></mj-section></mj-body></mjml>"""


def test_a_letter_has_its_paragraphs_links_and_the_way_out_in_its_language():
    html = html_of("Hello {{ contact.first_name|default:there }} <b>\n\nSee https://larkfield.example/a?b=1&c=2", "", "cs")
    assert '<a href="https://larkfield.example/a?b=1&amp;c=2">' in html
    assert "&lt;b&gt;" in html and "<b>" not in html
    assert "{{ contact.first_name|default:there }}" in html
    assert ">Odhlásit" in html
    assert addressed(html, "https://x.example/u?a=1&b=2").count('href="https://x.example/u?a=1&amp;b=2"') == 1
    for foreign in ("googleapis", "<script", "@import"):
        assert foreign not in html


@pytest.mark.parametrize(
    ("mjml", "said"),
    [
        ("<mjml><mj-body>", "can’t be read"),
        ("plain", "can’t be read"),
        ('<mjml><mj-body><mj-include path="/etc/passwd"/></mj-body></mjml>', "loads nothing"),
        ("<mjml><mj-body><mj-raw><script>x</script></mj-raw></mj-body></mjml>", "loads nothing"),
    ],
)
def test_mjml_that_is_none_or_loads_something_is_refused(mjml, said):
    with pytest.raises(ValidationError, match=said):
        html_of("Text", mjml, "en")


@pytest.fixture
def mail_stage(campaign, put, marketing, signed_in):
    stage = put("email", "Hello")
    put("exit", "End")
    browser = signed_in(marketing)

    def save(**given):
        return browser.post(f"/campaigns/mine/stages/{stage.pk}/en/", {"subject": "S", "body": "Text", "mjml": "", **given})

    return stage, browser, save


def test_what_is_wrong_with_a_look_is_said_when_it_is_saved(mail_stage):
    _stage, _browser, save = mail_stage
    assert "The link to stop the mail is missing" in save(mjml="<mjml><mj-body></mj-body></mjml>").text
    assert "Nothing is known for {{ contact.shoe }}" in save(mjml=MJML.replace("contact.first_name|default:friend", "contact.shoe")).text
    assert "can’t be read" in save(mjml="<mjml>{{ unsubscribe }}").text
    assert save(mjml=MJML).status_code == 302
    text = StageText.objects.get(stage__version__campaign__slug="mine")
    assert "Dear {{ contact.first_name|default:friend }}" in text.html and "<mj-" not in text.html
    assert save().status_code == 302
    assert "Text" in StageText.objects.get(stage__version__campaign__slug="mine").html


def test_the_look_goes_out_filled_in_with_signed_links_and_nothing_of_the_buyers_runs(mail_stage, running, app, arrive, pass_time):
    _stage, _browser, save = mail_stage
    save(mjml=MJML)
    running()
    lead = arrive(app, **WEAK)
    Contact.objects.filter(pk=lead.contact_id).update(first_name='<img src=x onerror="1">')
    pass_time()
    send()
    [message] = django_mail.outbox
    [html] = [part.content for part in message.alternatives]
    assert "Dear &lt;img src=x onerror=&quot;1&quot;&gt;" in html
    assert 'href="https://larkfield.example/demo"' not in html and "/c/" in html
    assert "{{" not in html and "/unsubscribe/" in html
    assert message.body.startswith("Text")


def test_the_preview_frames_the_mail_where_it_can_do_nothing(mail_stage, app, arrive):
    stage, browser, save = mail_stage
    save(mjml=MJML)
    arrive(app, **WEAK)
    page = browser.get(f"/campaigns/mine/stages/{stage.pk}/en/preview/").text
    assert "<iframe" in page and "https://larkfield.example/demo" in page
    assert "mail-frame-dark" in browser.get(f"/campaigns/mine/stages/{stage.pk}/en/preview/?as=dark").text
    assert "<iframe" not in browser.get(f"/campaigns/mine/stages/{stage.pk}/en/preview/?as=text").text
    frame = browser.get(f"/campaigns/mine/stages/{stage.pk}/en/preview/html/")
    policy = frame["Content-Security-Policy"]
    assert "Book" in frame.text
    assert "sandbox" in policy and "default-src 'none'" in policy and "script-src" not in policy
    assert frame["X-Frame-Options"] == "SAMEORIGIN"


def test_the_dark_look_is_dark_whatever_the_reader_has(mail_stage, app, arrive):
    stage, browser, save = mail_stage
    save()
    arrive(app, **WEAK)
    page = f"/campaigns/mine/stages/{stage.pk}/en/preview/html/"
    assert "@media not all" in browser.get(page).text
    assert "@media all" in browser.get(f"{page}?as=dark").text


def test_a_link_that_leads_nowhere_is_shown(mail_stage, app, arrive):
    stage, browser, save = mail_stage
    save(mjml=MJML.replace("https://larkfield.example/demo", "larkfield.example/demo"))
    arrive(app, **WEAK)
    assert "leads nowhere" in browser.get(f"/campaigns/mine/stages/{stage.pk}/en/preview/").text


def test_a_look_is_copied_and_written_as_data(mail_stage, campaign):
    _stage, _browser, save = mail_stage
    save(mjml=MJML)
    version = campaign.versions.get()
    data = as_data(version)
    assert data[0]["texts"]["en"]["mjml"].split() == MJML.split()
    write(version, data)
    assert StageText.objects.get(stage__version=version).html
    data[0]["texts"]["en"]["mjml"] = "<mjml><mj-body></mj-body></mjml>"
    with pytest.raises(ValidationError, match="unsubscribe"):
        write(version, data)
