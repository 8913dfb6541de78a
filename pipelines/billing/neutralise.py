"""Make text harmless for spreadsheets: what begins like a formula becomes text.

A cell that begins with one of `= + - @`, with a tab or with the end of a line can be run when a CSV
is opened (OWASP, "CSV Injection"), also after spaces, and in East Asian settings also with the
full-width forms of these signs. Such a text gets a leading apostrophe. Numbers are not texts and
do not come here.
"""

from __future__ import annotations

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def neutralise(text: str) -> str:
    """Text that no spreadsheet takes for a formula, also after a detour over CSV."""
    begins = text.startswith(FORMULA_STARTS) or text.lstrip(" \u00a0").startswith(FORMULA_STARTS)
    return f"'{text}" if begins else text
