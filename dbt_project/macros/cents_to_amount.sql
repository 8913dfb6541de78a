{# Minor units (integers) as an amount of the reporting currency with its decimals. #}
{% macro cents_to_amount(cents) -%}
    cast(
        cast({{ cents }} as decimal(24, 0))
        * (select amount_per_cent from {{ ref('stg_model__settings') }})
        as decimal(28, 2)
    )
{%- endmacro %}
