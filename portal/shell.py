"""What frames every page: navigation by role, the publisher's name, who is signed in."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.access import who
from accounts.models import User
from accounts.remembered import remembered
from accounts.roles import LABELS, OFFICE, ROLES, SALES
from delivery.models import Delivery
from leads.filters import asked_in, without
from leads.keyset import Count, counts
from leads.keyset import count as bounded
from leads.lists import chosen
from leads.models import Lead, Submission
from leads.place import opened_from_day
from leads.saved import seen_by
from listings.links import page
from listings.models import Publisher


@dataclass(frozen=True)
class NavItem:
    """One place to go. `key` follows `g` on the keyboard, `dock` puts it on the bottom bar of a phone."""

    name: str
    label: Any
    icon: str
    roles: tuple[str, ...]
    key: str = ""
    dock: bool = False
    url: str = ""
    count: int | None = None
    current: str = ""


NAV = (
    NavItem("leads:my_day", pgettext_lazy("navigation", "My day"), "sun", (SALES,), "d", dock=True),
    NavItem("insights:overview", pgettext_lazy("navigation", "Overview"), "layout-dashboard", OFFICE, "o", dock=True),
    NavItem("leads:list", pgettext_lazy("navigation", "Leads"), "users", ROLES, "l", dock=True),
    NavItem("leads:pipeline", pgettext_lazy("navigation", "Pipeline"), "square-kanban", ROLES, "p", dock=True),
    NavItem("campaigns:list", pgettext_lazy("navigation", "Campaigns"), "workflow", OFFICE, "c"),
    NavItem("listings:list", pgettext_lazy("navigation", "Listings"), "store", ROLES, "s"),
    NavItem("delivery:list", pgettext_lazy("navigation", "Follow-up"), "send", OFFICE, "f"),
    NavItem("leads:imports", pgettext_lazy("navigation", "Imports"), "file-up", OFFICE, "i"),
    NavItem("leads:quarantine", pgettext_lazy("navigation", "Quarantine"), "inbox", OFFICE, "q"),
)
MANY = 1_000  # leads of a saved view: no more are counted
SETUP = (NavItem("portal:setup", pgettext_lazy("navigation", "Setup"), "settings", OFFICE, "u"),)
ACCOUNT = (
    ("accounts:preferences", gettext_lazy("Your account")),
    ("accounts:tokens", gettext_lazy("API tokens")),
    ("account_change_password", gettext_lazy("Password")),
    ("mfa_index", gettext_lazy("Two-factor sign-in")),
)


COUNTS: dict[str, Callable[[], int]] = {
    "leads:quarantine": lambda: bounded(Submission.objects.quarantined()).figure,
    "delivery:list": lambda: bounded(Delivery.objects.dead()).figure,
}


def roles_of(request: HttpRequest) -> set[str]:
    return set(who(request).role_names)


def _nav(request: HttpRequest, items: tuple[NavItem, ...]) -> list[NavItem]:
    roles = roles_of(request)
    seen = [replace(item, url=page(item.name)) for item in items if roles.intersection(item.roles)]
    here = page("leads:my_day") if opened_from_day(request) else _here(request.path, [item.url for item in seen])
    return [_filled(item, request, here, roles) for item in seen]


def _here(path: str, urls: list[str]) -> str:
    """The longest address that the page lies under; the root is only itself."""
    return max((url for url in urls if url and (path == url or (url != "/" and path.startswith(url)))), key=len, default="")


def _filled(item: NavItem, request: HttpRequest, here: str, roles: set[str]) -> NavItem:
    label = _("My leads") if item.name == "leads:list" and not roles.intersection(OFFICE) else item.label
    current = "" if item.url != here else "page" if request.get_full_path() == item.url else "true"
    count = COUNTS[item.name]() if item.name in COUNTS else None
    return replace(item, label=label, current=current, count=count)


def _views(request: HttpRequest, user: User) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(own, shared) saved views of the list of leads, each with how many leads it shows."""
    found, url = seen_by(request, user), page("leads:list")
    here = without(asked_in(request.GET)).removeprefix("?") if request.path == url else None

    def figures() -> list[Count]:
        seen = Lead.objects.visible_to(user)
        return counts(*[chosen(seen, asked_in(QueryDict(one.query))) for one in found], bound=MANY)

    whose = "all" if user.sees_all else user.sees_leads_of
    counted = remembered(f"views {user.pk} {whose} {[one.query for one in found]}", figures) if found else []
    items = [
        (one.owner_id == user.pk, {"label": one.name, "url": f"{url}?{one.query}", "current": one.query == here, "count": count})
        for one, count in zip(found, counted, strict=True)
    ]
    return [item for own, item in items if own], [item for own, item in items if not own]


def _demo_sign_ins(request: HttpRequest) -> list[dict[str, str]]:
    """Who may sign in with a known password: nobody, unless this is a demo that only this machine reaches."""
    if not settings.DEMO:
        return []
    return [
        {"username": user.username, "password": "demo"} for user in User.objects.filter(is_demo=True, is_active=True) if user.may_sign_in(request)
    ]


def _roles_in_words(request: HttpRequest) -> str:
    """Marketing, admin."""
    words = [str(LABELS[role]) for role in ROLES if role in roles_of(request)]
    return ", ".join(words[:1] + [word.lower() for word in words[1:]])


def shell(request: HttpRequest) -> dict[str, Any]:
    """The context of shell.html. All of it is lazy: a fragment that shows no navigation asks for none."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"nav": [], "setup_nav": [], "demo_sign_ins": SimpleLazyObject(lambda: _demo_sign_ins(request))}
    views = SimpleLazyObject(lambda: _views(request, user))
    return {
        "own_views": SimpleLazyObject(lambda: views[0]),
        "shared_views": SimpleLazyObject(lambda: views[1]),
        "nav": SimpleLazyObject(lambda: _nav(request, NAV)),
        "setup_nav": SimpleLazyObject(lambda: _nav(request, SETUP)),
        "publisher_name": SimpleLazyObject(lambda: Publisher.current().name),
        "user_name": user.full_name,
        "user_roles": SimpleLazyObject(lambda: _roles_in_words(request)),
        "account_links": SimpleLazyObject(lambda: [(label, page(name)) for name, label in ACCOUNT]),
        "search_url": page("portal:search"),
        "leads_url": page("leads:list"),
    }
