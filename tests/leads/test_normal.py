"""One form for what people write in many."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads import normal


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Ada.Novak@Kolovrat.EXAMPLE", "ada.novak@kolovrat.example"),
        (" ada@kolovrat.example ", "ada@kolovrat.example"),
        ("a.d.a+spring@gmail.com", "a.d.a+spring@gmail.com"),
        ("ada@KÖLN.example", "ada@xn--kln-sna.example"),
        ("mailto:ada@kolovrat.example", "ada@kolovrat.example"),
        ("ada@x.example; bob@y.example", "ada@x.example"),
        ("ada@x.example, ada@y.example", "ada@x.example"),
        ("ada@x.example (work)", "ada@x.example"),
        ("Ada [mailto:ada@x.example]", "ada@x.example"),
        ("Ada Novák <ada@x.example>", "ada@x.example"),
        ("\u200bada@x.example", "ada@x.example"),
        ("ada\uff20x.example", "ada@x.example"),
        ("groß@x.example", "groß@x.example"),
        ("Ada Novak ada@x.example", ""),
        ("; ada@x.example", "ada@x.example"),
        ("ada@firma,cz", ""),
        ("ada@x.example,cz", ""),
        ("ada@x.example (work); bob@y.example", "ada@x.example"),
        ("ada@", ""),
        ("ada", ""),
        ("", ""),
        ("a b@c.example", ""),
        ("ada@kolovrat.example\r\nBcc: x@y.example", ""),
    ],
)
def test_email_key(text, key):
    assert normal.email_key(text) == key


@pytest.mark.parametrize(
    ("text", "country", "phone"),
    [
        ("+420 555 010 203", "CZ", "+420555010203"),
        ("8 (495) 555-01-23", "RU", "+74955550123"),
        ("0612345678", "NL", "+31612345678"),
        ("0612345678", "", "0612345678"),
        ("00420555010203", "", "+420555010203"),
        ("00420555010203", "CZ", "+420555010203"),
        ("call me", "CZ", "call me"),
        ("+351555010203", "", "+351555010203"),
        ("", "CZ", ""),
    ],
)
def test_phone(text, country, phone):
    assert normal.phone_of(text, country) == phone


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("US", "US"),
        ("USA", "US"),
        ("Netherlands", "NL"),
        ("czechia", "CZ"),
        ("Czech Republic", "CZ"),
        ("Brazil", "BR"),
        ("XK", "XK"),
        ("Kosovo", "XK"),
        ("Nowhere", ""),
        ("", ""),
    ],
)
def test_country(text, code):
    assert normal.country_of(text) == code


def test_companies_are_one_by_domain_or_by_name_without_legal_form():
    assert normal.company_key("Kolovrat s.r.o.", "kolovrat.example") == "domain:kolovrat.example"
    assert normal.company_key("Kolovrat s.r.o.", "") == normal.company_key("KOLOVRAT, SRO", "") == "name:kolovrat"
    assert normal.company_key("Empresa Ltda", "") == "name:empresa"
    assert normal.company_key("AG", "") == "name:ag"
    assert normal.company_key("", "") == ""


def test_only_a_business_address_tells_the_company():
    assert normal.own_domain("ada@mail.kolovrat.co.uk") == "kolovrat.co.uk"
    assert normal.own_domain("ada@gmail.com") == ""
    assert (normal.email_kind("a@gmail.com"), normal.email_kind("a@mailinator.com"), normal.email_kind("a@kolovrat.example")) == (
        "free",
        "disposable",
        "business",
    )


@pytest.mark.parametrize(
    ("title", "level"),
    [
        ("CIO", 3),
        ("Diretor de TI", 2),
        ("VP Engineering", 2),
        ("Head of Field Operations", 2),
        ("IT manager", 1),
        ("jednatelka", 3),
        ("Генеральный директор", 3),
        ("clerk", 0),
        ("", 0),
    ],
)
def test_seniority(title, level):
    assert normal.seniority(title) == level


def test_search_words_find_people_by_folded_words_and_phone_endings():
    words = normal.search_words("João", "Novák", "ada@kolovrat.example", "Kolovrat", phone="+420555010203")
    assert {"joao", "novak", "ada@kolovrat.example", "kolovrat.example", "kolovrat", "555010203", "0203"} <= set(words)


@given(st.text(max_size=200), st.text(max_size=80))
def test_no_text_is_too_odd(text, other):
    normal.email_key(text)
    normal.phone_of(text, "CZ")
    normal.country_of(text)
    normal.company_key(text, "")
    normal.seniority(text)
    assert all(len(word) <= 100 for word in normal.search_words(text, other, phone=text))


@pytest.mark.parametrize(
    "domain",
    ["hotmail.co.uk", "yahoo.co.uk", "yahoo.fr", "outlook.de", "live.nl", "gmx.at", "yahoo.co.jp", "pm.me", "wp.pl", "abv.bg", "comcast.net"],
)
def test_the_same_free_mailbox_under_another_country_is_a_free_mailbox(domain):
    assert normal.email_kind(f"x@{domain}") == "free"
    assert normal.own_domain(f"x@{domain}") == ""


@pytest.mark.parametrize(
    ("email", "own"),
    [
        ("a@contoso.onmicrosoft.com", "contoso.onmicrosoft.com"),
        ("a@mail.contoso.onmicrosoft.com", "contoso.onmicrosoft.com"),
        ("a@contoso.github.io", "contoso.github.io"),
        ("a@sales.contoso.co.uk", "contoso.co.uk"),
        ("a@yahoo-partners.example", "yahoo-partners.example"),
    ],
)
def test_tenants_of_one_provider_are_companies_of_their_own(email, own):
    assert normal.own_domain(email) == own


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Congo (DRC)", "CD"), ("Bahamas, The", "BS"), ("Türkiye (Turkey)", "TR"), ("US - United States", "US"), ("United States (US)", "US"), ("Lao PDR", "LA"),
        ("Česko", "CZ"), ("Deutschland", "DE"), ("Россия", "RU"), ("Brasil", "BR"), ("Congo", "CG"), ("Niger", "NE"), ("Atlantis (Sea)", ""), ("Sverige", "SE"), ("Suomi", "FI"), ("Ελλάδα", "GR"), ("日本", "JP"), ("대한민국", "KR"), ("Україна", "UA"), ("-", ""),
        ("Georgia (USA)", ""), ("Georgia - USA", ""), ("Congo (Democratic Republic)", ""), ("Korea (DPR)", ""), ("Sudan (South)", "SS"),
        ("Guinea (Equatorial)", "GQ"), ("Ireland (Northern)", "GB"), ("Samoa (American)", "AS"), ("China (Hong Kong)", ""), ("China - Taiwan", ""),
        ("Virgin Islands (US)", ""), ("USA (Puerto Rico)", ""), ("Falkland Islands (Islas Malvinas)", "FK"),
    ],
)  # fmt: skip
def test_a_country_by_the_other_ways_it_is_written(said, code):
    assert normal.country_of(said) == code


@pytest.mark.parametrize("name", ["Acme, spol. s r.o.", "Acme Sp. z o.o.", "Acme A/S", "Acme a. s.", "The Acme Company", "ACME, Inc."])
def test_a_company_is_known_without_its_legal_form(name):
    assert normal.company_key(name, "") == "name:acme"


@pytest.mark.parametrize(("name", "key"), [("S A Recycling", "name:s a recycling"), ("Z OO Berlin", "name:z oo berlin")])
def test_letters_apart_are_a_legal_form_at_the_end_only(name, key):
    assert normal.company_key(name, "") == key


@pytest.mark.parametrize(
    ("said", "country", "number"),
    [
        ("+1 206 555 0101; +1 206 555 0102", "US", "+12065550101"), ("206-555-0101 / 206-555-0102", "US", "+12065550101"),
        ("call me / 12", "US", "call me / 12"),
    ],
)  # fmt: skip
def test_of_several_numbers_the_first_counts(said, country, number):
    assert normal.phone_of(said, country) == number
