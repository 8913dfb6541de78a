{#
  A decimal as an integer of 10^-`digits`, exactly. `value` is cast to decimal(38, `digits`) first.
  DuckDB multiplies decimals into ever wider types and overflows, so the digits are moved as text.
#}
{% macro decimal_to_integer(value, digits=12) -%}
    cast(replace(cast(cast({{ value }} as decimal(38, {{ digits }})) as varchar), '.', '') as hugeint)
{%- endmacro %}
