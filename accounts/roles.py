"""The three roles. Each is a group of that name; what a role may do is said by the pages and the API, not here."""

from django.utils.translation import pgettext_lazy

MARKETING, SALES, ADMIN = "marketing", "sales", "admin"
ROLES = (MARKETING, SALES, ADMIN)
OFFICE = (MARKETING, ADMIN)
LABELS = {
    MARKETING: pgettext_lazy("role", "Marketing"),
    SALES: pgettext_lazy("role", "Field sales"),
    ADMIN: pgettext_lazy("role", "Admin"),
}
SCOPES = ("read", "write", "admin")


def scopes_of(roles: set[str]) -> list[str]:
    """Every scope that a holder of these roles may put into a token."""
    return list(SCOPES) if ADMIN in roles else ["read", "write"]
