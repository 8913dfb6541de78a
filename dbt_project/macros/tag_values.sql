{#
  The values of the tags at `pointers` in the JSON object `tags`, in their order. Each entry of
  `pointers` holds the spellings of one tag key; the first with a value counts, NULL where none has.
  Spaces around a value are no part of it.
#}
{% macro tag_values(tags, pointers) -%}
    list_transform(
        {{ pointers }},
        lambda spellings: list_filter(
            list_transform(
                spellings, lambda pointer: nullif(trim(json_extract_string({{ tags }}, pointer)), '')
            ),
            lambda value: value is not null
        )[1]
    )
{%- endmacro %}
