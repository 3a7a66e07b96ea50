"""Lead payloads as the marketplace sends them, by number: the same number is always the same person. Most are new people, some come back."""

import json
import random
from collections.abc import Iterator
from typing import Any

FIRST = (
    "Ana",
    "Bruno",
    "Carla",
    "Daniel",
    "Elena",
    "Filip",
    "Grace",
    "Hugo",
    "Irina",
    "Jana",
    "Kofi",
    "Lena",
    "Marek",
    "Nadia",
    "Omar",
    "Petra",
    "Quentin",
    "Rosa",
    "Stefan",
    "Tereza",
    "Ulrich",
    "Vera",
    "Wim",
    "Xenia",
    "Yusuf",
    "Zora",
)
LAST = (
    "Almeida",
    "Bakker",
    "Castro",
    "Dvorak",
    "Eze",
    "Fischer",
    "Garcia",
    "Hansen",
    "Ivanova",
    "Jansen",
    "Kral",
    "Lopez",
    "Mulder",
    "Novak",
    "Okafor",
    "Pereira",
    "Ruiz",
    "Silva",
    "Torres",
    "Urban",
    "Visser",
    "Weber",
)
TITLES = ("CIO", "IT Director", "Head of Operations", "Procurement Manager", "Developer", "Solution Architect", "Founder", "Analyst", "")
PLACES = (
    ("BR", "+55 11 9555", 5),
    ("CZ", "+420 555", 6),
    ("NL", "+31 20 55", 5),
    ("US", "+1 206 555", 4),
    ("ES", "+34 655", 6),
    ("DE", "+49 30 55", 6),
)
FIRMS = ("Logistics", "Foods", "Engineering", "Health", "Energy", "Insurance", "Builders", "Freight")
SAYS = ("", "", "Please call me.", "We run 40 branches and would like to see a demo before the budget closes in March. Whom may we talk to?")
ACTIONS = ("INS", "INS", "PLT", "StartTestDrive", "Create")


def bodies(count: int, seed: int = 1) -> Iterator[tuple[int, bytes]]:
    """(number of the listing, body): nine in ten from somebody new, one in twelve from somebody who acted before, the rest tests, notes and noise."""
    chance = random.Random(seed)
    for number in range(count):
        kind = chance.random()
        who = chance.randrange(number) if 0.90 < kind < 0.98 and number else number
        yield chance.randrange(20), noise(kind, number) or json.dumps(payload(seed * 10_000_000 + who, number, chance)).encode()


def noise(kind: float, number: int) -> bytes:
    """One in fifty is no lead: somebody unreachable, a publisher's test, a buyer who asked a neighbour, or bytes that can't be read."""
    if kind < 0.98:
        return b""
    samples = (
        {"userDetails": {"firstName": "", "country": "CZ"}, "leadSource": f"AzureMarketplace-INS|a.{number}", "actionCode": "INS"},
        {"userDetails": {"firstName": "MSFT_TEST", "email": f"t{number}@example.com"}, "leadSource": "AzureMarketplace-INS|a.b", "actionCode": "INS"},
        {"userDetails": {"email": f"dnc{number}@example.com"}, "leadSource": "AzureMarketplace-DNC|a.b", "actionCode": "DNC"},
    )
    return b'{"userDetails": {' if number % 4 == 3 else json.dumps(samples[number % 4]).encode()


def payload(person: int, number: int, chance: random.Random) -> dict[str, Any]:
    first, last = FIRST[person % len(FIRST)], LAST[person // len(FIRST) % len(LAST)]
    country, dial, digits = PLACES[person % len(PLACES)]
    firm = f"{LAST[person // 7 % len(LAST)]} {FIRMS[person // 11 % len(FIRMS)]} {person // 4}"
    action = chance.choice(ACTIONS)
    return {
        "userDetails": {
            "firstName": first, "lastName": last, "email": f"{first}.{last}{person}@{firm.replace(' ', '-')}.example".lower(),
            "phone": f"{dial}{person % 10**digits:0{digits}d}", "country": country, "company": firm, "title": TITLES[person // 3 % len(TITLES)],
        },
        "leadSource": f"AzureMarketplace-{action}|contoso.offer-{number % 20}", "actionCode": action, "offerTitle": f"Offer {number % 20}",
        "description": chance.choice(SAYS) and f"{chance.choice(SAYS)} ({number})",
    }  # fmt: skip
