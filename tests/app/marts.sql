-- The published marts that the app reads, empty: names and types as in their contracts.

create schema marts;

create table marts.dim_run (
    run_id varchar,
    built_at timestamp,
    workspace_name varchar,
    currency_code varchar,
    code_version varchar,
    fingerprint varchar,
    shared_method varchar,
);

create table marts.dim_periods (
    period_id varchar,
    period_name varchar,
    period_start date,
    period_end date,
    fiscal_year integer,
    fiscal_period integer,
    has_actuals boolean,
    has_budget boolean,
    period_state varchar,
);

create table marts.dim_services (
    service_id varchar,
    service_name varchar,
    category_name varchar,
    description varchar,
    owner_name varchar,
    owner_email varchar,
    business_processes varchar,
    unit_code varchar,
    unit_name varchar,
    driver_id varchar,
    driver_name varchar,
    driver_description varchar,
    charging_policy varchar,
    is_shared boolean,
    availability_target_share decimal(28, 10),
    response_target_minutes integer,
    resolution_target_minutes integer,
    sla_attainment_target_share decimal(28, 10),
    how_to_order varchar,
    how_to_use_less varchar,
);

create table marts.dim_service_offerings (
    service_id varchar,
    offering_id varchar,
    offering_name varchar,
    description varchar,
);

create table marts.dim_business_units (
    business_unit_id varchar,
    business_unit_name varchar,
    division_name varchar,
);

create table marts.fct_ledger_lines (
    scenario_id varchar,
    period_id varchar,
    version integer,
    ledger_line_id varchar,
    source_id varchar,
    account_id varchar,
    account_name varchar,
    cost_centre_id varchar,
    vendor_name varchar,
    legal_entity_id varchar,
    description varchar,
    currency_code varchar,
    amount_local decimal(38, 12),
    amount decimal(38, 8),
    disposition varchar,
    cost_pool_id varchar,
    pool_rule_id varchar,
    tower_rule_id varchar,
    tagged_service_id varchar,
    file_id varchar,
    row_number bigint,
    is_balancing boolean,
);

create table marts.fct_service_costs_monthly (
    scenario_id varchar,
    period_id varchar,
    version integer,
    service_id varchar,
    service_name varchar,
    direct_amount decimal(38, 8),
    delivered_amount decimal(38, 2),
    full_amount decimal(38, 8),
    charged_amount decimal(38, 2),
    quantity decimal(38, 6),
    unit_code varchar,
    unit_cost decimal(28, 10),
);

create table marts.fct_service_cost_breakdown_monthly (
    scenario_id varchar,
    period_id varchar,
    version integer,
    service_id varchar,
    cost_pool_id varchar,
    cost_pool_name varchar,
    tower_id varchar,
    tower_name varchar,
    direct_amount decimal(38, 8),
    delivered_amount decimal(38, 8),
);

create table marts.fct_charges_monthly (
    scenario_id varchar,
    period_id varchar,
    version integer,
    charge_id varchar,
    service_id varchar,
    service_name varchar,
    cost_centre_id varchar,
    cost_centre_name varchar,
    business_unit_id varchar,
    business_unit_name varchar,
    division_name varchar,
    legal_entity_id varchar,
    business_unit_as_is_id varchar,
    business_unit_as_is_name varchar,
    disposition varchar,
    charging_policy varchar,
    driver_id varchar,
    driver_name varchar,
    driver_quality varchar,
    quantity decimal(38, 6),
    unit_code varchar,
    unit_rate decimal(28, 10),
    cost_amount decimal(38, 2),
    charged_amount decimal(38, 2),
);

create table marts.fct_service_quality_monthly (
    scenario_id varchar,
    period_id varchar,
    version integer,
    service_id varchar,
    incident_count bigint,
    request_count bigint,
    change_count bigint,
    ticket_count bigint,
    response_attainment_share decimal(28, 10),
    resolution_attainment_share decimal(28, 10),
    sla_attainment_share decimal(28, 10),
    median_response_minutes double,
    median_resolution_minutes double,
    ticket_effort_hours double,
    outage_minutes bigint,
    planned_outage_minutes bigint,
    availability_share decimal(28, 10),
    cost_per_ticket_amount decimal(28, 10),
);

create table marts.fct_service_capacity_monthly (
    scenario_id varchar,
    period_id varchar,
    version integer,
    service_id varchar,
    capacity_quantity decimal(38, 6),
    capacity_unit_code varchar,
    used_quantity decimal(38, 6),
    utilisation_share decimal(28, 10),
);

create table marts.fct_benchmarks (
    benchmark_id varchar,
    service_id varchar,
    metric varchar,
    unit_code varchar,
    currency_code varchar,
    low_value decimal(28, 10),
    median_value decimal(28, 10),
    high_value decimal(28, 10),
    source_name varchar,
    publication_year integer,
    note varchar,
);

create table marts.fct_unit_costs_monthly (
    scenario_id varchar,
    period_id varchar,
    version integer,
    service_id varchar,
    business_unit_id varchar,
    business_unit_name varchar,
    quantity decimal(38, 6),
    unit_code varchar,
    cost_amount decimal(38, 2),
    unit_cost decimal(28, 10),
);

create table marts.rpt_certificate (
    scenario_id varchar,
    period_id varchar,
    version integer,
    identity_id varchar,
    identity_name varchar,
    term_order integer,
    term_id varchar,
    term_name varchar,
    side varchar,
    amount decimal(38, 8),
    amount_cents decimal(38, 2),
);

create table marts.rpt_conservation (
    scenario_id varchar,
    period_id varchar,
    version integer,
    stop_order integer,
    stop_name varchar,
    arrived_amount decimal(38, 8),
    left_amount decimal(38, 8),
    difference_amount decimal(38, 8),
);

create table marts.rpt_open_items (
    scenario_id varchar,
    period_id varchar,
    version integer,
    item_kind varchar,
    item_key varchar,
    item_name varchar,
    amount decimal(38, 8),
    what_to_do varchar,
);

create table marts.rpt_cost_flow (
    scenario_id varchar,
    period_id varchar,
    version integer,
    from_stop varchar,
    from_id varchar,
    from_name varchar,
    to_stop varchar,
    to_id varchar,
    to_name varchar,
    amount decimal(38, 8),
);

create table marts.rpt_year_outlook (
    fiscal_year integer,
    service_id varchar,
    service_name varchar,
    actual_to_date_amount decimal(38, 2),
    budget_to_date_amount decimal(38, 2),
    budget_rest_amount decimal(38, 2),
    outlook_amount decimal(38, 2),
    budget_year_amount decimal(38, 2),
    last_actual_period_id varchar,
);

create table marts.rpt_bill_lines (
    scenario_id varchar,
    period_id varchar,
    version integer,
    charge_id varchar,
    business_unit_id varchar,
    business_unit_name varchar,
    cost_centre_id varchar,
    cost_centre_name varchar,
    legal_entity_id varchar,
    service_id varchar,
    service_name varchar,
    charging_policy varchar,
    driver_name varchar,
    driver_quality varchar,
    quantity decimal(38, 6),
    unit_code varchar,
    unit_rate decimal(28, 10),
    charged_amount decimal(38, 2),
    cost_amount decimal(38, 2),
    previous_charged_amount decimal(38, 2),
    previous_cost_amount decimal(38, 2),
    budget_amount decimal(38, 2),
);
