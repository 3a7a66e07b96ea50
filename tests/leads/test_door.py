"""The lead URL: P1 and P2 to the letter."""

import hashlib
import json
from datetime import timedelta
from io import BytesIO

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from leads import door
from leads.models import Submission
from tests.conftest import ADA


@pytest.fixture
def path(offer):
    return offer.current_lead_url().path


def send(path, body, **headers):
    return Client(enforce_csrf_checks=True).post(path, body, content_type="application/json", headers=headers)


def test_202_means_that_the_exact_bytes_are_in_the_archive(path, offer):
    body = b'  {"userDetails": {"email": "\xff\x00"}} \r\n'
    answer = send(path, body)
    assert answer.status_code == 202
    kept = Submission.objects.get(pk=answer.json()["id"])
    assert (kept.raw, bytes(kept.sha256), kept.size, kept.listing) == (body, hashlib.sha256(body).digest(), len(body), offer)
    assert (kept.disposition, kept.content_type) == ("pending", "application/json")


@pytest.mark.parametrize("body", [b"", b"[1,2]", b"\x00" * 100, b"[" * 100_000, "ß".encode("utf-16")])
def test_content_is_never_refused(path, body):
    assert send(path, body).status_code == 202


def test_the_hot_path_is_one_statement(path, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert send(path, json.dumps(ADA)).status_code == 202


def test_the_cap_is_met_exactly(path, settings):
    assert send(path, b"x" * settings.LEAD_MAX_BYTES).status_code == 202
    answer = send(path, b"x" * (settings.LEAD_MAX_BYTES + 1))
    assert answer.status_code == 413
    refused = Submission.objects.get(disposition="refused")
    assert (refused.body, refused.sha256, refused.size) == (None, None, settings.LEAD_MAX_BYTES + 1)
    assert str(settings.LEAD_MAX_BYTES) in refused.reason


def test_a_chunked_body_is_read_to_the_same_cap(path, settings):
    def chunked(body):
        return Client().generic("POST", path, b"", **{"wsgi.input": BytesIO(body), "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""})

    answer = chunked(b"{}")
    assert Submission.objects.get(pk=answer.json()["id"]).raw == b"{}"
    assert chunked(b"x" * (settings.LEAD_MAX_BYTES + 1)).status_code == 413


def test_what_does_not_come_whole_is_kept_aside_and_not_accepted(path):
    answer = Client().generic("POST", path, b"", **{"wsgi.input": BytesIO(b"{}"), "CONTENT_LENGTH": "100"})
    assert answer.status_code == 400
    kept = Submission.objects.get()
    assert (kept.raw, kept.disposition, kept.reason) == (b"{}", "quarantined", "Cut off after 2 of 100 bytes.")


def test_broken_chunks_are_400_and_no_error_of_ours(path):
    class Broken(BytesIO):
        def read(self, size):
            raise ValueError("invalid chunk")

    assert Client().generic("POST", path, b"", **{"wsgi.input": Broken(), "HTTP_TRANSFER_ENCODING": "chunked"}).status_code == 400
    assert not Submission.objects.exists()


def test_it_answers_in_front_of_django_too(path):
    """As WSGI application, which the web processes are: Django hears of what is not its business only."""
    heard = []

    def call(method, where, body=b"{}"):
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": where,
            "wsgi.input": BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": "text/json",
        }
        said = []
        content = door.Door(lambda environ, start: heard.append(environ["PATH_INFO"]) or [b"portal"])(environ, lambda *head: said.extend(head))
        return said, b"".join(content)

    (status, headers), content = call("POST", path)
    assert status == "202 Accepted"
    assert dict(headers) == {"Content-Type": "application/json", "Content-Length": str(len(content))}
    assert Submission.objects.get(pk=json.loads(content)["id"]).content_type == "text/json"
    assert call("POST", path[:-3] + "xyz") == call("GET", path) == call("POST", "/leads/") == ([], b"portal")
    assert heard == [path[:-3] + "xyz", path, "/leads/"]


def test_a_wrong_secret_is_a_404_like_any_other_whatever_the_size(path, settings):
    nowhere = Client().post("/nowhere/at-all", b"{}", content_type="application/json")
    for secret in (path[:-3] + "xyz", "/in/x", "/in/" + "é" * 50):
        for body in (b"{}", b"x" * (settings.LEAD_MAX_BYTES + 1)):
            answer = send(secret, body)
            assert answer.status_code == 404
            assert answer.content == nowhere.content
            assert answer.headers.items() == nowhere.headers.items()
    assert not Submission.objects.exists()


def test_other_methods_are_405_for_a_right_secret_only(path):
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"):
        assert Client().generic(method, path).status_code == 405
        assert Client().generic(method, path[:-3] + "xyz").status_code == 404


def test_a_rotated_secret_works_until_its_overlap_ends(path, offer):
    new = offer.rotate_lead_url(timedelta(days=7))
    assert send(path, b"{}").status_code == send(new.path, b"{}").status_code == 202
    offer.lead_urls.exclude(pk=new.pk).update(ends_at=timezone.now() - timedelta(minutes=1))
    assert send(path, b"{}").status_code == 404
    assert send(new.path, b"{}").status_code == 202


def test_an_unreachable_database_is_503_with_retry_after_and_never_a_false_2xx(path, monkeypatch, caplog):
    class Down:
        in_atomic_block = True

        def cursor(self):
            raise OperationalError("connection refused")

        def close(self):
            pass

    monkeypatch.setattr(door, "connection", Down())
    answer = send(path, b"{}")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert path.split("/")[-1] not in caplog.text


def test_no_nudge_can_fail_a_lead(path, settings):
    settings.NUDGE = "nowhere.at_all"
    assert send(path, b"{}").status_code == 202


def test_no_cookie_or_session_is_made_or_read(path):
    answer = send(path, b"{}", cookie="sessionid=stolen")
    assert not answer.cookies
    assert "Set-Cookie" not in answer.headers
