{# An amount for a reader: thousands separated, at least two decimals, no zeros beyond them. #}
{% macro shown_amount(amount) -%}
    {% set decimals = "rtrim(split_part(cast(cast(" ~ amount ~ " as decimal(38, 12)) as varchar), '.', 2), '0')" %}
    (
        if({{ amount }} < 0, '-', '') || format('{:,}', cast(trunc(abs({{ amount }})) as hugeint)) || '.'
        || rpad({{ decimals }}, cast(greatest(2, length({{ decimals }})) as integer), '0')
    )
{%- endmacro %}
