{#
  Engine units as a decimal(38, 8) amount of the reporting currency, exactly: its minor unit has at
  most two decimals (the workspace's configuration refuses others), an engine unit six more.
#}
{% macro units_to_amount(units) -%}
    cast(
        cast({{ units }} as decimal(28, 0)) * (select amount_per_unit from {{ ref('stg_model__settings') }})
        as decimal(38, 8)
    )
{%- endmacro %}
