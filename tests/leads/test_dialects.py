"""Bytes to meaning: every dialect, every casing, and whatever else may come."""

import gzip
import json
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from leads import dialects
from leads.dialects import Unreadable, parse_lead_source, read
from tests.conftest import ADA, payload

JSON = "application/json"


def recased(value, change):
    if isinstance(value, dict):
        return {change(key): recased(inner, change) for key, inner in value.items()}
    return value


def snake(key):
    return "".join("_" + c.lower() if c.isupper() else c for c in key)


@pytest.mark.parametrize("change", [str, str.upper, str.lower, snake, lambda key: key[0].upper() + key[1:]])
def test_keys_mean_the_same_in_any_casing(change):
    act = read(json.dumps(recased(ADA, change)).encode(), JSON)
    assert act == read(json.dumps(ADA).encode(), JSON)
    assert (act.person["firstname"], act.source, act.action, act.offer) == ("Ada", "AzureMarketplace", "INS", "contoso.edge-firewall")


def test_the_person_may_stand_beside_the_act():
    flat = {**ADA["userDetails"], **{k: v for k, v in ADA.items() if k != "userDetails"}}
    assert read(json.dumps(flat).encode(), JSON).person["email"] == "ada.novak@kolovrat.example"


def test_a_table_row_carries_the_person_as_a_json_string():
    row = {
        "CustomerInfo": json.dumps({"FirstName": "Ada", "Email": "ada@kolovrat.example"}),
        "LeadSource": "AzurePortal-Create|a.b",
        "OfferDisplayName": "Edge",
    }
    act = read(json.dumps(row).encode(), JSON)
    assert (act.person["firstname"], act.source, act.action, act.offer_title) == ("Ada", "AzurePortal", "Create", "Edge")


def test_a_web_to_lead_form_is_read_even_when_it_does_not_say_so():
    form = b"first_name=Ana&email=ana%40silva.example&lead_source=SPZA-PLT%7CField+Service&description=Ol%C3%A1"
    for kind in ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-8", "text/plain", ""):
        act = read(form, kind)
        assert (act.person["firstname"], act.source, act.action, act.offer, act.description) == ("Ana", "AppSource", "PLT", "Field Service", "Olá")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("AzureMarketplace-INS|contoso.edge-firewall", ("AzureMarketplace", "INS", "contoso.edge-firewall")),
        ("AppSource (SPZA)-PLT | contoso.field-service", ("AppSource", "PLT", "contoso.field-service")),
        ("spza-plt|contoso.x", ("AppSource", "PLT", "contoso.x")),
        ("AppSource-INS|Field Service for Teams", ("AppSource", "INS", "Field Service for Teams")),
        ("AzurePortal-create | a.b-c-d", ("AzurePortal", "Create", "a.b-c-d")),
        ("TestDrive-StartTestDrive|a.b", ("TestDrive", "StartTestDrive", "a.b")),
        ("AzureMarketplace", ("AzureMarketplace", "", "")),
        ("AzureMarketplace|a.b", ("AzureMarketplace", "", "a.b")),
        ("Elsewhere-XYZ|a|b", ("Elsewhere", "XYZ", "a|b")),
        ("", ("", "", "")),
    ],
)
def test_lead_sources_in_all_their_forms(text, parts):
    assert parse_lead_source(text) == parts


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"[1,2]", "a list"),
        (b'"hello"', "single value"),
        (b"null", "single value"),
        (b'{"a" "b"}', "Not valid JSON"),
        (b"{}", "None of its fields"),
        (b'{"futureField": 1}', "None of its fields"),
        (b'{"userDetails":{"firstName":"\xff"}}', "Not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"CustomerInfo": "{broken"}', "CustomerInfo"),
        (b"&".join(b"a%d=1" % i for i in range(2_000)), "form fields"),
    ],
)
def test_what_cannot_be_read_says_why(body, reason):
    with pytest.raises(Unreadable, match=reason):
        read(body, "")


def test_charset_is_the_declared_one_and_a_byte_order_mark_wins():
    latin = json.dumps(payload(lastName="Müller"), ensure_ascii=False)
    assert read(latin.encode("latin-1"), "application/json; charset=iso-8859-1").person["lastname"] == "Müller"
    for codec in ("utf-8-sig", "utf-16", "utf-32"):
        assert read(latin.encode(codec), "application/json; charset=iso-8859-1").person["lastname"] == "Müller"
    assert read(latin.encode("utf-8"), "application/json; charset=klingon").person["lastname"] == "Müller"
    assert read(latin.encode("utf-8"), "application/json; charset=unicode_escape").person["lastname"] == "Müller"
    assert read(latin.encode("utf-16-le"), "application/json").person["lastname"] == "Müller"
    assert read(gzip.compress(latin.encode()), "application/json").person["lastname"] == "Müller"


@pytest.mark.parametrize("bomb", [gzip.compress(b"[" * 50_000_000, mtime=0), b"\x1f\x8bnonsense"], ids=["bomb", "nonsense"])
def test_what_is_packed_too_small_is_not_unpacked(bomb):
    with pytest.raises(Unreadable, match="Compressed"):
        read(bomb, "application/json")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded; charset=ISO-8859-1", b"first_name=Jo%E3o&email=j%40x.example"),
        ("application/x-www-form-urlencoded", b"first_name=Jo%E3o&email=j%40x.example&encoding=ISO-8859-1"),
        ("application/x-www-form-urlencoded", "first_name=João&email=j@x.example".encode()),
        ("application/json", b"first_name=Jo%C3%A3o&first_name=&email=j%40x.example"),
        ("application/x-www-form-urlencoded", '{"firstName": "João", "email": "j@x.example"}'.encode()),
    ],
)
def test_a_form_is_a_form_in_any_charset_and_whatever_it_calls_itself(content_type, body):
    assert read(body, content_type).person["firstname"] == "João"


def test_a_form_that_is_not_in_its_charset_says_so():
    with pytest.raises(Unreadable, match="a value of the form"):
        read(b"first_name=Jo%E3o", "application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    "body",
    [
        {"note": "hello\nMSFT_TEST_1", "email": "a@x.example"}, {"note": "éMSFT_TEST_1", "email": "a@x.example"},
        {"note": "x" * 30_000 + " MSFT_TEST", "email": "a@x.example"}, {"userDetails": {"firstName": "MSFT_TEST_5"}, "firstName": "Real", "email": "a@x.example"},
        {"email": "a@x.example", "deep": [{"er": ["msft_test"]}]}, {"CustomerInfo": '{"FirstName": "MSFT_TEST_9", "Email": "a@x.example"}'},
    ],
)  # fmt: skip
def test_a_test_lead_is_known_by_its_mark_in_any_text(body):
    assert read(json.dumps(body).encode(), "").is_test


def test_a_person_in_a_list_is_read_and_several_are_not():
    assert read(b'{"userDetails": [{"email": "a@x.example"}]}', "").person["email"] == "a@x.example"
    with pytest.raises(Unreadable, match="userDetails is not the object"):
        read(b'{"userDetails": [{"email": "a@x.example"}, {"email": "b@x.example"}]}', "")
    assert read(b'{"userDetails": {"email": "a@x.example"}, "size": NaN}', "").extra == {"size": "NaN"}


@pytest.mark.parametrize(
    "other",
    [
        {"email": "ADA.novak@kolovrat.example"}, {"phone": "+420 555010203"}, {"lastName": "Nova\u0301k"}, {"actionCode": "ins"},
        {"leadSource": "azuremarketplace-ins | contoso.edge-firewall"}, {"company": " Kolovrat s.r.o. "},
    ],
)  # fmt: skip
def test_what_means_the_same_is_the_same_delivery(other):
    first, again = (read(json.dumps(payload(**changes)).encode(), "") for changes in ({}, other))
    assert first.content_key == again.content_key
    assert read(json.dumps(payload(description="More")).encode(), "").content_key != first.content_key


def test_what_postgresql_cannot_hold_is_taken_out():
    act = read(b'{"userDetails":{"firstName":"A\\u0000\\ud800b","email":"n@u.example"},"x":{"y\\u0000":"\\udfff\\u0000z"}}', JSON)
    assert act.person["firstname"] == "Ab"
    assert act.extra == {"x": {"y": "z"}}


def test_numbers_stay_as_written():
    act = read(b'{"userDetails":{"email":"d@d.example","phone":' + b"9" * 10_000 + b"}}", JSON)
    assert act.person["phone"] == "9" * dialects.MAX_VALUE


def test_of_duplicate_keys_the_filled_value_counts():
    act = read(b'{"userDetails":{"email":"a@b.example"},"UserDetails":{"Email":"","FirstName":"Ada"}}', JSON)
    assert (act.person["email"], act.person["firstname"]) == ("a@b.example", "Ada")


def test_test_leads_are_known_by_their_mark_in_any_field():
    for field in ("firstName", "lastName", "email", "company", "title", "description", "leadSource", "offerTitle"):
        assert read(json.dumps(payload(**{field: "msft_test_637"})).encode(), JSON).is_test
    assert read(json.dumps({**ADA, "campaign": {"id": "MSFT_TEST_1"}}).encode(), JSON).is_test
    assert not read(json.dumps(payload(company="NotMSFT_TESTing")).encode(), JSON).is_test


def test_a_neighbours_request_is_known_by_code_or_source():
    assert read(json.dumps(payload(actionCode="dnc")).encode(), JSON).asked_neighbour
    assert read(json.dumps(payload(actionCode="", leadSource="SPZA-DNC|a.b")).encode(), JSON).asked_neighbour


def test_content_key_is_about_content_alone():
    one = read(json.dumps(ADA).encode(), JSON)
    other = read(json.dumps(recased(dict(reversed(ADA.items())), str.upper), indent=3).encode(), JSON)
    assert one.content_key == other.content_key
    assert one.content_key != read(json.dumps(payload(title="CTO")).encode(), JSON).content_key
    assert one.content_key != read(json.dumps({**ADA, "campaign": "spring"}).encode(), JSON).content_key


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
KEYS = st.sampled_from(["userDetails", "UserDetails", "customerInfo", "firstName", "email", "Phone", "leadSource", "actionCode", "description", "x"])


@given(
    st.binary(max_size=400),
    st.sampled_from([JSON, "application/x-www-form-urlencoded", "", "text/plain; charset=utf-7", "multipart/form-data; boundary=x"]),
)
@example(b"\xff\xfe\x00", JSON)
@example(b'{"userDetails": NaN}', JSON)
def test_any_bytes_are_read_or_refused_in_words(body, kind):
    try:
        read(body, kind)
    except Unreadable as refusal:
        assert str(refusal)


@settings(suppress_health_check=[HealthCheck.too_slow])  # how fast a busy machine makes values up says nothing about them
@given(st.dictionaries(KEYS, anything, max_size=6))
def test_any_object_is_read_or_refused_in_words_and_is_storable(value):
    try:
        act = read(json.dumps(value).encode(), JSON)
    except Unreadable as refusal:
        assert str(refusal)
        return
    stored = json.dumps([act.person, act.description, act.lead_source, act.extra], ensure_ascii=False)
    assert "\x00" not in stored
    stored.encode()
    assert "\\u0000" not in json.dumps(act.extra)


@pytest.mark.parametrize(
    "body",
    [
        '{"userDetails": {"email": "ada@x.example", "email": ""}, "leadSource": "x"}',
        '{"userDetails": {"email": "ada@x.example"}, "leadSource": "x", "userDetails": {}}',
        '{"userDetails": {"email": "ada@x.example"}, "leadSource": "x", "userDetails": {"firstName": "Ada"}}',
        '{"userDetails": {"email": "ada@x.example"}, "leadSource": "x", "userDetails": null}',
        '{"userDetails": {"email": ["ada@x.example"]}, "leadSource": "x"}',
        '{"userDetails": {"email": "ada@x.example"}, "leadSource": "x", ' + ", ".join(f'"userDetails": {{"k{n}": ""}}' for n in range(3_000)) + "}",
    ],
)
def test_a_key_that_stands_twice_or_a_value_in_a_list_loses_nobody(body):
    assert read(body.encode(), JSON).person["email"] == "ada@x.example"


@pytest.mark.parametrize("said", [{"actionCode": ["DNC"]}, {"userDetails": {"email": "ada@x.example", "actionCode": "DNC"}}])
def test_do_not_contact_is_heard_wherever_it_stands(said):
    assert read(json.dumps({"userDetails": {"email": "ada@x.example"}, "leadSource": "x", **said}).encode(), JSON).asked_neighbour


@pytest.mark.parametrize(
    ("description", "is_test"), [("MSFT_TEST_636573304831318844", True), (" msft_test", True), ("We saw an MSFT_TEST lead from you, call me", False)]
)
def test_who_only_writes_about_a_test_lead_is_none(description, is_test):
    person, act = {"email": "ada@x.example"}, {"leadSource": "AppSource-PLT|a.b"}
    inside = person | {"description": description}
    for body in (act | inside, act | {"userDetails": inside}, act | {"CustomerInfo": json.dumps(inside)}, act | {"userDetails": [inside]}):
        assert read(json.dumps(body).encode(), JSON).is_test == is_test, body


def test_the_name_of_a_field_that_can_not_be_stored_is_told_in_a_way_that_can():
    with pytest.raises(Unreadable) as refused:
        read(json.dumps({"user\x00Details": "x", "email": "a@x.example"}).encode(), JSON)
    assert "\x00" not in str(refused.value)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b'{"userDetails": {"email": "ada@firm.example"', "it ends in the middle, line 1, column 45"),
        (b'{"leadSource": ', "it ends in the middle, line 1, column 16"),
        (b'{"leadSource": "x" "y": 1}', "a comma is missing, line 1, column 20"),
        (b'{"leadSource": "x', "a text is not closed, line 1, column 16"),
    ],
)
def test_a_body_that_was_cut_off_is_told_from_one_with_a_fault(body, fault):
    with pytest.raises(dialects.Unreadable, match=fault):
        dialects.from_json(body.decode())


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Do Not Contact", "DNC"), ("do_not_contact", "DNC"), ("DNC (Do Not Contact)", "DNC"), ("DNC.", "DNC"), ("\ufeffDNC\u200b", "DNC"), ("ＤＮＣ", "DNC"),
        ("Installation", "INS"), ("PLT (Partner-Led Trial)", "PLT"), ("Test drive", "StartTestDrive"), ("INS2", "INS2"), ("Not Contacted", "Not Contacted"),
    ],
)  # fmt: skip
def test_a_code_is_known_by_its_full_name_too(said, code):
    assert dialects.canonical_action(said) == code
    assert dialects.parse_lead_source(f"SPZA-{said}|contoso.app")[1] == code


@pytest.mark.parametrize(
    "said",
    [
        {"leadSource": "AzureMarketplace-INS|contoso.msft_test_lab"},
        {"offerTitle": "Kit for MSFT_TEST runs"},
        {"leadSource": "SPZA-PLT|MSFT_TEST offer"},
    ],
)
def test_what_the_publisher_called_the_offer_makes_no_test_of_it(said):
    assert not read(json.dumps(payload(**said)).encode(), JSON).is_test


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("SPZA\u2013DNC|contoso.f", "AppSource"), ("SPZA\u2014DNC", "AppSource"), ("SPZA\u2011DNC|a.b", "AppSource"), ("SPZA-DNC\uff5ccontoso.f", "AppSource"),
        ("SPZA-DNC\u00a6x", "AppSource"), ("SPZA_DNC|x", "AppSource"), ("App-Source-DNC|x", "AppSource"), ("Azure-Marketplace-DNC|x", "AzureMarketplace"),
        ("Microsoft AppSource - DNC | a.b", "AppSource"),
    ],
)  # fmt: skip
def test_a_neighbours_request_is_known_whatever_dash_was_typed(said, source):
    act = read(json.dumps(payload(actionCode="", leadSource=said)).encode(), JSON)
    assert (act.asked_neighbour, act.source) == (True, source)


@pytest.mark.parametrize("code", ["Do not contact (DNC)", "DNC (Do Not Contact)", "do_not_contact"])
def test_a_neighbours_request_is_known_by_its_full_name(code):
    assert read(json.dumps(payload(actionCode=code)).encode(), JSON).asked_neighbour


@pytest.mark.parametrize(
    "body",
    [
        b'{"ACTIONCODE": "DNC", "email": "a@x.example", "actionCode": "PLT"}', b'{"actionCode": "DNC", "email": "a@x.example", "actionCode": "PLT"}',
        b'{"email": "a@x.example", "actionCode": ["PLT", "DNC"]}', b'{"actionCode": "INS", "userDetails": {"email": "a@x.example", "actionCode": "DNC"}}',
        b'{"leadSource": "SPZA-PLT|a.b", "userDetails": {"email": "a@x.example", "leadSource": "SPZA-DNC|a.b"}}',
        b"email=a%40x.example&action_code=DNC&action_code=PLT",
    ],
)  # fmt: skip
def test_of_several_codes_the_one_that_forbids_counts(body):
    assert read(body, "").asked_neighbour


@pytest.mark.parametrize("name", ["Комментарий", "備考", "note ", "!"])
def test_fields_of_any_script_tell_two_acts_apart(name):
    one, other = (
        read(json.dumps({"email": "a@x.example", "Источник": "x", "note": "y", name: said}).encode(), "") for said in ("first wish", "another")
    )
    assert one.content_key != other.content_key


def test_what_lies_very_deep_is_compared_too():
    deep = [read(f'{{"email": "a@x.example", "x": {"[" * 600}"{said}"{"]" * 600}}}'.encode(), "").content_key for said in ("one", "other", "one")]
    assert deep[0] == deep[2] != deep[1]


def test_a_compressed_body_is_whole_or_none():
    form = b"email=ada%40firma.example.com.br&first_name=Ada"
    assert read(gzip.compress(form[:20]) + gzip.compress(form[20:]), "").person["email"] == "ada@firma.example.com.br"
    with pytest.raises(Unreadable, match="can't be unpacked"):
        read(gzip.compress(form)[:-9], "")


@pytest.mark.parametrize(
    ("codec", "charset"),
    [("utf-8", "iso-8859-1"), ("utf-8", "us-ascii"), ("utf-8", "utf-16"), ("utf-16-be", "utf-16"), ("utf-16-le", "utf-16"), ("utf-8", "utf-32")],
)
def test_a_charset_that_was_declared_in_error_costs_no_name(codec, charset):
    assert (
        read(json.dumps(payload(firstName="Zoë"), ensure_ascii=False).encode(codec), f"application/json; charset={charset}").person["firstname"]
        == "Zoë"
    )


@pytest.mark.parametrize("form", ["&first_name=Ada&email=a%40x.example", "first name=Ada&email=a%40x.example"])
def test_a_form_is_one_however_it_begins(form):
    assert read(form.encode(), "").person["firstname"] == "Ada"


@pytest.mark.parametrize(
    ("said", "source", "action"),
    [
        ("SPZA-DNC - Do Not Contact|a.b", "AppSource", "DNC"),
        ("SPZA-INS - Installation", "AppSource", "INS"),
        ("SPZA-PLT-Partner Led Trial", "AppSource", "PLT"),
    ],
)
def test_a_code_beside_its_full_name_leaves_the_source(said, source, action):
    act = read(json.dumps(payload(actionCode="", leadSource=said)).encode(), JSON)
    assert (act.source, act.action) == (source, action)


def test_a_person_within_a_person_is_asked_too():
    assert read(b'{"userDetails": {"email": "a@x.example", "customerInfo": {"firstName": "MSFT_TEST_1"}}}', "").is_test
    table = {
        "CustomerInfo": '{"Email": "a@x.example"}',
        "LeadSource": "AzureMarketplace-INS|contoso.msft_test_lab",
        "ProductId": "contoso.msft_test_lab",
    }
    assert not read(json.dumps(table).encode(), "").is_test


@pytest.mark.parametrize(
    "body",
    [
        b'{"email": "a@x.example", "actionCode": ["DNC"' + b',"a"' * 20_000 + b"]" + b',"actionCode":1' * 10_000 + b"}",
        b'{"email": "a@x.example", "actionCode": "D' + b"-" * 100_000 + b'NC"' + b',"actionCode":1' * 9_000 + b"}",
        b"email=a%40x.example&actionCode=D" + b"-" * 100_000 + b"NC" + b"&actionCode=1" * 900,
    ],
    ids=["list", "text", "form"],
)
def test_a_code_said_ten_thousand_times_costs_no_more_than_its_bytes(body):
    began = time.process_time()
    read(body, "")
    assert time.process_time() - began < 2


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252", "us-ascii", "utf-16"])
def test_the_escapes_of_a_form_are_read_whatever_charset_was_declared_in_error(charset):
    form = b"first_name=Zo%C3%AB&email=a%40x.example"
    assert read(form, f"application/x-www-form-urlencoded; charset={charset}").person["firstname"] == "Zoë"
