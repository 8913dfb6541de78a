{#
  The greatest integer that divides all of a list of integers; NULL for an empty list.
#}
{% macro greatest_divisor(values) -%}
    list_reduce({{ values }}, lambda x, y: gcd(x, y))
{%- endmacro %}
