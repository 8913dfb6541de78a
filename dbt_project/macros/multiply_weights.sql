{#
  The product of two weights, neither of them negative; null where one of them is.

  What no total could hold becomes `unholdable_weight`, 5.2 * 10^33, which find_unsound_weights refuses by the sender's
  name, instead of an overflow that names nothing.
#}
{% macro multiply_weights(first, second) -%}
    case
        when {{ first }} is not null and {{ second }} is not null
            then
                coalesce(
                    try(least(cast({{ first }} as hugeint) * {{ second }}, {{ unholdable_weight() }})),
                    {{ unholdable_weight() }}
                )
    end
{%- endmacro %}
