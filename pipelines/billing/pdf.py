"""Render a statement as PDF.

The page is set by typst from `templates/statement.typ`; the figures reach it as one JSON text,
so nothing in them can be taken for markup. Set with the serif that the typst wheel carries, and
only where it lacks a script with a font of the system: the same statement gives the same bytes.

Known limit: typst hangs in a forked process, because its threads do not survive the fork. In a
pool, use processes that are spawned; all that is passed here can be pickled.
"""

from __future__ import annotations

import json
from datetime import UTC
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.billing.files import write_atomically
from pipelines.billing.formats import ZERO_WIDTH_SPACE
from pipelines.billing.pdf_data import build_pdf_data
from pipelines.billing.records import Statement
from pipelines.readable_text import LAYOUT, show_texts

if TYPE_CHECKING:
    import typst

TEMPLATE = Path(__file__).parent / "templates" / "statement.typ"


def write_pdf(statement: Statement, path: Path) -> None:
    """Write the statement to `path`, replacing what is there in one step."""
    write_atomically(path, render_pdf(statement))


def render_pdf(statement: Statement) -> bytes:
    """The PDF's bytes. Its creation date is that of the run, so that they are repeatable."""
    data = json.dumps(
        show_texts(build_pdf_data(statement), keep=LAYOUT + ZERO_WIDTH_SPACE), ensure_ascii=False
    )
    content = _compiler().compile(
        format="pdf",
        sys_inputs={"data": data},
        timestamp=statement.run.built_at.replace(tzinfo=UTC),
    )
    if not isinstance(content, bytes):
        raise TypeError(f"typst: expected the bytes of a PDF, got {type(content).__name__}")
    return content


@lru_cache(maxsize=1)
def _compiler() -> typst.Compiler:
    """One compiler per process: it keeps the fonts and the parsed template."""
    import typst

    return typst.Compiler(input=TEMPLATE, root=TEMPLATE.parent)
