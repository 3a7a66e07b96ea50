"""The offers table as CSV. A cell that a spreadsheet would take for a formula is written as text."""

import csv
import io
from collections.abc import Iterable

from insights.offers import FIGURES, Offer
from leads.spreadsheets import safe

COLUMNS = ("listing", "title", "storefront", "kind", *FIGURES, "median_first_response_minutes")


def offers_csv(offers: Iterable[Offer]) -> str:
    """A byte order mark for spreadsheets, the heads as the API names them, one row per offer."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for one in offers:
        figures = [getattr(one, name) for name in FIGURES]
        row = [one.slug, one.title, one.storefront, one.kind, *figures, one.median_first_response_minutes]
        writer.writerow([safe("" if cell is None else cell) for cell in row])
    return "\ufeff" + text.getvalue()
