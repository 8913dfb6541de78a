"""Files as other systems export them, small enough to be read here."""

from __future__ import annotations

from pathlib import Path

SAP_DE = """\
Einzelposten Sachkonten;;;;;;;;
Buchungskreis;Sachkonto;Belegnummer;Buchungsdatum;Kostenstelle;Text;\
Betrag in Hauswährung;Hauswährung;Name des Lieferanten
1000;640000;190000123;31.01.2026;CC100;Wartung März;1.234,56;EUR;Müller GmbH
1000;640000;190000124;15.01.2026;CC200;Gutschrift;99,90-;EUR;Müller GmbH
1000;641000;190000124;15.01.2026;CC200;Größe;12.000,00;EUR;
"""

GLA = """\
ID,VendorID,Vendor,AccountCode,AccountDescription,DocNo,Amount,Date,Source
0,,JILL BARTLETT & COMPANY LTD,,Catering Charges,,1390.11,2008-04-01,338-april_2008
1,,2CL COMMUNICATIONS LTD,,Postage,,1222.01,2008-04-01,4-april_2008
2,,A VENDOR,,Refund,,-10.5,2008-05-13,5-may_2008
"""

SERVICE_NOW = """\
Number,Task type,Business service,Priority,Opened,Resolved,Time worked,Assignment group
INC0010001,Incident,mail,2 - High,13/02/2026 09:15,13/02/2026 11:00,45,Messaging
INC0010002,Incident,crm,3 - Moderate,14/02/2026 10:00,?,30,Applications
REQ0010003,Service Request,mail,4 - Low,28/02/2026 23:59,01/03/2026 08:00,15,Messaging
REQ0010004,Catalog Task,mail,4 - Low,28/02/2026 23:59,01/03/2026 08:00,15,Messaging
"""

OPEN_FORMS = """\
line_id,period_id,posting_date,legal_entity_id,account_id,cost_centre_id,currency_code,amount_local
1,2026-05,05/01/2026,DE01,6400,CC1,EUR,1.234
2,2026-05,04/02/2026,DE01,6400,CC1,EUR,500
"""


def write(directory: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    """The text as a file."""
    path = directory / name
    path.write_bytes(text.encode(encoding))
    return path
