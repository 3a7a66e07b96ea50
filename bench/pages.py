"""Pages in front of many leads.

References: of a deep page of the lead list the first one; of the list among many leads the list among few; of a page the signed-in page with nothing in
it. How many queries a page makes must not depend on how many leads there are.
"""

import statistics
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from django.test import Client, override_settings
from django.urls import NoReverseMatch, reverse

from accounts.models import User
from bench import cast, crowd
from bench.database import rows
from bench.rows import Bench, Row, measures, say, seconds
from leads import keyset
from leads.models import Lead

DEEP, GROWN, PAGE = "lead list page: deep to first", "lead list page: many leads to few", "page: "
# What is called up: name of the address, and whose page it is.
PAGES = {
    "lead list": ("leads:list", "marketing"),
    "lead record": ("leads:detail", "marketing"),
    "overview": ("insights:overview", "marketing"),
    "pipeline board": ("leads:pipeline", "marketing"),
    "my day": ("leads:my_day", "seller"),
}
TIMES = 15


def list_page(deep: bool) -> Callable[[], Any]:
    """The list page's own query, at the newest lead or after nine tenths of all."""
    asked: dict[str, str] = {}
    if deep:
        count = rows("SELECT count(*) FROM leads_lead")[0][0]
        [(at, pk)] = rows(f"SELECT received_at, id FROM leads_lead ORDER BY received_at DESC, id DESC OFFSET {count * 9 // 10} LIMIT 1")
        asked = {"after": keyset.write(at, pk), "n": str(count * 9 // 10)}
    user = cast.gather().marketing
    return lambda: keyset.turn(Lead.objects.visible_to(user).for_list(), "received_at", asked)


def in_turns(*acts: Callable[[], Any]) -> list[float]:
    """The median seconds of each, measured in turns after two rounds of warming."""
    taken = [[seconds(act) for act in acts] for _ in range(TIMES + 2)][2:]
    return [statistics.median(one[i] for one in taken) for i in range(len(acts))]


class Browser:
    """Signed-in browsers of a marketer and a seller, and the addresses that exist."""

    def __init__(self) -> None:
        gathered = cast.gather()
        self.browsers = {"marketing": browser_of(gathered.marketing), "seller": browser_of(gathered.sellers[0])}
        lead = Lead.objects.order_by("id")[50_000].pk
        self.urls: dict[str, str] = {}
        for title, (name, _) in PAGES.items():
            try:
                self.urls[title] = reverse(name, args=[lead] if name == "leads:detail" else [])
            except NoReverseMatch:
                say(f"  NOT MEASURED, there is no such page: {title}")

    def call(self, title: str, url: str = "") -> None:
        answer = self.browsers[PAGES[title][1]].get(url or self.urls[title])
        assert answer.status_code == 200, f"{title}: {answer.status_code}"

    def queries(self, title: str) -> int:
        """How many queries a warm call makes."""
        seen: list[str] = []

        def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
            seen.append(sql)
            return execute(sql, *rest)

        self.call(title)
        with connection.execute_wrapper(note):
            self.call(title)
        return len(seen)


def browser_of(user: User) -> Client:
    browser = Client(headers={"host": "127.0.0.1"})
    browser.force_login(user)
    return browser


@measures(DEEP, GROWN, *(PAGE + title for title in PAGES))
def pages(bench: Bench) -> Iterator[Row]:
    """First among few leads, then among many."""
    with override_settings(ROOT_URLCONF="bench.addresses"):
        crowd.grow(bench.scale.leads)
        browser = Browser()
        few = {title: browser.queries(title) for title in browser.urls}
        [first_of_few] = in_turns(list_page(deep=False))
        crowd.grow(bench.scale.many_leads)
        first, deep = in_turns(list_page(deep=False), list_page(deep=True))
        yield Row(DEEP, deep * 1000, first * 1000, "ms", 2, 1.2, more_is_better=False)
        yield Row(GROWN, first * 1000, first_of_few * 1000, "ms", 3, 1.5, more_is_better=False)
        for title, count in few.items():
            yield against_empty(browser, title, count)


def against_empty(browser: Browser, title: str, queries: int) -> Row:
    ours, empty = in_turns(lambda: browser.call(title), lambda: browser.call(title, "/bench/empty/"))
    now = browser.queries(title)
    note = f"{now} queries" if now == queries else f"{queries} queries among few leads, {now} among many"
    return Row(PAGE + title, ours * 1000, empty * 1000, "ms", 4, 2, more_is_better=False, holds=now == queries, note=note)
