"""Who comes: company after company with its people, visitors from free mail, some who leave only a phone number; and when they come, for what."""

from leads import normal
from portal.demo.life import Person
from portal.demo.people import Firm, firm, latin, titles
from portal.demo.rows import Rows, array, at
from portal.demo.scene import DAY, HOUR, Scene
from portal.demo.story import Story

FREE = "@gmail.com"
# Hours ago: the unanswered leads with which a demo begins, some overdue, some due within the hour; and where they came, by place among the offers.
STAGED = (0.4, 1.1, 2.6, 5.0, 9.0, 14.0, 17.5, 20.2, 22.6, 23.4, 26.0, 31.0, 49.0)
STAGED_AT = (0, 4, 5, 3, 1)


def fill(rows: Rows, scene: Scene, number: int, count: int) -> tuple[list[str], int]:
    """Companies from this number on, until they make `count` leads; returns (leads, the next number)."""
    leads: list[str] = []
    while len(leads) < count:
        company_id: str | None = None
        one = firm(number)
        for person in people(rows, one, number):
            told = stories(rows, scene, person, count - len(leads))
            if not told:
                break
            came = min(story.start for story in told)
            if person.has_company:
                company_id = company_id or company(rows, one, person, came)
            contact(rows, person, company_id, came)
            leads.extend(story.tell() for story in told)
        number += 1
    return leads, number


def people(rows: Rows, one: Firm, number: int) -> list[Person]:
    """Those of a company who come to the marketplace."""
    heads, chance, named = rows.random.choices((1, 2, 3, 4, 6), (62, 22, 9, 5, 2))[0], rows.random.random(), rows.random.random() < 0.35
    if one.known_by_phone:
        return [person(rows, one, "", one.known_by_phone)]
    if chance < 0.13:
        return [person(rows, one, f"_{number}{FREE}", "", named)]
    taken: set[str] = set()
    return [person(rows, one, f"@{one.domain}", "", True, taken) for _ in range(heads)]


def person(rows: Rows, one: Firm, address: str, phone: str, named: bool = True, taken: set[str] | None = None) -> Person:
    """One person: name, title, and what they left out of the form."""
    random, country = rows.random, one.country
    half, woman = len(country.first) // 2, random.random() < 0.5
    first_name = random.choice(country.first[half:] if woman else country.first[:half])
    male, _, female = random.choice(country.last).partition("/")
    last_name = female or male if woman else male
    title = random.choice(titles(country)) if random.random() < 0.72 else ""
    number = country.dial + "".join(str(random.randrange(10)) if sign == "#" else sign for sign in country.digits) if random.random() < 0.62 else ""
    where = "" if random.random() < 0.1 else country.name if random.random() < 0.3 else country.code
    email = mail(first_name, last_name, address, set() if taken is None else taken)
    said = {
        "firstName": first_name, "lastName": last_name, "email": email, "phone": phone or number, "country": where,
        "company": company_name(one, address) if named else "", "title": title,
    }  # fmt: skip
    kind = "none" if not email else "free" if address.endswith(FREE) else "business"
    return Person(country, said, normal.seniority(title), kind, named)


def company_name(one: Firm, address: str) -> str:
    """Two companies without a domain must not share their name, so those say their city."""
    return one.name if address.startswith("@") else f"{one.name} {one.country.cities[0]}"


def mail(first_name: str, last_name: str, address: str, taken: set[str]) -> str:
    """An address that no colleague has; none for people known by their phone."""
    if not address:
        return ""
    first, last = latin(first_name), latin(last_name)
    if not address.startswith("@"):
        return f"{first}_{last}".replace("-", "_") + address
    local, turn = f"{first}.{last}", 1
    while local in taken:
        turn += 1
        local = f"{first}.{last}{turn}"
    taken.add(local)
    return local + address


def company(rows: Rows, one: Firm, someone: Person, came: float) -> str:
    key, domain, name = rows.id(came), one.domain if someone.kind == "business" else "", someone.said["company"]
    rows.add("leads_company", key, normal.company_key(name, domain), name, domain, one.country.code)
    return key


def contact(rows: Rows, one: Person, company_id: str | None, came: float) -> None:
    said, one.id = one.said, rows.id(came)
    words = array(normal.search_words(said["firstName"], said["lastName"], said["email"], said["company"], phone=said["phone"]))
    rows.add(
        "leads_contact", one.id, said["email"] or f"phone:{normal.phone_key(said['phone'])}", said["firstName"], said["lastName"], said["email"],
        said["phone"], one.country.code if said["country"] else "", said["country"], said["title"], company_id, said["company"], one.kind,
        one.seniority, words, at(came),
    )  # fmt: skip


def stories(rows: Rows, scene: Scene, someone: Person, room: int) -> list[Story]:
    """Mostly one; some people ask about two offers, the second a while after the first."""
    random, age, both, share = rows.random, max(scene.age(rows.random), HOUR / 4), rows.random.random() < 0.07, rows.random.random()
    if room <= 0:
        return []
    if scene.staged:
        scene.staged -= 1
        return [Story(rows, scene, scene.offers[STAGED_AT[scene.staged % 5]], someone, STAGED[scene.staged] * HOUR, scene.staged)]
    offer = scene.offer(random, age)
    later = age * (0.2 + 0.8 * share) if age > DAY else age
    other = scene.offer(random, later)
    second = [Story(rows, scene, other, someone, later)] if both and room > 1 and other is not offer else []
    return [Story(rows, scene, offer, someone, age), *second]
