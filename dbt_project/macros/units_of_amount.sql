{# A decimal amount of the reporting currency as integer engine units, exactly. #}
{% macro units_of_amount(amount) -%}
    ({{ decimal_to_integer(amount, 8) }} * (select units_per_amount from {{ ref('stg_model__settings') }})
        // cast(100000000 as hugeint))
{%- endmacro %}
