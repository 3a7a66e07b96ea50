"""What is written into files that people open in a spreadsheet."""

import re

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")
PHONE = re.compile(r"\+[0-9][0-9 ()./-]{5,}")


def safe(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula: an apostrophe goes in front. Figures stay figures, and phone numbers as they are dialled."""
    if isinstance(cell, str) and cell.startswith(FORMULA) and not PHONE.fullmatch(cell):
        return f"'{cell}"
    return cell


def read_back(cell: str) -> str:
    """The text of a cell that `safe` wrote."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell
