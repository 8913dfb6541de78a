-- Cloud lines at the grain that the rules can see. Which bill lines stand behind a row is a query
-- by `cloud_line_key` on stg_cloud_bill__keyed_lines, not a stored list.
select
    cloud_line_key,
    scenario_id,
    period_id,
    source_id,
    provider_name,
    service_category,
    service_name,
    sub_account_id,
    charge_category,
    tagged_service_id,
    tagged_consumer_id,
    service_rule_id,
    consumer_rule_id,
    billing_currency as currency_code,
    sum(amount_local) as amount_local,
    sum(passed_on_amount_local) as passed_on_amount_local,
    sum(case when commitment_discount_status = 'Used' then effective_cost end) as committed_amount_local,
    count(*) as line_count
from {{ ref('stg_cloud_bill__keyed_lines') }}
group by all
