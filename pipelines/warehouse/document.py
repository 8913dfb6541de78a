"""Write docs/reference/marts.md and macros.md from the dbt project itself.

`python -m pipelines.warehouse.document` writes both pages: the marts from their YAML beside the
models, the macros from the comment at the head of each file. A test keeps the pages equal to both.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from pipelines.warehouse.dbt_runner import PROJECT_DIRECTORY
from pipelines.warehouse.mart_sources import find_contracts

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
MARTS_DIRECTORY = PROJECT_DIRECTORY / "models" / "marts"
MACROS_DIRECTORY = PROJECT_DIRECTORY / "macros"

MARTS_HEAD = """\
# Marts

<!-- Written by `python -m pipelines.warehouse.document`; do not edit by hand. -->

The tables that the app, the statements and `apportion sql` read. Their columns and types are
contracts that dbt enforces. Ask them anything: `apportion sql "from dim_periods"`.

- Facts are keyed by `scenario_id` (`actual`, `budget` or `restated`), `period_id` and `version`.
- `_amount` is money in the reporting currency, `_amount_local` in the currency of its line. Charge
  lines have cents; other amounts are exact to a millionth of a cent (eight decimals).
- `_units` are integer engine units, millionths of a minor unit. Pages never need them.
- A `_share` lies between 0 and 1. A `_quantity` has its unit beside it.
- Each mart names the kinds of deliveries that it is made of; `apportion records MART` walks back to
  their records, by file, hash and row.
- Ids in brackets, such as `(unmapped)`, stand for money that has no service or no consumer; see
  [decision 0004](../decisions/0004-pseudo-members.md).
"""

MACROS_HEAD = """\
# Macros

<!-- Written by `python -m pipelines.warehouse.document`; do not edit by hand. -->

The SQL macros of `dbt_project/macros`, one per file. `allocate_by_driver` makes every share of
money, in one of three ways with one result: `split_in_64_bits`, `split_by_estimate` and
`divide_integers` ([decision 0025](../decisions/0025-three-ways-to-divide.md)).
"""

MACRO = re.compile(r"{%-?\s*macro\s+(\w+)\((.*?)\)\s*-?%}", re.DOTALL)
COMMENT = re.compile(r"{#(.*?)#}", re.DOTALL)


def read_marts() -> list[dict[str, Any]]:
    """The marts as dbt declares them: name, description, columns; by name."""
    models: list[dict[str, Any]] = []
    for path in sorted(MARTS_DIRECTORY.glob("*.yml")):
        models += yaml.safe_load(path.read_text("utf-8")).get("models", [])
    return sorted(models, key=lambda model: str(model["name"]))


def document_marts() -> str:
    """The page of the marts, as Markdown that ends with one line end."""
    marts = read_marts()
    lines = [MARTS_HEAD, "## All marts", "", "| mart | what it holds |", "|---|---|"]
    lines += [f"| [`{m['name']}`](#{m['name']}) | {_clean(m['description'])} |" for m in marts]
    for mart in marts:
        lines += ["", f"## {mart['name']}", "", _clean(mart["description"]), ""]
        contracts = ", ".join(f"[`{c}`](contracts.md#{c})" for c in find_contracts(mart["name"]))
        if contracts:
            lines += [f"Made of deliveries of {contracts}.", ""]
        lines += ["| column | type | meaning |", "|---|---|---|"]
        lines += [
            f"| `{c['name']}` | {c['data_type']} | {_clean(c.get('description', ''))} |"
            for c in mart["columns"]
        ]
    return "\n".join(lines) + "\n"


def document_macros() -> str:
    """The page of the macros, as Markdown that ends with one line end."""
    lines = [MACROS_HEAD]
    for path in sorted(MACROS_DIRECTORY.glob("*.sql")):
        text = path.read_text("utf-8")
        signature, comment = MACRO.search(text), COMMENT.search(text)
        if signature is None or comment is None:
            raise ValueError(f"{path.name}: expected a macro with a comment at its head")
        arguments = " ".join(signature[2].split())
        lines += [f"## {signature[1]}", "", "```text", f"{signature[1]}({arguments})", ""]
        lines += [*_unindent(comment[1]), "```", ""]
    return "\n".join(lines)


def write_pages(directory: Path = REFERENCE) -> None:
    """Write both pages into `directory`."""
    (directory / "marts.md").write_text(document_marts(), "utf-8")
    (directory / "macros.md").write_text(document_macros(), "utf-8")


def _unindent(comment: str) -> list[str]:
    lines = [line.removeprefix("  ").rstrip() for line in comment.strip("\n").splitlines()]
    return "\n".join(lines).strip().splitlines()


def _clean(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


if __name__ == "__main__":
    write_pages()
