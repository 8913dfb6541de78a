{#
  A part in units of the result, as allocate_by_driver wants it, where 64-bit integers hold it;
  else null.

  divisor  weight_total * unit

  The largest number on the way is |amount| * weight_to + divisor / 2. It is at most
  (|amount| + unit) * weight_total, which is kept to 9 * 10^18 where 2^63 is 9.22 * 10^18: more
  room than the rounding of a DOUBLE needs. A row beyond it has no amount here, so that all that
  follows is null. Were the bound wrong, DuckDB would stop with an overflow; it never wraps.

  The running total is rounded half away from zero: half of the divisor, with the sign of the
  amount, is added before `//`, which cuts towards zero. Operands stand outside of `case`, where
  DuckDB works out once what is written twice.
#}
{% macro split_in_64_bits(amount_units, weight_from, weight_to, weight_total, divisor, unit) -%}
    {% set amount -%}
        cast(
            case
                when (abs(cast({{ amount_units }} as double)) + {{ unit }}) * cast({{ weight_total }} as double) <= 9e18
                    then {{ amount_units }}
            end as bigint
        )
    {%- endset -%}
    {% set divisor = 'try_cast(' ~ divisor ~ ' as bigint)' -%}
    {% set half = '(' ~ divisor ~ ' >> 1) * sign(' ~ amount ~ ')' -%}
    (
        ({{ amount }} * try_cast({{ weight_to }} as bigint) + {{ half }}) // {{ divisor }}
        - ({{ amount }} * try_cast({{ weight_from }} as bigint) + {{ half }}) // {{ divisor }}
    )
{%- endmacro %}
