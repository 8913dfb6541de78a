{#
  The part of `amount_units` that falls to one receiver: cumulative rounding in receiver order.

  amount_units  integer engine units of the sender, of either sign
  weight_from   sum of the integer weights of the receivers before this one
  weight_to     the same including this one
  weight_total  sum of the weights of all receivers of the sender, positive
  unit          engine units per unit of the result: 1, or 1000000 to make cents

  Parts of one sender sum to its amount exactly (to the unit: where `unit` divides the amount),
  because each is the difference of two neighbours of one rounded running total that ends at the
  amount. No ranking, no remainder to hand out; a part is off by less than one unit.

  Three ways to one result, by row. DuckDB divides a HUGEINT some fifty times slower than it
  multiplies one, so 64-bit integers are taken where the row proves that they hold, and an
  estimate that integers correct nearly everywhere else. The last way holds for every amount and all
  weights that find_unsound_weights lets through.
#}
{% macro allocate_by_driver(amount_units, weight_from, weight_to, weight_total, unit=1) -%}
    {% set divisor = weight_total if unit == 1 else '(' ~ weight_total ~ ' * ' ~ unit ~ ')' -%}
    {{ unit ~ ' * ' if unit != 1 }}coalesce(
        {{ split_in_64_bits(amount_units, weight_from, weight_to, weight_total, divisor, unit) }},
        case
            when
                (abs(cast({{ amount_units }} as double)) + {{ unit }}) * cast({{ weight_total }} as double) <= 1e33
                and abs(cast({{ amount_units }} as double)) <= 4e18
                and cast({{ divisor }} as double) <= 4e18
                then {{ split_by_estimate(amount_units, weight_from, weight_to, divisor) }}
            else
                {{ multiply_and_divide(amount_units, weight_to, divisor) }}
                - {{ multiply_and_divide(amount_units, weight_from, divisor) }}
        end
    )
{%- endmacro %}
