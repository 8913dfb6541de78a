{#
  A part in units of the result, as allocate_by_driver wants it, where a DOUBLE comes near enough
  to each running total that 64-bit integers can close the gap.

  divisor  weight_total * unit

  For any integer e, x // d is e + (x - e * d) // d. Here e is a running total in DOUBLE, made a
  little too small: it only has to be near, and no digit of it reaches the result. The remainder is
  worked out in HUGEINT and is divided as UBIGINT. A cast stops the build where a remainder is below
  zero or does not fit, so that an estimate which is not near enough cannot pass.

  Why it is near enough where allocate_by_driver asks: seven roundings of a DOUBLE are below
  10^-15 of the total, 2 * 10^-15 and one unit are taken off, so that e is not above the total; and
  what is left is at most 3 * 10^-15 * |amount| * weight_total + 2.5 * divisor, which is
  1.3 * 10^19 at the bounds there, and 2^64 is 1.8 * 10^19.
#}
{% macro split_by_estimate(amount_units, weight_from, weight_to, divisor) -%}
    sign({{ amount_units }}) * (
        {% for weight in [weight_to, weight_from] -%}
        {% set estimate -%}
            cast(
                abs(cast({{ amount_units }} as double)) * cast({{ weight }} as double)
                / cast({{ divisor }} as double) * 0.999999999999998e0 - 1 as bigint
            )
        {%- endset -%}
        {{ '- ' if not loop.first }}(
            {{ estimate }}
            + cast(
                abs({{ amount_units }}) * {{ weight }} + ({{ divisor }} >> 1) - {{ estimate }} * {{ divisor }} as ubigint
            ) // cast({{ divisor }} as ubigint)
        )
        {% endfor -%}
    )
{%- endmacro %}
