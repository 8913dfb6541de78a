{#
  numerator / denominator in integers, rounded half away from zero; denominator is positive.
  The only place where the engine divides: DuckDB's `/` on decimals is floating point.
#}
{% macro divide_integers(numerator, denominator) -%}
    (
        case when ({{ numerator }}) < 0 then -1 else 1 end
        * ((2 * abs({{ numerator }}) + ({{ denominator }})) // (2 * ({{ denominator }})))
    )
{%- endmacro %}
