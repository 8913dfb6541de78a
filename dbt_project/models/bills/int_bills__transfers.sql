-- Mark-up and tax on what one legal entity charges another: on each charge, and on all that is billed
-- besides it to the same consumer. What holds is what held in the period that the item is for. Cents
-- are made per item, half away from zero on the exact product; the tax is on the item with its mark-up
-- in cents, as both stand on the bill.
{% set kinds = ['charges', 'corrections', 'adjustments', 'true_ups'] %}
with items as (
    {% for kind in kinds %}
    select * from {{ ref('int_bills__' ~ kind) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

rated as (
    select
        items.*,
        transfers.to_legal_entity_id,
        transfers.reason as transfer_reason,
        transfers.mark_up_percent,
        transfers.tax_percent,
        {{ divide_integers(units_of_amount('items.amount'), 1000000) }} as base_cents
    from items
    inner join {{ ref('int_consumers__cost_centres') }} as centres
        on items.period_id = centres.period_id and items.cost_centre_id = centres.cost_centre_id
    inner join {{ ref('stg_model__periods') }} as periods on items.origin_period_id = periods.period_id
    inner join {{ ref('stg_model__transfers') }} as transfers
        on centres.legal_entity_id = transfers.to_legal_entity_id
        and {{ is_valid_in_period('transfers', 'periods') }}
),

-- A percentage has 10 decimals and is of a hundred.
marked_up as (
    select
        *,
        {{ divide_integers(
            'base_cents * ' ~ decimal_to_integer('mark_up_percent', 10), 1000000000000
        ) }} as mark_up_cents
    from rated
),

taxed as (
    select
        *,
        {{ divide_integers(
            '(base_cents + mark_up_cents) * ' ~ decimal_to_integer('tax_percent', 10), 1000000000000
        ) }} as tax_cents
    from marked_up
)

{% for kind, name in [('mark_up', 'Mark-up'), ('tax', 'Tax')] %}
select
    scenario_id,
    period_id,
    version,
    md5(concat_ws('|', '{{ kind }}', bill_item_id)) as bill_item_id,
    '{{ kind }}' as item_kind,
    service_id,
    cost_centre_id,
    origin_period_id,
    origin_version,
    origin_charge_id,
    reference_id,
    '{{ name }} of ' || regexp_replace(cast({{ kind }}_percent as varchar), '\.?0+$', '') || ' % for '
    || to_legal_entity_id || coalesce(': ' || transfer_reason, '') as reason,
    {{ cents_to_amount(kind ~ '_cents') }} as amount
from taxed
where {{ kind }}_cents <> 0
{% if not loop.last %}union all{% endif %}
{% endfor %}
