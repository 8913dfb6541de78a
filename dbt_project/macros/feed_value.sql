{#
  The text that a detail feed's setting `spec` points at in a column of the cloud bill `line`. NULL
  where the line has none, and where the setting names a tag: see tag_values.
#}
{% macro feed_value(spec, line) -%}
    case {{ spec }}
        when 'service_name' then {{ line }}.service_name
        when 'sub_account_id' then {{ line }}.sub_account_id
        when 'sub_account_name' then {{ line }}.sub_account_name
        when 'billing_account_id' then {{ line }}.billing_account_id
    end
{%- endmacro %}
