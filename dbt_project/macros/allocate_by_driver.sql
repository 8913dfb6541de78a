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
#}
{% macro allocate_by_driver(amount_units, weight_from, weight_to, weight_total, unit=1) -%}
    {{ unit }} * (
        {{ divide_integers(amount_units ~ ' * ' ~ weight_to, weight_total ~ ' * ' ~ unit) }}
        - {{ divide_integers(amount_units ~ ' * ' ~ weight_from, weight_total ~ ' * ' ~ unit) }}
    )
{%- endmacro %}
