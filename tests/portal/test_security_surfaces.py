"""What odd values do where they are shown, sent and looked up: as text everywhere, as a header, address or rule nowhere."""

import contextlib
import logging
import re
import socket
import threading
import time
from pathlib import Path

import pytest
from django.conf import settings as portal_settings
from django.core import signing
from django.test import Client
from django.urls import path as route

from campaigns import words
from campaigns.models import Sender, Suppression
from campaigns.senders import sender_of, token_of
from delivery import egress
from delivery.models import Delivery, DeliveryAttempt, Destination
from leads.models import Lead, Submission
from portal import pipeline, urls

TOP = Path(__file__).resolve().parents[2]
POLYGLOT = "'\"></title></textarea></script><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}{% debug %}"
SUSPECT = ("<script>alert(1)", "<img src=x", "49{%", "&amp;lt;script")
KEY = "ada.novak@kolovrat.example"


@pytest.fixture
def odd(offer, app, sales, admin, marketing, post):
    """Leads, a quarantined submission and a dead delivery whose every text is markup."""
    said = dict.fromkeys(("firstName", "lastName", "company", "title", "phone", "country"), POLYGLOT)
    for one in (offer, app):
        post(
            one, description=POLYGLOT, offerTitle=POLYGLOT, leadSource=f"{POLYGLOT}-INS|{POLYGLOT}", actionCode=POLYGLOT[:30], extra=POLYGLOT, **said
        )
    post(offer, POLYGLOT.encode())
    pipeline.run()
    lead = Lead.objects.filter(listing=offer).get()
    Lead.objects.update(owner=sales)
    for work, text in (("notes", "note"), ("calls", "note"), ("tasks", "title")):
        browser = Client()
        browser.force_login(sales)
        browser.post(f"/leads/{lead.pk}/{work}/", {text: POLYGLOT, "due_at": "2026-11-20T09:00"})
    destination = Destination.objects.create(
        name=POLYGLOT[:100], kind="https", config={"url": "https://crm.example/?" + POLYGLOT}, state="paused", pause_reason=POLYGLOT
    )
    delivery = Delivery.objects.create(lead=lead, destination=destination, revision=1, state="dead", last_error=POLYGLOT)
    DeliveryAttempt.objects.create(delivery=delivery, revision=1, outcome="refused", status=422, answer=POLYGLOT)
    destination.listings.add(offer)
    offer.title = POLYGLOT
    offer.save()
    return lead, delivery, destination


def test_markup_is_text_on_every_page_that_shows_it(odd, admin, marketing, sales, signed_in):
    lead, delivery, destination = odd
    broken = Submission.objects.get(disposition="quarantined")
    pages = [
        "/leads/", "/leads/pipeline/", "/leads/my-day/", lead.get_absolute_url(), f"{lead.get_absolute_url()}?side=ours", f"/leads/{lead.pk}/contact/",
        "/leads/quarantine/", f"/leads/quarantine/{broken.pk}/", "/overview/", "/listings/", "/listings/edge-firewall/", "/follow-up/", "/follow-up/deliveries/",
        f"/follow-up/deliveries/{delivery.pk}/", f"/follow-up/{destination.pk}/?show=payload", f"/follow-up/{destination.pk}/edit/", "/setup/audit/", "/admin/",
        f"/admin/leads/lead/{lead.pk}/change/", f"/admin/leads/contact/{lead.contact_id}/change/", "/admin/leads/activity/", f"/admin/delivery/delivery/{delivery.pk}/change/",
        "/leads/?q=" + POLYGLOT, "/leads/?listing=" + POLYGLOT, "/leads/?from=" + POLYGLOT, "/overview/?from=" + POLYGLOT, "/overview/?storefront=" + POLYGLOT,
    ]  # fmt: skip
    seen = 0
    for user, wanted in ((admin, pages), (sales, pages[:6])):
        browser = signed_in(user)
        for page in wanted:
            answer = browser.get(page)
            assert answer.status_code == 200, page
            text = answer.content.decode()
            assert not [sign for sign in SUSPECT if sign in text], page
            seen += "&lt;script&gt;alert(1)" in text or "\\u003Cscript" in text
    assert seen >= 20
    found = signed_in(admin).get("/search?q=script")
    assert found["Content-Type"] == "application/json"
    assert found["X-Content-Type-Options"] == "nosniff"


def test_templates_and_code_mark_nothing_safe_but_what_is_ours():
    allowed = {"templates/delivery/_bulk.html": 1, "templates/parts/_field.html": 1, "portal/templatetags/look.py": 3, "leads/filters.py": 3}
    risky = re.compile(r"\|\s*safe\b|\bsafeseq\b|autoescape off|\bmark_safe\b|\bSafeString\(|\.html_safe\b")
    found = {}
    for file in [*TOP.glob("templates/**/*.html"), *TOP.glob("*/**/*.py")]:
        name = str(file.relative_to(TOP))
        if not name.startswith(("tests/", ".venv/", "bench/", "frontend/")) and (count := len(risky.findall(file.read_text()))):
            found[name] = count
    assert found == allowed


def test_no_page_has_a_script_or_a_style_of_its_own():
    """Data goes into pages by json_script only, behaviour by files only: the policy has no `unsafe-inline` to fall back to."""
    inline = re.compile(r"<script(?![^>]*\bsrc=)|<style|\son\w+\s*=\s*[\"']|\sstyle\s*=|javascript:", re.IGNORECASE)
    assert not [str(file) for file in TOP.glob("templates/**/*.html") if inline.search(file.read_text())]


def test_an_error_page_tells_nothing(publisher, admin, signed_in, settings, monkeypatch):
    def broken(request):
        raise RuntimeError("SELECT secret FROM accounts_user -- canary")

    monkeypatch.setattr(urls, "urlpatterns", [route("broken", broken), *urls.urlpatterns])
    broken.roles = None
    from django.urls import clear_url_caches

    clear_url_caches()
    try:
        browser = signed_in(admin)
        browser.raise_request_exception = False
        answer = browser.get("/broken")
    finally:
        monkeypatch.undo()
        clear_url_caches()
    assert answer.status_code == 500
    assert not [
        word for word in ("canary", "RuntimeError", "Traceback", "SELECT", "site-packages", portal_settings.SECRET_KEY) if word in answer.text
    ]


def test_messages_of_workers_are_json_and_nothing_else():
    from portal.celery import app

    assert list(app.conf.accept_content) == ["json"]
    assert (app.conf.task_serializer, app.conf.result_serializer) == ("json", "json")


def test_a_search_reads_200_characters(offer, sales, marketing, arrive, signed_in, api):
    """The word beyond them would find nobody."""
    arrive(offer)
    text = "ada" + " " * 200 + "nobody"
    browser = signed_in(marketing)
    assert browser.get("/leads/", {"q": text}).context["total"].figure == 1
    assert len(browser.get("/search", {"q": text}).json()) == 1
    assert api(marketing).get("/api/v1/leads/", {"q": text}).status_code == 400


def test_a_link_to_unsubscribe_does_nothing_else_and_no_other_link_unsubscribes(publisher):
    link = words.unsubscribe_path(KEY).split("/")[2]
    sender = Sender.objects.create(address="hello@larkfield.example")
    assert sender_of(token_of(sender)) == sender
    assert sender_of(link) is None
    assert sender_of(link.replace(".", ":")) is None
    for other in (token_of(sender), signing.dumps(KEY), signing.Signer(key=words.signing_key(), salt="sender").sign("00" * 32)):
        assert words.digest_of(other) is None
    assert Client().post(f"/campaigns/senders/verify/{link}/").status_code == 404
    assert not Suppression.objects.exists()


def test_a_link_in_a_mail_outlives_the_secret_key(publisher, settings):
    link = words.unsubscribe_path(KEY)
    settings.SECRET_KEY = "another" * 10
    assert Client(enforce_csrf_checks=True).post(link).status_code == 200
    assert Suppression.holds(KEY)


@pytest.fixture
def loopback(settings, httpserver):
    settings.ALLOW_LOOPBACK_DESTINATIONS = True
    return httpserver


def test_no_redirect_is_followed(loopback):
    loopback.expect_request("/leads").respond_with_data("", 307, {"Location": loopback.url_for("/inside")})
    loopback.expect_request("/inside").respond_with_data("secret")
    assert egress.post(loopback.url_for("/leads"), b"{}", {})[0] == 307
    assert [request.path for request, _ in loopback.log] == ["/leads"]


def test_proxies_of_the_environment_and_netrc_are_ignored(loopback, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    loopback.expect_request("/leads").respond_with_data("ok")
    assert egress.post(loopback.url_for("/leads"), b"{}", {})[0] == 200
    assert "Authorization" not in loopback.log[0][0].headers


def test_the_checked_address_is_the_one_that_is_called(loopback, monkeypatch):
    """A name server that answers differently the second time (TTL 0) is asked once; Host and certificate name stay the destination's."""
    answers = [["127.0.0.1"], ["127.0.0.2"]]
    asked = []

    def lookup(host, port, *args, **kwargs):
        if host != "crm.rebind.example":
            return real(host, port, *args, **kwargs)
        asked.append(host)
        return [(2, 1, 6, "", (address, port)) for address in answers[min(len(asked), 2) - 1]]

    real = egress.socket.getaddrinfo
    monkeypatch.setattr(egress.socket, "getaddrinfo", lookup)
    loopback.expect_request("/leads").respond_with_data("ok")
    monkeypatch.setattr(egress, "is_loopback_name", lambda _: True)
    assert egress.post(f"http://crm.rebind.example:{loopback.port}/leads", b"{}", {})[0] == 200
    assert asked == ["crm.rebind.example"]
    assert loopback.log[0][0].headers["Host"] == f"crm.rebind.example:{loopback.port}"
    target = egress.resolve("https://crm.rebind.example:8443/x?y")
    assert (target.url, target.host, target.name) == ("https://127.0.0.2:8443/x?y", "crm.rebind.example:8443", "crm.rebind.example")


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["93.184.216.34", "::1"], ["::ffff:169.254.169.254"], ["64:ff9b::7f00:1"], ["2002:7f00:1::"], ["fe80::1%eth0"], ["100.64.0.1"], ["192.168.1.1"], []])  # fmt: skip
def test_one_inner_address_of_a_name_is_enough_to_refuse_it(addresses, settings, monkeypatch):
    settings.ALLOW_LOOPBACK_DESTINATIONS = False
    monkeypatch.setattr(egress.socket, "getaddrinfo", lambda host, port, **_: [(2, 1, 6, "", (one, port)) for one in addresses])
    with pytest.raises(egress.Forbidden):
        egress.resolve("https://crm.example/")
    monkeypatch.setattr(egress.socket, "getaddrinfo", lambda host, port, **_: [(2, 1, 6, "", ("93.184.216.34", port))])
    assert egress.resolve("https://crm.example/").url == "https://93.184.216.34:443/"


def test_a_huge_answer_is_not_read_to_its_end(settings):
    settings.ALLOW_LOOPBACK_DESTINATIONS = True
    sent = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def flood():
            peer, _ = server.accept()
            with peer, contextlib.suppress(OSError):
                peer.recv(65536)
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\n")
                for _ in range(60):
                    peer.sendall(b"x" * 1_000_000)
                    sent.append(1)

        thread = threading.Thread(target=flood)
        thread.start()
        status, _, text = egress.post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", {})
        thread.join(20)
    assert (status, len(text)) == (200, 4096)
    assert len(sent) < 30


REGEXES = ("leads.dialects", "leads.normal", "leads.lists", "leads.door", "portal.logs", "campaigns.mailbox")


@pytest.mark.parametrize("module", REGEXES)
def test_no_regular_expression_is_slow_on_a_long_text(module):
    from importlib import import_module

    found = [value for value in vars(import_module(module)).values() if isinstance(value, re.Pattern)]
    texts = [sign * 100_000 for sign in " \t-|{.@a1_/'\""] + ["{{a|default:" * 8_000, "a." * 50_000, "/in/" * 25_000, "a@a." * 25_000]
    for pattern in found:
        for text in texts:
            began = time.thread_time()  # of the processor, however busy the machine
            pattern.match(text)
            took = time.thread_time() - began
            assert took < 1, (pattern.pattern[:60], text[:12], took)


class Kept(logging.Handler):
    """Keeps what it is told, as a library's own handler would."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.mark.parametrize("name", ["django.request", "django.server", "django.security.csrf"])
def test_an_address_that_is_a_key_is_hidden_before_any_handler_sees_it(name):
    logger, kept = logging.getLogger(name), Kept()
    logger.addHandler(kept)
    try:
        for secret in ("/in/canary", "/unsubscribe/canary/", "/campaigns/senders/verify/canary/?x=1"):
            logger.error("Service Unavailable: %s", secret)
    finally:
        logger.removeHandler(kept)
    assert len(kept.lines) == 3
    assert not [line for line in kept.lines if "canary" in line]


def test_whatever_else_is_said_goes_through_the_same_sieve():
    [console] = [handler for handler in logging.getLogger().handlers if type(handler) is logging.StreamHandler]
    record = logging.LogRecord("some.library", logging.ERROR, __file__, 1, "GET %s failed", ("http://x.example/in/canary",), None)
    assert console.filter(record)
    assert "canary" not in record.getMessage()
