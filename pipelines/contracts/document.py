"""Write docs/reference/contracts.md: every contract and field, from the contracts themselves.

`python -m pipelines.contracts.document` writes the page; a test keeps it equal to the contracts.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.contracts.contract import Contract, ContractField, list_contract_ids, load_contract

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "contracts.md"

HEAD = """\
# Contracts

<!-- Written by `python -m pipelines.contracts.document`; do not edit by hand. -->

A contract is the canonical record of one kind of source. A source in `apportion.yml` names its
contract; with the mapping `canonical` (the default) a delivery's columns have the names of the
contract's fields, in their order. Other mappings give each field the column of a known format,
see [workspace.md](workspace.md#mappings).

What is checked when a delivery lands: a required field has a value, every value has the form of
its type, a closed list holds it, it is not below its minimum. A record that breaks its contract is
quarantined with its reasons; the others load. A file that cannot be trusted as a whole (a key
twice, a column missing, another number of fields) is refused. The checks of a contract then run
over all that has landed; an *error* stops the build, a *warning* rides along.
"""


def document_contracts() -> str:
    """The whole page, as Markdown that ends with one line end."""
    contracts = [load_contract(contract_id) for contract_id in list_contract_ids()]
    parts = [HEAD, _describe_types(), _list_contracts(contracts)]
    parts += [_describe_contract(contract) for contract in contracts]
    return "\n".join(parts)


def write_page(path: Path = PAGE) -> None:
    """Write the page to `path`."""
    path.write_text(document_contracts(), "utf-8")


def _describe_types() -> str:
    from pipelines.landing.field_checks import PATTERNS

    rows = [f"| `{name}` | {sentence} |" for name, (_, sentence) in PATTERNS.items()]
    return "\n".join(["## Types", "", "| type | accepted form |", "|---|---|", *rows, ""])


def _list_contracts(contracts: list[Contract]) -> str:
    rows = [
        f"| [`{item.contract_id}`](#{item.contract_id}) | {item.description}{_mark_unused(item)} |"
        for item in contracts
    ]
    return "\n".join(
        ["## All contracts", "", "| contract | what it holds |", "|---|---|", *rows, ""]
    )


def _mark_unused(contract: Contract) -> str:
    return " *Not used yet.*" if contract.not_used_yet else ""


def _describe_contract(contract: Contract) -> str:
    from pipelines.checks.rules import load_rules

    key = ", ".join(f"`{name}`" for name in contract.key)
    lines = [f"## {contract.contract_id}", "", f"{contract.title}. {contract.description}", ""]
    if contract.not_used_yet:
        lines += [
            f"**Not used yet.** No figure is made of it, and its deliveries are refused. It would "
            f"feed {contract.not_used_yet}.",
            "",
        ]
    lines.append(f"- Key: {key}" if key else "- Key: none; records may repeat")
    for label, name in (
        ("Amount", contract.amount_field),
        ("Currency", contract.currency_field),
        ("Period", contract.period_field),
    ):
        if name is not None:
            lines.append(f"- {label}: `{name}`")
    lines += ["", "| field | type | required | meaning |", "|---|---|---|---|"]
    lines += [_describe_field(field) for field in contract.fields]
    rules = load_rules(contract.contract_id)
    if rules:
        lines += ["", "| check | severity | what holds |", "|---|---|---|"]
        lines += [f"| `{r.check_id}` | {r.severity} | {_escape(r.sentence)} |" for r in rules]
    return "\n".join([*lines, ""])


def _describe_field(field: ContractField) -> str:
    meaning = _escape(field.description)
    if field.allowed_values:
        meaning += "; one of " + ", ".join(f"`{value}`" for value in field.allowed_values)
    if field.minimum is not None:
        meaning += f"; at least {field.minimum}"
    if field.minor_unit_of is not None:
        meaning += f"; no more decimals than the minor unit of `{field.minor_unit_of}`"
    if field.is_personal:
        meaning += "; a pseudonym takes its place on landing"
    required = "yes" if field.is_required else "no"
    return f"| `{field.name}` | {field.type} | {required} | {meaning} |"


def _escape(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    write_page()
