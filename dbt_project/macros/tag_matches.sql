{#
  True where every condition of a rule on tags is met by `tag_values`: one of its globs matches the
  tag's value. A line without the tag does not match, whatever the glob.

  conditions  list of (position, globs), the positions being those of `tag_values`
#}
{% macro tag_matches(conditions, tag_values) -%}
    (
        len(list_filter(
            {{ conditions }},
            lambda condition: len(list_filter(
                condition.globs,
                lambda pattern: coalesce({{ tag_values }}[condition.position] glob pattern, false)
            )) = 0
        )) = 0
    )
{%- endmacro %}
