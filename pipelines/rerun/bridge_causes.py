"""The largest cause of every term of a bridge, in a sentence.

A sentence names facts that stand in the inputs: a pool and its account, a rule, a quantity, the
share of a driver. It explains a term and is no term: amounts in it are rounded for reading, and of
several causes it names the largest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar

from pipelines.money import minor_unit_digits
from pipelines.rerun.bill_terms import BillTerms, Terms
from pipelines.rerun.bridge_terms import to_amount
from pipelines.rerun.charge_facts import PeriodFacts
from pipelines.rerun.engine import PUBLISHED, Rerun, Scope
from pipelines.rerun.explain import RULES_AFTER, RULES_BEFORE, Bridge, States
from pipelines.rerun.inputs import POOLED_LINES
from pipelines.rerun.netting import find_netted_line, net_terms
from pipelines.rerun.price_causes import PriceCauses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.rerun.bill_states import Cell, LineKey, Split
    from pipelines.rerun.bridge_subject import Subject
    from pipelines.rerun.period_swap import PeriodSwap

TOWER_WEIGHTS = "stops.int_towers__weights"
SERVICE_WEIGHTS = "stops.int_services__weights"
RANGES = "stops.int_delivered_services__ranges"

SMALLEST_SHARE = Fraction(1, 2000)
"""A share that changes by less is written with the same percent."""

Key = TypeVar("Key", str, tuple[str, str])
ShareChange = tuple[str, str | None, Fraction, Fraction]
"""Receiver, driver (or the service that passes on), share before, share after."""


class CauseFinder:
    """What the sentences of one bridge have in common: states, names and how money is written."""

    def __init__(
        self,
        rerun: Rerun,
        swap: PeriodSwap,
        states: States,
        subject: Subject,
        lines: Terms,
        netted: Terms,
        currency_code: str,
    ) -> None:
        self.connection = rerun.connection
        self.scope = swap.own
        self.states = states
        self.subject = subject
        self.lines = lines
        self.netted = netted
        self.currency_code = currency_code
        self.digits = minor_unit_digits(currency_code)
        self.names = self._read_names((swap.other, swap.own))

    def find_line(self, term: str) -> LineKey | None:
        """The line that most of a term is of, once what cancels inside a line is set off."""
        return find_netted_line(term, self.lines, self.netted)

    def say_rules(self) -> str:
        """The pool in which rules move most of the bill, and the rules that took turns there."""
        lines = [line for line in self.lines if self.subject.wants_before(line)]
        pool, effect = self._find_largest_pool(
            self.states.rules.sum_lines(lines), self.states.start.sum_lines(lines)
        )
        if not effect:
            return ""
        changes = ", ".join(self._find_rule_changes(pool)) or "rules further on changed"
        return f"{self._name('pools', pool)} {self._sign(effect)}: {changes}"

    def say_organisation(self, lines: Terms) -> str:
        """The cost centre that moves most by being known now, or by belonging elsewhere."""
        by_centre: dict[str, Fraction] = defaultdict(Fraction)
        for (_, centre), terms in lines.items():
            by_centre[centre] += terms["organisation"]
        found = find_largest(by_centre)
        if found is None:
            return ""
        centre = found
        before, after = self.subject.members_before, self.subject.members_after
        what = "is known in one of the two periods only"
        if before is not None and after is not None and (centre in before) != (centre in after):
            what = "joined" if centre in after else "left"
        name = self._name("centres", centre)
        return f"{name} ({centre}) {what}: {self._sign(by_centre[centre])}"

    def say_pool_cost(self) -> str:
        """The pool whose cost moves most of the bill, and the account that moved most in it."""
        lines = [line for line in self.lines if self.subject.wants_after(line)]
        pool, effect = self._find_largest_pool(
            self.states.money.sum_lines(lines), self.states.organisation.sum_lines(lines)
        )
        if not effect:
            return ""
        text = f"{self._name('pools', pool)} {self._sign(effect)}"
        rows = self.connection.execute(
            "select account_id, coalesce(sum(after_units), 0) - coalesce(sum(before_units), 0) "
            "as change_units from (select account_id, 0 as before_units, amount_units as "
            f"after_units from {POOLED_LINES} where cost_pool_id = $pool union all select "
            f"account_id, amount_units, 0 from temp.main.{RULES_AFTER} where cost_pool_id = $pool) "
            "group by all having change_units <> 0 order by abs(change_units) desc, account_id",
            {"pool": pool},
        ).fetchall()
        if not rows:
            return text
        account, change = rows[0]
        more = "more" if change > 0 else "less"
        amount = to_amount(Fraction(abs(int(change))), self.digits)
        return f"{text}: account {account} costs {amount:,} {more} in all"

    def say_volume(self) -> str:
        """The line whose own use moves most, with its quantities and the unit cost of before."""
        line = self.find_line("volume")
        if line is None:
            return ""
        old, new = self._split_of(line, is_after=False), self._split_of(line, is_after=True)
        units = self._unit_of(line)
        text = f"{self._write_quantity(old, line)} -> {self._write_quantity(new, line)} {units}"
        if old.basis == "measured" and old.unit_cost is not None:
            text += f" at {self._write_rate(old.unit_cost)}"
        elif new.unit_cost is not None and new.basis == "measured":
            text += f" at {self._write_rate(new.unit_cost)}: before, nobody's use was known"
        return self._prefix(line, "volume") + text

    def say_rate(self) -> str:
        """The line whose unit cost moves most, and what all together used of the service."""
        line = self.find_line("rate")
        if line is None:
            return ""
        old, new = self._split_of(line, is_after=False), self._split_of(line, is_after=True)
        if old.basis != "measured" or old.unit_cost is None:
            return self._prefix(line, "rate") + "the same cost is split between others"
        rate = old.unit_cost * old.total_weight / new.total_weight
        unit = self._unit_of(line)
        return (
            f"{self._prefix(line, 'rate')}{self._write_rate(old.unit_cost)} -> "
            f"{self._write_rate(rate)} per {unit}: all together use "
            f"{_write_number(old.total_quantity)} -> {_write_number(new.total_quantity)}"
        )

    def say_mix(self) -> str:
        """The tower by which most of it arrives, and the share of a driver that changed there."""
        by_tower: dict[str, Fraction] = defaultdict(Fraction)
        for line, terms in self.lines.items():
            if not self.subject.wants_after(line):
                continue
            for (_, tower), amount in self.states.end.cells.get(line, {}).items():
                by_tower[tower] += amount
            for tower, part in self._find_swapped_towers(line, terms).items():
                by_tower[tower] -= part
        found = find_largest(by_tower)
        if found is None:
            return ""
        tower = found
        change = self._find_share_change(tower)
        return f"{self._name('towers', tower)} {self._sign(by_tower[tower])}" + (
            f": {change}" if change else ""
        )

    def _find_swapped_towers(
        self, line: LineKey, terms: Mapping[str, Fraction]
    ) -> dict[str, Fraction]:
        """A line before the mix by tower: its cost as it was, times what use makes of it."""
        money, end = self.states.money, self.states.end
        whole = money.amount_of(line) + terms["volume"] + terms["rate"]
        base = money if money.amount_of(line) else end
        total = base.amount_of(line)
        parts: dict[str, Fraction] = defaultdict(Fraction)
        for (_, tower), amount in base.cells.get(line, {}).items() if total else ():
            parts[tower] += whole * amount / total
        return parts

    def _find_share_change(self, tower: str) -> str:
        """The share that changed on the way from the tower: that of a service of the bill, of the
        tower itself, of a service that passes on to the bill's, or else of any service."""
        services = {service for service, _ in self.lines}
        of_tower = self._read_share_changes(SERVICE_WEIGHTS, "sender_id = $tower", tower)
        to_tower = self._read_share_changes(TOWER_WEIGHTS, "receiver_id = $tower", tower)
        own = [item for item in of_tower if item[0] in services]
        return (
            self._say_share("services", own)
            or self._say_share("towers", to_tower)
            or self._say_passing(services)
            or self._say_share("services", of_tower)
        )

    def _say_share(self, kind: str, changes: Sequence[ShareChange]) -> str:
        if not changes:
            return ""
        receiver, driver, before, after = changes[0]
        shares = f"{_write_percent(before)} -> {_write_percent(after)}"
        if kind == "towers":
            return f"it has {shares} of what is split by {self._name('drivers', driver or '')}"
        by = f" by {self._name('drivers', driver)}" if driver else ""
        return f"{self._name(kind, receiver)} has {shares} of it{by}"

    def _read_share_changes(self, relation: str, condition: str, tower: str) -> list[ShareChange]:
        """The largest change first."""
        where = f"where {self.scope.as_condition()} and {condition}"
        rows = self.connection.execute(
            "select coalesce(old.receiver_id, new.receiver_id), "
            "coalesce(old.driver_id, new.driver_id), coalesce(old.weight, 0), "
            "coalesce(old.weight_total, 1), coalesce(new.weight, 0), coalesce(new.weight_total, 1) "
            f"from (from {relation} {where}) as old full outer join "
            f"(from {PUBLISHED}.{relation} {where}) as new "
            "using (rule_id, sender_id, receiver_kind, receiver_id) order by all",
            {"tower": tower},
        ).fetchall()
        return _sort_changes(rows)

    def _say_passing(self, services: set[str]) -> str:
        """The shared service that passes on to one of `services` another share of its cost."""
        where = f"where {self.scope.as_condition()} and from_service_id <> to_service_id"
        rows = self.connection.execute(
            "select coalesce(old.to_service_id, new.to_service_id), "
            "coalesce(old.from_service_id, new.from_service_id), coalesce(old.weight, 0), "
            "coalesce(old.weight_total, 1), coalesce(new.weight, 0), coalesce(new.weight_total, 1) "
            f"from (from {RANGES} {where}) as old full outer join "
            f"(from {PUBLISHED}.{RANGES} {where}) as new using (from_service_id, to_service_id) "
            "order by all"
        ).fetchall()
        changes = [item for item in _sort_changes(rows) if item[0] in services]
        if not changes:
            return ""
        receiver, sender, before, after = changes[0]
        return (
            f"{self._name('services', sender or '')} passes {_write_percent(before)} -> "
            f"{_write_percent(after)} of its cost on through {self._name('services', receiver)}"
        )

    def _find_rule_changes(self, pool: str) -> list[str]:
        """Rules that took turns for money of a pool, those of most money first."""
        rows = self.connection.execute(
            "select kind, before_id, after_id from ("
            "select 'pool rule' as kind, old.pool_rule_id as before_id, "
            "new.pool_rule_id as after_id, sum(abs(old.amount_units)) as size "
            f"from temp.main.{RULES_BEFORE} as old inner join temp.main.{RULES_AFTER} as new "
            "using (ledger_line_id) where $pool in (old.cost_pool_id, new.cost_pool_id) "
            "group by all union all select 'tower rule', old.tower_rule_id, new.tower_rule_id, "
            f"sum(abs(old.amount_units)) from temp.main.{RULES_BEFORE} as old "
            f"inner join temp.main.{RULES_AFTER} as new using (ledger_line_id) "
            "where $pool in (old.cost_pool_id, new.cost_pool_id) group by all "
            "union all select distinct 'service rule', old.rule_id, new.rule_id, 0 "
            f"from temp.main.{RULES_BEFORE}_services as old "
            f"inner join temp.main.{RULES_AFTER}_services as new "
            "using (tower_id, cost_pool_id, is_tagged) where cost_pool_id = $pool) "
            "where before_id is distinct from after_id "
            "order by size desc, kind, before_id, after_id limit 2",
            {"pool": pool},
        ).fetchall()
        return [f"{kind} {old or 'none'} -> {new or 'none'}" for kind, old, new in rows]

    def _find_largest_pool(
        self, after: Mapping[Cell, int], before: Mapping[Cell, int]
    ) -> tuple[str, Fraction]:
        by_pool: dict[str, Fraction] = defaultdict(Fraction)
        for cells, sign in ((after, 1), (before, -1)):
            for (pool, _), amount in cells.items():
                by_pool[pool] += sign * amount
        found = find_largest(by_pool)
        return ("", Fraction(0)) if found is None else (found, by_pool[found])

    def _split_of(self, line: LineKey, *, is_after: bool) -> Split:
        splits = self.states.splits_after if is_after else self.states.splits_before
        return splits[line[0]]

    def _unit_of(self, line: LineKey) -> str:
        for is_after in (True, False):
            for item in self._split_of(line, is_after=is_after).outside.values():
                if item.unit_code is not None:
                    return item.unit_code
        return "share"

    def _write_quantity(self, split: Split, line: LineKey) -> str:
        receiver = split.outside.get(line[1])
        quantity = receiver.quantity if receiver else Decimal(0)
        return _write_number(quantity) if quantity is not None else "unknown"

    def _write_rate(self, unit_cost: Fraction) -> str:
        """Money of one unit with two decimals more than money has, where they say something."""
        rate = to_amount(unit_cost * 10**2, self.digits + 2)
        kept = rate.quantize(Decimal(1).scaleb(-self.digits))
        return f"{kept if kept == rate else rate:,} {self.currency_code}"

    def _sign(self, units: Fraction) -> str:
        return f"{to_amount(units, self.digits):+,}"

    def _prefix(self, line: LineKey, term: str) -> str:
        """The line that is meant, unless the bill is of this line only."""
        wanted = self.subject.wanted
        texts = []
        if wanted.service_id is None:
            texts.append(self._name("services", line[0]))
        if wanted.cost_centre_id is None:
            texts.append(self._name("centres", line[1]))
        if not texts:
            return ""
        return f"{', '.join(texts)} {self._sign(self.lines[line][term])}: "

    def _name(self, kind: str, item_id: str) -> str:
        return self.names[kind].get(item_id) or item_id

    def _read_names(self, scopes: Sequence[Scope]) -> dict[str, dict[str, str]]:
        """Names by kind and id."""
        conditions = " or ".join(f"({scope.as_condition()})" for scope in scopes)
        charges = f"{PUBLISHED}.marts.fct_charges_monthly where {conditions}"
        queries = {
            "pools": "select cost_pool_id, cost_pool_name from published.model.pools",
            "towers": "select tower_id, tower_name from published.model.towers",
            "drivers": "select driver_id, driver_name from published.model.drivers",
            "services": f"select distinct service_id, service_name from {charges} union "
            "select service_id, service_name from published.model.services",
            "centres": f"select distinct cost_centre_id, cost_centre_name from {charges}",
        }
        return {
            kind: dict(self.connection.execute(f"from ({query}) order by all").fetchall())
            for kind, query in queries.items()
        }


def find_causes(
    rerun: Rerun,
    swap: PeriodSwap,
    states: States,
    subject: Subject,
    terms: BillTerms,
    facts: tuple[PeriodFacts, PeriodFacts],
    bridge: Bridge,
) -> tuple[dict[str, str], dict[str, str]]:
    """A sentence for each term of the bill that is not 0.00, and for each of the cost of its lines
    with a price. The rerun's drivers are not swapped yet."""
    currency = bridge.currency_code
    following = terms.select_following_cost()
    finder = CauseFinder(rerun, swap, states, subject, following, terms.netted, currency)
    causes = _say_cost(finder, terms.charges, bridge.terms)
    prices = PriceCauses(terms, facts, subject, finder.names, currency)
    for term, sentence in prices.say_all().items():
        if bridge.terms[term]:
            causes[term] = sentence
    if bridge.recovery is None:
        return causes, {}
    netted = {line: net_terms(own) for line, own in terms.costs.items()}
    finder = CauseFinder(rerun, swap, states, subject, terms.costs, netted, currency)
    return causes, _say_cost(finder, terms.costs, bridge.recovery.cost_terms)


def _say_cost(finder: CauseFinder, lines: Terms, amounts: Mapping[str, Decimal]) -> dict[str, str]:
    sentences = {
        "rules": finder.say_rules,
        "organisation": lambda: finder.say_organisation(lines),
        "pool_cost": finder.say_pool_cost,
        "volume": finder.say_volume,
        "rate": finder.say_rate,
        "mix": finder.say_mix,
    }
    return {term: say() if amounts[term] else "" for term, say in sentences.items()} | {
        "restatement": "nothing published has been restated"
    }


def find_largest(amounts: Mapping[Key, Fraction]) -> Key | None:
    """The key with the largest amount of the sign that all have together; None for nothing."""
    sign = -1 if sum(amounts.values()) < 0 else 1
    found = max(sorted(amounts), key=lambda key: sign * amounts[key], default=None)
    return found if found is not None and amounts[found] else None


def _sort_changes(
    rows: Iterable[tuple[str, str | None, int, int, int, int]],
) -> list[ShareChange]:
    changes = [
        (receiver, source, Fraction(int(w1), int(t1)), Fraction(int(w2), int(t2)))
        for receiver, source, w1, t1, w2, t2 in rows
    ]
    changed = [item for item in changes if abs(item[3] - item[2]) >= SMALLEST_SHARE]
    return sorted(changed, key=lambda item: -abs(item[3] - item[2]))


def _write_number(value: Decimal) -> str:
    """Without needless zeros."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _write_percent(share: Fraction) -> str:
    return f"{to_amount(share * 10**9, 1)} %"
