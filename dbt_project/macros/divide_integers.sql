{#
  numerator / denominator in integers, rounded half away from zero; denominator is positive.
  DuckDB's `/` on decimals is floating point. Half of the denominator is added before `//` cuts: in
  integers the sum passes a whole number exactly where the quotient is a half or more beyond it.
#}
{% macro divide_integers(numerator, denominator) -%}
    (
        case when ({{ numerator }}) < 0 then -1 else 1 end
        * ((abs({{ numerator }}) + (({{ denominator }}) >> 1)) // ({{ denominator }}))
    )
{%- endmacro %}
