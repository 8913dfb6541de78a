{#
  An integer of 10^-`digits` as decimal(38, `digits`), exactly: what decimal_to_integer undoes. DuckDB
  multiplies decimals into ever wider types, so whole and part are made apart.
#}
{% macro integer_to_decimal(value, digits=12) -%}
    (
        cast(({{ value }}) // {{ 10 ** digits }} as decimal(38, {{ digits }}))
        + cast(({{ value }}) % {{ 10 ** digits }} as decimal({{ digits }}, 0))
        * cast(0.{{ '0' * (digits - 1) }}1 as decimal({{ digits }}, {{ digits }}))
    )
{%- endmacro %}
