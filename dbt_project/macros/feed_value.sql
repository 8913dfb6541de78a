{#
  The text that a detail feed's setting `spec` points at: a tag (`tag:KEY`) or a column of the
  cloud bill `line`. NULL where the line has none.
#}
{% macro feed_value(spec, line) -%}
    case
        when {{ spec }} is null then null
        when {{ spec }} like 'tag:%'
            then nullif(trim(json_extract_string({{ line }}.tags, '$."' || substr({{ spec }}, 5) || '"')), '')
        when {{ spec }} = 'service_name' then {{ line }}.service_name
        when {{ spec }} = 'sub_account_id' then {{ line }}.sub_account_id
        when {{ spec }} = 'sub_account_name' then {{ line }}.sub_account_name
        when {{ spec }} = 'billing_account_id' then {{ line }}.billing_account_id
    end
{%- endmacro %}
