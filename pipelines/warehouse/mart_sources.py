"""Which deliveries a mart is made of, read from the references between the models themselves.

A mart refers to models, by itself or through a macro, those to others, and the last ones to the
lake, where a view per contract holds the records of every delivery with file and row. So the way
back from any mart to records is what dbt goes forward, and cannot be out of date.
"""

from __future__ import annotations

import re
from functools import cache

from pipelines.contracts.contract import list_contract_ids
from pipelines.warehouse.dbt_runner import PROJECT_DIRECTORY

# A loop over models names them in a list: whatever is quoted and a model's name refers to it.
REFERENCE = re.compile(r"""['"](\w+)['"]""")
LAKE = re.compile(r"""\bsource\(\s*['"]lake['"]\s*,\s*['"](\w+)['"]\s*\)""")
CALL = re.compile(r"\b(\w+)\(")
MODELS = PROJECT_DIRECTORY / "models"
MACROS = PROJECT_DIRECTORY / "macros"


@cache
def find_contracts(model: str) -> tuple[str, ...]:
    """Contracts whose records the model stands on, in alphabetical order; KeyError if there is no
    model of that name."""
    texts = _read_models()
    found: set[str] = set()
    seen: set[str] = set()
    left = [model]
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        found |= {item for item in LAKE.findall(texts[name]) if item in list_contract_ids()}
        left += [item for item in REFERENCE.findall(texts[name]) if item in texts]
    return tuple(sorted(found))


def list_marts() -> tuple[str, ...]:
    """Names of all marts, in alphabetical order."""
    return tuple(sorted(path.stem for path in (MODELS / "marts").glob("*.sql")))


@cache
def _read_models() -> dict[str, str]:
    """Every model with the macros that it calls, and those that these call."""
    models = [path for end in ("sql", "py") for path in MODELS.rglob(f"*.{end}")]
    macros = {path.stem: path.read_text("utf-8") for path in MACROS.glob("*.sql")}
    return {path.stem: _add_macros(path.read_text("utf-8"), macros) for path in models}


def _add_macros(text: str, macros: dict[str, str]) -> str:
    added: set[str] = set()
    while called := {name for name in CALL.findall(text) if name in macros} - added:
        added |= called
        text += "".join(macros[name] for name in sorted(called))
    return text
