"""Stages as data: whatever a program sends is either kept and can be told again the same, or refused with a sentence that says where it is wrong."""

import json

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.flow import Flow
from campaigns.kinds import faults
from campaigns.models import Stage
from campaigns.written import as_data, write

JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**12), 10**12), st.floats(allow_nan=False), st.text(max_size=6), st.lists(st.integers(), max_size=2),
    st.sampled_from(["", "P1D", "PT0S", "-P1D", "P9999D", "\x00", "\ud800", "en", "sales", {}, [], {"en": 1}, {"field": "country", "op": "is", "value": "CZ"}]),
)  # fmt: skip
NAMES = st.one_of(st.sampled_from(["A stage", "B", " ", "x" * 101]), JUNK)
OPTIONS = st.dictionaries(
    st.sampled_from(["minute", "weekdays", "until", "days", "measure", "auto", "least", "to", "destination", "status", "tag", "off", "bonus", "owner", "x"]),
    JUNK, max_size=3,
)  # fmt: skip
TEXTS = st.dictionaries(
    st.sampled_from(["en", "cs", "xx"]),
    st.one_of(
        JUNK, st.fixed_dictionaries({"subject": NAMES, "body": st.one_of(JUNK, st.just("Hello {{ contact.first_name }}"))}, optional={"mjml": JUNK})
    ),
    max_size=2,
)
KINDS = st.one_of(st.sampled_from(Stage.Kind.values), JUNK)


def stages(inner):
    arm = st.one_of(JUNK, st.fixed_dictionaries({"name": NAMES}, optional={"when": JUNK, "share": JUNK, "stages": inner}))
    stage = st.fixed_dictionaries(
        {"kind": KINDS, "name": NAMES},
        optional={
            "holds_for": JUNK, "options": st.one_of(OPTIONS, JUNK), "texts": st.one_of(TEXTS, JUNK), "key": JUNK, "then": JUNK,
            "arms": st.one_of(JUNK, st.lists(arm, max_size=3)), "otherwise": inner, "x": JUNK,
        },
    )  # fmt: skip
    return st.one_of(JUNK, st.lists(st.one_of(stage, JUNK), max_size=3))


DATA = st.recursive(JUNK, stages, max_leaves=12)


@given(data=DATA)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_anything_is_kept_or_refused_in_words(campaign, data):
    version = campaign.version
    with transaction.atomic():
        try:
            write(version, data)
        except ValidationError as error:
            assert error.messages and all(error.messages)
        else:
            told = as_data(version)
            json.dumps(told)
            faults(Flow.of(version.stages.prefetch_related("texts")))
            write(version, told)
            assert as_data(version) == told
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("stage", "where"),
    [
        ({"kind": "wait", "name": "W", "holds_for": "P3Y"}, "stages[0].holds_for"),
        ({"kind": "wait", "name": "W", "options": {"minute": 1440}}, "stages[0].options.minute"),
        ({"kind": "wait", "name": "W", "options": {"days": 1}}, "stages[0].options"),
        ({"kind": "email", "name": "M", "texts": {"xx": {}}}, "stages[0].texts"),
        ({"kind": "email", "name": "M", "texts": {"en": {"subject": "S", "body": "{{ secret.key }}"}}}, "stages[0].texts.en"),
        ({"kind": "task", "name": "T", "texts": {"en": {"subject": "S", "body": "B"}}}, "stages[0].texts"),
        ({"kind": "branch", "name": "B", "arms": [{"name": "A", "when": {"field": "no", "op": "is", "value": 1}}]}, "stages[0].arms[0].when"),
        ({"kind": "branch", "name": "B", "arms": [{"name": "A", "when": {}, "stages": [{"kind": "x", "name": "Y"}]}]}, "stages[0].arms[0].stages[0]"),
        ({"kind": "split", "name": "S", "arms": [{"name": "A", "share": 0}]}, "stages[0].arms[0].share"),
        ({"kind": "split", "name": "S", "arms": [{"name": "A"}], "otherwise": [{"kind": "exit", "name": "E"}]}, "stages[0].otherwise"),
        ({"kind": "exit", "name": "E", "then": "00000000-0000-7000-8000-000000000000"}, "then"),
        ({"kind": "wait", "name": "W", "key": "x"}, "stages[0].key"),
    ],
)  # fmt: skip
def test_a_refusal_says_where(campaign, stage, where):
    with pytest.raises(ValidationError) as refusal:
        write(campaign.version, [stage])
    assert refusal.value.messages[0].startswith(f"{where}: ")
    assert not campaign.version.stages.exists()
