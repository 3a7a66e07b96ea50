"""Imports: a file is checked, then every readable row is a submission like any other."""

import json
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from leads import importing
from leads.models import Import, Lead, Submission
from portal import pipeline

GOOD = "E-Mail;FIRSTNAME;last name;Phone;Company name;Country;Job title;Notes;Stand\n"
FILE = (
    GOOD + "ada@kolovrat.example;Ada;Novák;+420 555 010 203;Kolovrat s.r.o.;CZ;CIO;\"Ahoj; jak\";A4\n"
    + "nobody;No;Body;;;;;;\n" + ";;;;;;;;\n" + ";Jo;;;;;;;\n" + "jan@kolovrat.example;Jan;;;;;;;\n" + "ada@kolovrat.example;Ada;;;;;;;;;;;\n"
)  # fmt: skip


def upload(browser, listing, content, name="leads.csv"):
    raw = content if isinstance(content, bytes) else content.encode("utf-8-sig")
    return browser.post("/leads/imports/", {"listing": listing.pk, "file": SimpleUploadedFile(name, raw, "text/csv")}, follow=True)


def test_only_the_office_imports(offer, sales, marketing, admin, signed_in):
    assert signed_in(sales).get("/leads/imports/").status_code == 403
    assert signed_in(marketing).get("/leads/imports/").status_code == signed_in(admin).get("/leads/imports/").status_code == 200


def test_a_file_is_checked_then_taken_in(offer, sales, marketing, signed_in):
    browser = signed_in(marketing)
    page = upload(browser, offer, FILE)
    found = Import.objects.get()
    assert (found.good, found.bad, found.state) == (2, 3, "checked")
    assert [line for line, _problem in found.problems] == [3, 5, 7]
    assert "“nobody” is not an e-mail address" in page.content.decode()
    assert found.unread == ["Stand"] and "Stand. Their cells are kept" in page.content.decode()
    assert Submission.objects.count() == 0
    for _ in range(2):
        page = browser.post(f"/leads/imports/{found.pk}/run/", follow=True)
    assert Submission.objects.filter(disposition="pending").count() == 2
    pipeline.run()
    found.refresh_from_db()
    assert (found.state, found.content) == ("done", None)
    ada = Lead.objects.get(contact__email="ada@kolovrat.example")
    assert (ada.contact.name, ada.contact.title, ada.contact.company.name, ada.owner) == ("Ada Novák", "CIO", "Kolovrat s.r.o.", sales)
    act = ada.interactions.get()
    assert (act.source, act.description, act.extra) == ("Import", "Ahoj; jak", {"Stand": "A4"})
    page = browser.get(f"/leads/imports/{found.pk}/")
    assert [(n, name) for _label, n, name in page.context["became"]] == [(2, "lead")]
    assert f'href="/leads/?brought={found.pk}"' in page.content.decode()
    assert "Imported from a file" in browser.get(ada.get_absolute_url()).content.decode()


def test_the_leads_of_an_import_are_a_list(offer, sales, marketing, signed_in, arrive):
    arrive(offer, email="other@kolovrat.example")
    browser = signed_in(marketing)
    upload(browser, offer, FILE)
    found = Import.objects.get()
    assert listed(browser, found.pk) == set()
    browser.post(f"/leads/imports/{found.pk}/run/")
    pipeline.run()
    assert listed(browser, found.pk) == {"ada@kolovrat.example", "jan@kolovrat.example"}
    assert "leads.csv" in browser.get(f"/leads/?brought={found.pk}").content.decode()
    assert listed(browser, "x") == listed(browser, uuid.uuid4()) == set()


def listed(browser, pk):
    return {lead.contact.email for lead in browser.get(f"/leads/?brought={pk}").context["page"].rows}


def test_problems_are_told_in_the_language_of_who_reads_them(offer, marketing, admin, signed_in):
    upload(signed_in(marketing), offer, FILE)
    browser = signed_in(admin)
    browser.cookies["django_language"] = "nl"
    page = browser.get(f"/leads/imports/{Import.objects.get().pk}/").content.decode()
    assert "“nobody” is geen e-mailadres" in page and "cellen onder" in page


def test_the_same_file_again_doubles_nothing(offer, sales, marketing, signed_in):
    browser = signed_in(marketing)
    for _ in range(2):
        upload(browser, offer, FILE)
        browser.post(f"/leads/imports/{Import.objects.first().pk}/run/")
        pipeline.run()
    assert Lead.objects.count() == 2
    assert set(Lead.objects.values_list("interaction_count", flat=True)) == {1}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"Name,Email\n\xff\xfe\xfa,a@b.example\n", "Not UTF-8"), ("Name,Town\nAda,Brno\n", "names no column"), ("", "empty"), ('Email\n"a\x00b', ""),
        ("Email\n" + "x" * 300_000, "Not readable as CSV"),
        ("Email,Description\r\na@x.example,\"unclosed\r\nb@x.example,hi\r\nc@x.example,hi", "Not readable as CSV"),
    ],
    ids=["charset", "columns", "empty", "nul", "long field", "unclosed quote"],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_with_a_sentence(content, complaint, offer, marketing, signed_in):
    page = upload(signed_in(marketing), offer, content)
    assert page.status_code == 422
    assert complaint in page.content.decode()
    assert Submission.objects.count() == 0


def test_the_size_is_bounded(offer, marketing, signed_in, monkeypatch):
    monkeypatch.setattr("leads.pages.imports.MOST_BYTES", 10)
    assert "Larger than 10 MB" in upload(signed_in(marketing), offer, FILE).content.decode()


def test_a_dropped_file_can_not_be_run(offer, marketing, signed_in):
    browser = signed_in(marketing)
    upload(browser, offer, FILE)
    Import.objects.update(content=None, state="dropped")
    page = browser.post(f"/leads/imports/{Import.objects.get().pk}/run/", follow=True)
    assert "upload it again" in page.content.decode()
    assert Submission.objects.count() == 0


def test_the_command_dry_and_real(offer, sales, tmp_path, capsys):
    file = tmp_path / "leads.csv"
    file.write_bytes(FILE.encode())
    call_command("import_leads", str(file), "--listing", "edge-firewall", "--dry-run")
    out = capsys.readouterr()
    assert json.loads(out.out) == {"listing": "edge-firewall", "dry_run": True, "unread": ["Stand"], "good": 2, "bad": 3}
    assert "line 3: “nobody” is not an e-mail address" in out.err
    assert Submission.objects.count() == 0
    call_command("import_leads", str(file), "--listing", "edge-firewall")
    assert json.loads(capsys.readouterr().out)["good"] == 2
    pipeline.run()
    assert Lead.objects.count() == 2
    assert set(Submission.objects.values_list("content_type", flat=True)) == {"application/json"}
    with pytest.raises(CommandError):
        call_command("import_leads", str(file), "--listing", "none")
    with pytest.raises(CommandError):
        call_command("import_leads", str(tmp_path / "none.csv"), "--listing", "edge-firewall")


def test_a_file_that_breaks_off_leaves_nothing(offer, tmp_path):
    file = tmp_path / "leads.csv"
    file.write_bytes(b"Email\n" + b"a@b.example\n" * 20_000 + b"\xff\n")
    with pytest.raises(CommandError, match="UTF-8"):
        call_command("import_leads", str(file), "--listing", "edge-firewall")
    assert Submission.objects.count() == 0


def test_no_cell_can_pass_for_a_test_lead_or_a_neighbours(offer):
    body = importing.body_of(importing.Head(",", ["Email", "Action Code"], ["email", "actioncode"]), ["a@b.example", "DNC"])
    assert body == {"userDetails": {"email": "a@b.example"}, "leadSource": "Import", "actionCode": "DNC"}


def test_workers_are_woken_when_the_rows_are_there_to_be_seen(offer, marketing, signed_in, monkeypatch, django_capture_on_commit_callbacks):
    woken = []
    monkeypatch.setattr("leads.door.import_string", lambda path: lambda: woken.append(path))
    browser = signed_in(marketing)
    upload(browser, offer, FILE)
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(f"/leads/imports/{Import.objects.get().pk}/run/")
        assert not woken
    assert len(woken) == 1


def test_a_file_of_too_many_rows_or_of_many_bad_ones_is_refused(offer, marketing, signed_in, monkeypatch):
    monkeypatch.setattr("leads.pages.imports.MOST_ROWS", 3)
    monkeypatch.setattr("leads.importing.WRONG_FILE", 2)
    browser = signed_in(marketing)
    assert "More than 3 rows" in upload(browser, offer, "Email\n" + "a@b.example\n" * 4).content.decode()
    page = upload(browser, offer, "Email\n" + "nobody\n" * 3).content.decode()
    assert "More than 2 rows can’t be read; the first is line 2: “nobody” is not" in page
    assert not Import.objects.exists()


def test_a_file_without_rows_is_refused(offer, marketing, signed_in):
    page = upload(signed_in(marketing), offer, "Email;Phone\n")
    assert page.status_code == 422 and "There is no row below the first line." in page.content.decode()


def test_one_person_twice_in_a_file_is_told_as_one_lead(offer, sales, marketing, signed_in):
    browser = signed_in(marketing)
    upload(browser, offer, "Email;Description\nada@b.example;one\nada@b.example;two\n")
    found = Import.objects.get()
    browser.post(f"/leads/imports/{found.pk}/run/")
    pipeline.run()
    page = browser.get(f"/leads/imports/{found.pk}/")
    assert ([n for _label, n, _name in page.context["became"]], page.context["leads"]) == ([2], 1)
