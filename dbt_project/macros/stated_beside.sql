{#
  What a sum in the reporting currency cannot hold, in words: records without a readable amount, and
  amounts of a currency without a rate. For `group by` without the currency; null where there is nothing.
#}
{% macro stated_beside(unreadable_count, unstated_amount_local, currency_code) -%}
    nullif(concat_ws(
        ', ',
        case
            when sum({{ unreadable_count }}) > 0
                then {{ count_records('sum(' ~ unreadable_count ~ ')') }} || ' without a readable amount'
        end,
        string_agg(
            case
                when {{ currency_code }} in ('(unknown)', '(none)')
                    then {{ shown_amount(unstated_amount_local) }} || ' in an unknown currency'
                else {{ currency_code }} || ' ' || {{ shown_amount(unstated_amount_local) }}
                    || ' without an exchange rate'
            end,
            ', '
            order by {{ currency_code }}
        ) filter ({{ unstated_amount_local }} <> 0)
    ), '')
{%- endmacro %}
