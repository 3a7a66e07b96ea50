"""N leads with all that belongs to them, chunk by chunk, so that memory stays flat: told in Python, written by COPY, then scored by the verb itself."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from campaigns.models import Campaign
from insights.tally import rebuild
from leads.models import Company, Contact, Submission
from leads.partitions import PARTITIONED, make_month, months_from
from leads.reading import read
from leads.revise import revise
from listings.models import Publisher
from portal.demo import households
from portal.demo.catalogue import Cast
from portal.demo.people import COUNTRIES, firm, latin
from portal.demo.plans import plan
from portal.demo.rows import TABLES, Rows
from portal.demo.scene import DAY, HOUR, Scene, scene_of
from portal.demo.story import archive, demand
from scoring.score import score

CHUNK = 5_000
MONTHS = 8
Say = Callable[[str], object]


def seed(cast: Cast, count: int, number: int, say: Say, now: datetime | None = None) -> dict[str, int]:
    """Add `count` leads to what is there; returns the rows per table. The same count and number make the same leads in an empty database."""
    moment = (now or timezone.now()).timestamp()
    say(f"partitions: {make_months(moment)} made")
    scene = scene_of(cast, moment, Publisher.current().name)
    scene.staged = min(len(households.STAGED), count // 12)
    total = dict.fromkeys(TABLES, 0)
    for done, written in chunks(scene, count, number):
        for table, rows in written.items():
            total[table] += rows
        say(f"leads: {done} of {count}")
    total["leads_submission"] += odd_ones(scene, Random(f"{number}/odd"))
    finish()
    plan(datetime.fromtimestamp(moment, Publisher.current().zone).date())
    say("figures: counted anew")
    return total


def chunks(scene: Scene, count: int, number: int) -> Iterator[tuple[int, dict[str, int]]]:
    """Make and write chunk after chunk; yields (leads so far, rows written)."""
    first, done = next_number(), 0
    unknown = first == 0
    while done < count:
        rows = Rows(Random(f"{number}/{first}/{done}"))
        leads, first = households.fill(rows, scene, first, min(CHUNK, count - done))
        anonymous(rows, scene, len(leads) // 25)
        written = write(rows, leads)
        if done == 0 and unknown:
            analyze()
        done += len(leads)
        yield done, written


def next_number() -> int:
    """The first company that earlier runs did not use. Each has a contact at least; where contacts were erased, look further on."""
    number = Contact.objects.count()
    while Company.objects.filter(key__in=[f"domain:{firm(number + ahead).domain}" for ahead in range(200)]).exists():
        number += 1_000
    return number


def make_months(moment: float) -> int:
    """Partitions for all that the stories date back to."""
    start = datetime.fromtimestamp(moment, UTC).date() - timedelta(days=200)
    return sum(make_month(table, month) for table in PARTITIONED for month in months_from(start, MONTHS))


def write(rows: Rows, leads: list[str]) -> dict[str, int]:
    """One chunk in one transaction. The path's own verbs score the leads and give them their revision; what they tell is dated to the story."""
    ids = [UUID(lead) for lead in leads]
    with transaction.atomic(), connection.cursor() as cursor:
        written = rows.write(cursor.cursor)
        cursor.execute("SELECT uuidv7()")
        before = cursor.fetchone()[0]
        score(ids)
        cursor.execute(DATE_SCORES, {"before": before, "leads": leads})
        revise(ids)
    return written


# Fading is told in the days after the last act, not today. The lines are found by their ids: they were made just now, the stories' own are older.
DATE_SCORES = """
    UPDATE leads_activity a SET at = l.last_interaction_at + least((now() - l.last_interaction_at) / 2, interval '6 days')
    FROM leads_lead l WHERE l.id = a.lead_id AND a.id > %(before)s AND a.kind = 'scored' AND a.lead_id = ANY(%(leads)s::uuid[])
"""


def analyze() -> None:
    """Tell the planner how much came in."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(TABLES)}")


PASSAGES = """
    DELETE FROM campaigns_passage;
    INSERT INTO campaigns_passage (from_stage_id, to_stage_id, count)
    SELECT from_stage_id, to_stage_id, count(*) FROM campaigns_transition GROUP BY from_stage_id, to_stage_id
"""


def finish() -> None:
    """Count the figures anew and tell routing when each seller last got a lead."""
    analyze()
    rebuild()
    Campaign.objects.update(swept_at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(PASSAGES)
        cursor.execute(
            """UPDATE routing_seller s SET last_assigned_at = a.latest
               FROM (SELECT owner_id, max(made_at) AS latest FROM routing_assignment GROUP BY owner_id) a WHERE a.owner_id = s.user_id"""
        )


def anonymous(rows: Rows, scene: Scene, count: int) -> None:
    """Interest without a lead, two thirds of it anonymous."""
    random, blank = rows.random, dict.fromkeys(("firstName", "lastName", "email", "phone", "country", "company", "title"), "")
    for _ in range(count):
        age = max(scene.age(random), HOUR)
        offer, country, neighbour = scene.offer(random, age), random.choice(COUNTRIES), random.random() > 0.66
        action, name = random.choice(list(offer.actions)), random.choice(country.first)
        said = blank | {"country": country.code}
        if neighbour:
            action = "DNC"
            said |= {"firstName": name, "email": f"{latin(name)}_{random.randrange(10**6)}@gmail.com"}
        demand(rows, scene.moment(random, age, country.code), offer, said, action)


ODD = (
    ("edge-firewall", 1.3, b'{"userDetails":{"FirstName":"Kai" "LastName":"Lund","Email":"kai.lund@lund-verkstad.example"},'
     b'"LeadSource":"AzureMarketplace","ActionCode":"INS"}'),
    ("field-service-for-teams", 4.1, b'[{"leadSource":"SPZA-PLT|larkfield.field-service-for-teams","actionCode":"PLT"}]'),
    ("field-service-quick-start", 12.6, '{"userDetails":{"firstName":"José","lastName":"Gil","email":"jose.gil@gil-transporte.example"},'
     '"leadSource":"SPZA-INS","actionCode":"INS","offerTitle":"Field Service Quick Start"}'.encode("latin-1")),
)  # fmt: skip
TEST = (
    '{"userDetails":{"firstName":"MSFT_TEST_%(n)d","lastName":"MSFT_TEST_%(n)d","email":"MSFT_TEST_%(n)d@test.com","phone":"1234567890",'
    '"country":"US","company":"MSFT_TEST_%(n)d","title":"MSFT_TEST_%(n)d"},"leadSource":"AzureMarketplace","actionCode":"INS",'
    '"offerTitle":"%(title)s","description":"MSFT_TEST_%(n)d"}'
)


def odd_ones(scene: Scene, random: Random) -> int:
    """A test lead for every listing but one, and three bodies that nobody could read; intake's own reading says what each is, and why."""
    rows, offers = Rows(random), {one.slug: one for one in scene.offers}
    bodies = list(ODD)
    for slug, offer in offers.items():
        days, serial = 9 + 90 * random.random(), 638 * 10**15 + random.randrange(10**14)
        if slug != "log-vault":
            bodies.append((slug, days, (TEST % {"n": serial, "title": offer.title}).encode()))
    for slug, days, body in bodies:
        moment = scene.now - days * DAY
        seen = read(Submission(listing_id=offers[slug].id, body=body, content_type="application/json", size=len(body)))
        archive(
            rows, rows.id(moment), moment, offers[slug], (body, seen.act.content_key if seen.act else None), seen.disposition, seen.reason
        )  # fmt: skip
    with connection.cursor() as cursor:
        rows.write(cursor.cursor)
    return len(bodies)
