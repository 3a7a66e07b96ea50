"""The language of rules: what it admits, what it means, and that nothing else gets in."""

import pytest
from django.core.exceptions import ValidationError

from leads.conditions import MAX_LEAVES, MAX_LIST, check, fields, matching
from leads.models import Lead


def leaf(field, op, value):
    return {"field": field, "op": op, "value": value}


@pytest.mark.parametrize(
    "tree",
    [
        {},
        leaf("score", "at_least", 30),
        {"all": [leaf("country", "in", ["CZ", "NL"]), {"not": leaf("company", "empty", True)}]},
        {"any": []},
        {"not": {}},
    ],
)
def test_well_formed_trees_are_admitted(tree):
    check(tree)


@pytest.mark.parametrize(
    "tree",
    [
        [],
        {"all": {}},
        {"all": [], "any": []},
        leaf("password", "is", "x"),
        leaf("owner__password", "is", "x"),
        leaf("score", "contains", "3"),
        leaf("score", "at_least", "3"),
        leaf("score", "at_least", True),
        leaf("country", "in", "CZ"),
        leaf("country", "in", ["CZ"] * (MAX_LIST + 1)),
        {"all": [leaf("score", "is", 1)] * (MAX_LEAVES + 1)},
        {"not": {"not": {"not": {"not": {"not": {"not": leaf("score", "is", 1)}}}}}},
        {"field": "score"},
    ],
)
def test_anything_else_is_refused_in_words(tree):
    with pytest.raises(ValidationError) as refusal:
        check(tree)
    assert refusal.value.messages


def test_conditions_choose_leads(offer, app, sales, arrive):
    ada = arrive(offer)
    bob = arrive(app, email="bob@gmail.com", company="", title="", country="BR", actionCode="PLT", leadSource="", description="x" * 50)
    cases = [
        ({}, {ada, bob}),
        (leaf("country", "is", "CZ"), {ada}),
        (leaf("country", "is_not", "CZ"), {bob}),
        (leaf("company", "empty", True), {bob}),
        (leaf("company", "empty", False), {ada}),
        (leaf("email", "contains", "GMAIL"), {bob}),
        (leaf("actions", "has", "PLT"), {bob}),
        (leaf("said_length", "at_least", 50), {bob}),
        (leaf("right_audience", "is", True), {ada}),
        (leaf("country_served", "is", True), {ada, bob}),
        (leaf("days_since_act", "at_most", 0), {ada, bob}),
        ({"any": [leaf("country", "is", "CZ"), leaf("storefront", "is", "appsource")]}, {ada, bob}),
        ({"all": [leaf("country", "is", "CZ"), {"not": leaf("listing", "is", "edge-firewall")}]}, set()),
        ({"any": []}, set()),
    ]
    for tree, expected in cases:
        assert set(matching(Lead.objects.all(), tree)) == expected, tree


def test_served_countries_come_from_the_publisher(offer, publisher, sales, arrive):
    ada = arrive(offer)
    publisher.countries_served = ["BR"]
    publisher.save()
    assert not matching(Lead.objects.all(), leaf("country_served", "is", True))
    publisher.countries_served = ["BR", "CZ"]
    publisher.save()
    assert set(matching(Lead.objects.all(), leaf("country_served", "is", True))) == {ada}


def test_every_field_compiles_with_every_operator(offer, sales, arrive):
    from leads.conditions import OPERATORS, VALUES

    arrive(offer)
    sample = {str: "x", int: 1, bool: True}
    for name, known in fields().items():
        for op in OPERATORS[known.type]:
            value = True if op == "empty" else sample[VALUES[known.type]]
            tree = leaf(name, op, [value] if op == "in" else value)
            check(tree)
            list(matching(Lead.objects.all(), tree))
