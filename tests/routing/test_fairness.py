"""Whatever loads and limits the sellers have, a batch is handed out as one lead after the other would be: lowest load first, then longest waiting."""

from datetime import timedelta
from typing import NamedTuple

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import User
from leads.models import Contact, Lead
from listings.models import Listing, Publisher
from routing.assign import assign
from routing.models import Assignment, Seller
from routing.seats import free_seats
from tests.conftest import listing


class Drawn(NamedTuple):
    """A seller as drawn: open leads, limit, whether they take any, are still here and still in field sales, and hours since they last got one (None: never)."""

    load: int
    capacity: int | None
    takes: bool
    active: bool
    sells: bool
    waited: int | None


SELLERS = st.lists(
    st.builds(
        Drawn,
        st.integers(0, 5),
        st.none() | st.integers(0, 6),
        *[st.sampled_from([True, True, True, False])] * 3,
        st.none() | st.integers(1, 50),
    ),
    max_size=6,
)


def leads_of(place: Listing, count: int, owner: User | None, mark: str) -> list[Lead]:
    """So many open leads, the first the one that acted first."""
    contacts = Contact.objects.bulk_create(Contact(key=f"{mark}-{n}", email=f"{mark}-{n}@x.example") for n in range(count))
    began = timezone.now() - timedelta(hours=2)
    return Lead.objects.bulk_create(
        Lead(contact=contact, listing=place, owner=owner, last_interaction_at=began + timedelta(minutes=n)) for n, contact in enumerate(contacts)
    )


def one_by_one(sellers: dict[int, Drawn], count: int) -> dict[int, int]:
    """The plain way: seller -> how many they get."""
    load = {pk: one.load for pk, one in sellers.items()}
    given_to = dict.fromkeys(sellers, 0)
    for _ in range(count):
        able = [pk for pk, one in sellers.items() if one.takes and one.active and one.sells and (one.capacity is None or load[pk] < one.capacity)]
        if not able:
            break
        chosen = min(able, key=lambda pk: (load[pk], 0 if sellers[pk].waited is None else 1, -(sellers[pk].waited or 0), pk))
        load[chosen] += 1
        given_to[chosen] += 1
    return given_to


@pytest.mark.filterwarnings("ignore")
class FairnessTest(TestCase):
    @settings(max_examples=40, deadline=None)
    @given(SELLERS, st.integers(0, 14))
    def test_a_batch_is_handed_out_as_one_by_one(self, drawn: list[Drawn], count: int) -> None:
        Publisher.objects.get_or_create(name="P")
        place = listing("fair", "Fair", "azure-marketplace", "offer")
        now, sellers = timezone.now(), dict[int, Drawn]()
        for number, one in enumerate(drawn):
            user = User.objects.create(username=f"seller{number}", email=f"seller{number}@x.example", is_active=one.active)
            if one.sells:
                user.groups.add(Group.objects.get(name="sales"))
            since = None if one.waited is None else now - timedelta(hours=one.waited)
            Seller.objects.create(user=user, capacity=one.capacity, takes_leads=one.takes, last_assigned_at=since)
            leads_of(place, one.load, user, f"had{number}")
            sellers[user.pk] = one
        free = free_seats()
        waiting = leads_of(place, count, None, "new")
        expected = one_by_one(sellers, count)

        assert assign([lead.pk for lead in waiting]) == sum(expected.values())

        got = {pk: Lead.objects.filter(owner=pk, pk__in=[lead.pk for lead in waiting]).count() for pk in sellers}
        assert got == expected
        assert min(free, count) == sum(expected.values())
        assert Assignment.objects.filter(ended_at=None).count() == sum(expected.values())
        owned = [lead.owner_id is not None for lead in Lead.objects.filter(pk__in=[lead.pk for lead in waiting]).order_by("last_interaction_at")]
        assert owned == sorted(owned, reverse=True)  # who acted first is served first
        left = Lead.objects.filter(owner=None)
        assert {lead.owner_reason["code"] for lead in left} <= {"no_seller"}
        # Once more finds nothing to do.
        assert assign([lead.pk for lead in waiting]) == 0
