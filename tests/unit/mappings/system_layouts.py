"""Small exports as common systems write them, made up for these tests, with what they come to."""

# ruff: noqa: E501 - lines of an export stay whole, so that they can be compared with the real ones
from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SystemLayout:
    """A foreign file, the contract that it is, what a person must add, and its records and sum."""

    system: str
    contract: str
    text: str
    records: int
    total: str = ""
    constants: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    encoding: str = "utf-8"


LAYOUTS = (
    # 1,250.00 + 89.99 - 200.50 = 1,139.49; the balance grows by the amount and is none itself.
    SystemLayout(
        "quickbooks",
        "general_ledger",
        "Example Corp\nTransaction Detail by Account\nJanuary 2026\n\n"
        "Date,Transaction Type,Num,Name,Memo/Description,Split,Account,Amount,Balance\n"
        '01/15/2026,Bill,1001,Acme Hosting,Servers,Accounts Payable,Software,"1,250.00","1,250.00"\n'
        '01/28/2026,Expense,1002,Widget Phone,Phone,Checking,Telephone,89.99,"1,339.99"\n'
        '01/31/2026,Vendor Credit,1003,Acme Hosting,Refund,Accounts Payable,Software,-200.50,"1,139.49"\n',
        3,
        "1139.49",
        {"currency_code": "USD"},
    ),
    # 100.00 + 250.00 - 50.00 = 300.00
    SystemLayout(
        "sage",
        "general_ledger",
        "No,Type,Account,Nominal,Dept,Details,Date,Ref,Net,Tax,T/C\n"
        "1,PI,ACME01,7504,1,Licences,31/01/2026,1001,100.00,20.00,T1\n"
        "2,PI,ACME01,7505,1,Support,30/01/2026,1002,250.00,50.00,T1\n"
        "3,PC,ACME01,7505,2,Credit,29/01/2026,C1,-50.00,-10.00,T1\n",
        3,
        "300.00",
        {"currency_code": "GBP"},
    ),
    # 1.000,00 + 2.500,50 - 100,50 = 3.400,00
    SystemLayout(
        "dynamics",
        "general_ledger",
        "Buchungsdatum;Belegart;Belegnr.;Sachkontonr.;Beschreibung;Abteilungscode;Kostenstelle Code;"
        "Betrag;Sollbetrag;Habenbetrag;Lfd. Nr.\n"
        "31.01.2026;Rechnung;R1;4806;Wartung;IT;100;1.000,00;1.000,00;0,00;1\n"
        "30.01.2026;Rechnung;R2;4980;Lizenzen;IT;100;2.500,50;2.500,50;0,00;2\n"
        "29.01.2026;Gutschrift;G1;4980;Gutschrift;IT;200;-100,50;0,00;100,50;3\n",
        3,
        "3400.00",
        {"currency_code": "EUR"},
        encoding="cp1252",
    ),
    # 4,000.00 - 500.00 = 3,500.00
    SystemLayout(
        "workday",
        "general_ledger",
        "Journal,Company,Accounting Date,Ledger Account,Spend Category,Cost Center,Supplier,"
        "Line Memo,Currency,Ledger Debit Amount,Ledger Credit Amount\n"
        "JE-1,Acme US,2026-01-31,6100:Software,SaaS,CC100 Information Technology,Initech,CRM,USD,4000.00,0.00\n"
        "JE-2,Acme US,2026-01-30,6100:Software,SaaS,CC200 Sales,Initech,Credit,USD,0.00,500.00\n",
        2,
        "3500.00",
    ),
    # 1,200.00 + 300.50 - 100.25 = 1,400.25; amounts stand in a column per side.
    SystemLayout(
        "netsuite",
        "general_ledger",
        "Internal ID,Type,Date,Period,Document Number,Name,Account,Department,Class,Subsidiary,Memo,"
        "Amount (Debit),Amount (Credit),Currency\n"
        "1001,Bill,1/15/2026,Jan 2026,B-1,Acme Hosting,6100 Software,IT,,Parent Co,Servers,1200.00,,USD\n"
        "1002,Bill,1/28/2026,Jan 2026,B-2,Initech,6200 Telecom,IT,,Parent Co,Lines,300.50,,USD\n"
        "1003,Bill Credit,1/31/2026,Jan 2026,C-1,Acme Hosting,6100 Software,IT,,Parent Co,Refund,,100.25,USD\n",
        3,
        "1400.25",
    ),
    # 480.00 + 120.00 - 50.00 = 550.00; titles before the header, totals of accounts between.
    SystemLayout(
        "xero",
        "general_ledger",
        "Account Transactions,,,,,,,\nExample Ltd,,,,,,,\nFor the period 1 January 2026 to 31 January 2026,,,,,,,\n"
        ",,,,,,,\n"
        "Date,Source,Description,Reference,Account Code,Account,Debit,Credit\n"
        "15 Jan 2026,Payable Invoice,Servers,INV-1,429,Hosting,480.00,0.00\n"
        "28 Jan 2026,Spend Money,Lines,,489,Telephone,120.00,0.00\n"
        "31 Jan 2026,Payable Credit Note,Refund,CN-1,429,Hosting,0.00,50.00\n"
        ",,Total,,,,600.00,50.00\n",
        3,
        "550.00",
        {"currency_code": "GBP"},
    ),
    # 2,000.00 + 150.75 - 50.00 = 2,100.75 in the currency of the transaction.
    SystemLayout(
        "dynamics_365_finance",
        "general_ledger",
        "Journal number,Voucher,Date,Ledger account,Account name,Description,Currency,"
        "Amount in transaction currency,Amount,Amount in reporting currency,Posting type\n"
        '00431,PIV-1,1/15/2026,606300-001-023,Software,CRM,EUR,"2,000.00","2,160.00","2,160.00",Vendor\n'
        "00431,PIV-2,1/28/2026,606400-001-023,Telephone,Lines,EUR,150.75,162.81,162.81,Vendor\n"
        "00432,PIV-3,1/31/2026,606300-001-023,Software,Refund,EUR,-50.00,-54.00,-54.00,Vendor\n",
        3,
        "2100.75",
    ),
    # 900.00 - 100.00 = 800.00; the ledger's year and period, titles of a report above.
    SystemLayout(
        "workday_journal_lines",
        "general_ledger",
        "Journal Lines\nCompany,Acme US\nPeriod,FY2026 - Jan\n\n"
        "Journal Number,Company,Ledger,Accounting Date,Ledger Account,Cost Center,Spend Category,"
        "Transaction Currency,Transaction Debit Amount,Transaction Credit Amount,Memo\n"
        "JE-0001,Acme US,Actuals,01/15/2026,6100:Software,CC100 IT,SaaS,USD,900.00,,CRM\n"
        "JE-0002,Acme US,Actuals,01/31/2026,6100:Software,CC100 IT,SaaS,USD,,100.00,Refund\n",
        2,
        "800.00",
    ),
    # 1.234,56 + 0,44 - 235,00 = 1.000,00
    SystemLayout(
        "spanish",
        "general_ledger",
        "Fecha;Asiento;Cuenta;Descripción cuenta;Concepto;Debe;Haber;Centro de coste;Proveedor\n"
        "31/01/2026;1;6220001;Reparaciones;Servidor;1.234,56;;CC1;ACME\n"
        "30/01/2026;2;6290001;Otros servicios;Móvil;0,44;;CC1;TELCO\n"
        "29/01/2026;3;6290001;Otros servicios;Abono;;235,00;CC2;TELCO\n",
        3,
        "1000.00",
        {"currency_code": "EUR"},
        encoding="mac_roman",
    ),
    # 1500,00 + 12345,67 - 345,67 = 13500,00
    SystemLayout(
        "fec",
        "general_ledger",
        "JournalCode|JournalLib|EcritureNum|EcritureDate|CompteNum|CompteLib|CompAuxNum|CompAuxLib|"
        "PieceRef|PieceDate|EcritureLib|Debit|Credit|EcritureLet|DateLet|ValidDate|Montantdevise|Idevise\n"
        "ACH|Achats|1|20260131|61350000|Location|F001|ACME|F-1|20260130|Serveurs|1500,00|0,00|||20260131||\n"
        "ACH|Achats|2|20260115|61560000|Maintenance|F001|ACME|F-2|20260114|Contrat|12345,67|0,00|||20260131||\n"
        "OD|Divers|3|20260116|61560000|Maintenance|F001|ACME|A-1|20260116|Avoir|0,00|345,67|||20260131||\n",
        3,
        "13500.00",
        {"currency_code": "EUR"},
    ),
    SystemLayout(
        "freshservice",
        "tickets",
        "Ticket ID,Subject,Status,Priority,Source,Type,Agent,Group,Department,Category,Created Time,"
        "Resolved Time,Initial Response Time,Resolution Status\n"
        "11,VPN down,Closed,High,Email,Incident,Ann,Network,Sales,Network,2026-01-31 09:00:00,"
        "2026-01-31 11:00:00,2026-01-31 09:10:00,Within SLA\n"
        "12,Laptop,Open,Low,Portal,Service Request,Bob,Desk,HR,Hardware,2026-01-30 08:00:00,,,\n",
        2,
        settings={"time_zone": "UTC"},
    ),
    SystemLayout(
        "glpi_fr",
        "tickets",
        "ID;Titre;Statut;Priorité;Type;Date d'ouverture;Date de résolution;Demandeur;Technicien;"
        "Catégorie\n"
        "1;Panne VPN;Clos;Haute;Incident;31/01/2026 09:00;31/01/2026 11:30;Anne;Luc;Réseau\n"
        "2;Portable;En cours;Basse;Demande;30/01/2026 10:00;;Bruno;Luc;Matériel\n",
        2,
        settings={"time_zone": "Europe/Paris"},
    ),
    SystemLayout(
        "rvtools",
        "assets",
        "VM,Powerstate,Template,CPUs,Memory,NICs,Disks,Provisioned MiB,In Use MiB,Cluster,Host,"
        "Folder,VM UUID\n"
        "app01,poweredOn,False,4,16384,1,2,102400,51200,PROD,esx1,Apps,4201a1b2-0001\n"
        "db01,poweredOn,False,8,65536,1,4,512000,256000,PROD,esx2,Databases,4201a1b2-0002\n",
        2,
        "0",
        {"currency_code": "EUR"},
    ),
    SystemLayout(
        "microsoft_365",
        "licences",
        "Product Title,Total Licenses,Expired Licenses,Assigned Licenses,Status Message\n"
        "Microsoft 365 E3,120,0,115,\nVisio Plan 2,10,0,4,\n",
        2,
        constants={"period_id": "2026-01"},
    ),
    # 12.50 - 2.50 + 0.25 = 10.25
    SystemLayout(
        "gcp",
        "cloud_bill",
        "billing_account_id,service.description,sku.description,usage_start_time,usage_end_time,"
        "project.id,location.region,cost,currency,usage.amount,usage.unit,invoice.month,cost_type\n"
        "01A,Compute Engine,N2 core,2026-01-01 00:00:00 UTC,2026-01-01 01:00:00 UTC,shop,europe-west1,"
        "12.50,EUR,24,hour,202601,regular\n"
        "01A,Compute Engine,Discount,2026-01-01 00:00:00 UTC,2026-01-01 01:00:00 UTC,shop,europe-west1,"
        "-2.50,EUR,0,,202601,adjustment\n"
        "01A,Cloud Storage,GB,2026-01-02 00:00:00 UTC,2026-01-02 01:00:00 UTC,data,europe-west1,"
        "0.25,EUR,9,gibibyte,202601,tax\n",
        3,
        "10.25",
    ),
    # 1.5 + 0.75 + 0.0000000001 = 2.2500000001
    SystemLayout(
        "cur_2",
        "cloud_bill",
        "bill_payer_account_id,bill_billing_period_start_date,bill_billing_period_end_date,"
        "line_item_usage_account_id,line_item_usage_start_date,line_item_usage_end_date,"
        "line_item_line_item_type,line_item_product_code,line_item_unblended_cost,"
        "line_item_currency_code,product_servicecode\n"
        "001122334455,2026-01-01T00:00:00.000Z,2026-02-01T00:00:00.000Z,001122334455,"
        "2026-01-01T00:00:00.000Z,2026-01-01T01:00:00.000Z,Usage,AmazonEC2,1.5,USD,AmazonEC2\n"
        "001122334455,2026-01-01T00:00:00.000Z,2026-02-01T00:00:00.000Z,001122334456,"
        "2026-01-01T00:00:00.000Z,2026-01-01T01:00:00.000Z,Tax,AmazonEC2,0.75,USD,AmazonEC2\n"
        "001122334455,2026-01-01T00:00:00.000Z,2026-02-01T00:00:00.000Z,001122334456,"
        "2026-01-01T00:00:00.000Z,2026-01-01T01:00:00.000Z,Usage,AmazonS3,1E-10,USD,AmazonS3\n",
        3,
        "2.2500000001",
    ),
    # 100.10 + 200.20 = 300.30; the column is called by no name of an amount.
    SystemLayout(
        "nobody_knows",
        "general_ledger",
        "when;who;what;how much spend;ref no\n"
        "2026-01-31;ACME;Software;100.10;1\n2026-01-30;ACME;Hardware;200.20;2\n",
        2,
        "300.30",
        {"currency_code": "EUR"},
        {},
    ),
)
