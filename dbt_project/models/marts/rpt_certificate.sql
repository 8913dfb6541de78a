-- The proof of a period, and of what was delivered for a period that cannot be read. Each identity is
-- written as a sum: left side, right side, difference. Amounts are exact; the cents are those of the
-- charge lines, and the part of a cent that the control total has beyond its cents is a term of its own.
with delivered as (
    select
        scenario_id,
        period_id,
        version,
        sum(counted_units) as counted_units,
        sum(open_units) as open_units,
        sum(discarded_units) as discarded_units,
        sum(open_record_count) as open_record_count,
        sum(discarded_record_count) as discarded_record_count,
        -- What the sum does not hold, in words: it was delivered all the same.
        {% for state in ['open', 'discarded'] %}
        {{ stated_beside(state ~ '_unreadable_count', state ~ '_unstated_amount_local', 'currency_code') }}
            as {{ state }}_beside,
        {% endfor %}
        sum(counted_units + open_units + discarded_units) as amount_units
    from {{ ref('int_ledger__delivered') }}
    group by all
),

-- Open and discarded records were both delivered, and neither is cost. A released record is a line of
-- the ledger.
named as (
    select
        *,
        nullif(concat_ws(', ', open_beside, discarded_beside), '') as beside
    from delivered
),

charges as (
    select
        lines.*,
        coalesce(policies.charging_policy, 'at_cost') as charging_policy
    from {{ ref('int_charges__lines') }} as lines
    left join {{ ref('int_charges__policies') }} as policies
        on lines.period_id = policies.period_id and lines.service_id = policies.service_id
),

charge_terms as (
    select
        scenario_id,
        period_id,
        version,
        case
            when disposition = 'allocated' and charging_policy = 'showback' then 'showback'
            when disposition = 'allocated' then 'charged_cost'
            else disposition
        end as term_id,
        sum(amount_units) as amount_units,
        sum(cost_cents) as cents
    from charges
    group by all
),

terms as (
    select listed.* from (
        values
        ('recovery', 2, 'Recovery accounts: what IT charged before, never a cost'),
        ('out_of_scope', 3, 'Out of scope: not IT cost'),
        ('capitalised', 4, 'Capitalised: becomes cost by depreciation'),
        ('quarantined', 5, 'Quarantined: not counted until it is decided'),
        ('discarded', 6, 'Discarded: declared to be no cost'),
        ('unmapped', 7, 'Unmapped: no rule or no known receiver'),
        ('unallocated', 8, 'Unallocated: held, because no driver says who used it'),
        ('idle', 9, 'Idle capacity'),
        ('showback', 10, 'Cost of showback services: shown, not charged'),
        ('charged_cost', 11, 'Cost of charged services')
    ) as listed (term_id, term_order, term_name)
),

ledger_identity as (
    select
        scenario_id,
        period_id,
        version,
        'ledger' as identity_id,
        1 as term_order,
        'delivered' as term_id,
        'Delivered by the ledger' || coalesce(', plus ' || beside, '') as term_name,
        'left' as side,
        amount_units,
        {{ divide_integers('amount_units', 1000000) }} as cents
    from named
    union all
    select
        named.scenario_id,
        named.period_id,
        named.version,
        'ledger' as identity_id,
        terms.term_order,
        terms.term_id,
        terms.term_name
        || case
            when terms.term_id = 'quarantined' and named.open_record_count > 0
                then ', ' || {{ count_records('named.open_record_count') }}
            when terms.term_id = 'discarded' and named.discarded_record_count > 0
                then ', ' || {{ count_records('named.discarded_record_count') }}
            else ''
        end as term_name,
        'right' as side,
        case terms.term_id
            when 'quarantined' then named.open_units
            when 'discarded' then named.discarded_units
            else coalesce(charge_terms.amount_units, 0)
        end as amount_units,
        -- What the cents of the terms before leave over, so that the column adds up in cents as well.
        case terms.term_id
            when 'quarantined'
                then
                    {{ divide_integers('named.counted_units + named.open_units', 1000000) }}
                    - {{ divide_integers('named.counted_units', 1000000) }}
            when 'discarded'
                then
                    {{ divide_integers('named.amount_units', 1000000) }}
                    - {{ divide_integers('named.counted_units + named.open_units', 1000000) }}
            else coalesce(charge_terms.cents, 0)
        end as cents
    from named
    -- Of what has no period only these can be said.
    inner join terms on named.period_id <> '(unknown)' or terms.term_id in ('quarantined', 'discarded')
    left join charge_terms
        on named.scenario_id = charge_terms.scenario_id
        and named.period_id = charge_terms.period_id
        and named.version = charge_terms.version
        and terms.term_id = charge_terms.term_id
),

periods as (
    select
        scenario_id,
        period_id,
        version
    from delivered
    where period_id <> '(unknown)'
),

charge_sums as (
    select
        scenario_id,
        period_id,
        version,
        sum(charged_amount) as charged_amount,
        sum(cost_amount) filter (disposition = 'allocated' and charging_policy <> 'showback') as cost_amount
    from {{ ref('fct_charges_monthly') }}
    group by all
),

-- Counted from the prices and the cost, and not from the charges that it is to explain.
recovery_sums as (
    select
        scenario_id,
        period_id,
        version,
        sum(recovery_amount) as recovery_amount
    from {{ ref('fct_recovery_monthly') }}
    group by all
),

bill_sums as (
    select
        scenario_id,
        period_id,
        version,
        sum(amount) as billed_amount,
        sum(amount) filter (item_kind = 'correction') as correction_amount,
        sum(amount) filter (item_kind in ('adjustment', 'service_credit')) as adjustment_amount,
        sum(amount) filter (item_kind in ('mark_up', 'tax')) as transfer_amount,
        sum(amount) filter (item_kind = 'true_up') as true_up_amount
    from {{ ref('fct_bill_items_monthly') }}
    group by all
),

charge_identities as (
    {% set rows = [
        ('charged', 1, 'charged', 'Charged to consumers', 'left', 'charge_sums.charged_amount'),
        ('charged', 2, 'charged_cost', 'Cost of charged services', 'right', 'charge_sums.cost_amount'),
        ('charged', 3, 'recovery', 'Over-recovery (+) or under-recovery (-)', 'right',
            'recovery_sums.recovery_amount'),
        ('billed', 1, 'billed', 'Billed: sum of all statements', 'left', 'bill_sums.billed_amount'),
        ('billed', 2, 'charged', 'Charged to consumers', 'right', 'charge_sums.charged_amount'),
        ('billed', 3, 'corrections', 'Credit and debit notes for closed periods', 'right',
            'bill_sums.correction_amount'),
        ('billed', 4, 'adjustments', 'Adjustments and service credits', 'right', 'bill_sums.adjustment_amount'),
        ('billed', 5, 'transfers', 'Mark-up and tax between legal entities', 'right', 'bill_sums.transfer_amount'),
        ('billed', 6, 'true_ups', 'True-up of the fiscal year', 'right', 'bill_sums.true_up_amount'),
    ] %}
    {% for identity, term_order, term, name, side, amount in rows %}
    select
        periods.scenario_id,
        periods.period_id,
        periods.version,
        '{{ identity }}' as identity_id,
        {{ term_order }} as term_order,
        '{{ term }}' as term_id,
        '{{ name }}' as term_name,
        '{{ side }}' as side,
        {{ units_of_amount('coalesce(' ~ amount ~ ', 0)') }} as amount_units,
        {{ units_of_amount('coalesce(' ~ amount ~ ', 0)') }} // 1000000 as cents
    from periods
    left join charge_sums using (scenario_id, period_id, version)
    left join recovery_sums using (scenario_id, period_id, version)
    left join bill_sums using (scenario_id, period_id, version)
    -- Nothing is billed by a restated period: an open one bills the difference.
    {% if identity == 'billed' %}where periods.scenario_id <> 'restated'{% endif %}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

all_terms as (
    select * from ledger_identity
    union all
    select * from charge_identities
),

differences as (
    select
        scenario_id,
        period_id,
        version,
        identity_id,
        99 as term_order,
        'difference' as term_id,
        'Difference' as term_name,
        'difference' as side,
        sum(case when side = 'left' then amount_units else -amount_units end) as amount_units,
        sum(case when side = 'left' then cents else -cents end) as cents
    from all_terms
    group by all
),

together as (
    select * from all_terms
    union all
    select * from differences
)

select
    scenario_id,
    period_id,
    version,
    identity_id,
    case identity_id
        when 'ledger' then 'The ledger is accounted for' || if(period_id = '(unknown)', ': period unknown', '')
        when 'charged' then 'Charges equal cost and recovery'
        when 'billed' then 'Bills equal charges'
    end as identity_name,
    term_order,
    term_id,
    term_name,
    side,
    {{ units_to_amount('amount_units') }} as amount,
    {{ cents_to_amount('cents') }} as amount_cents
from together
