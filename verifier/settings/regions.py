"""Which territory lies in which region: CLDR's territory containment (UN M.49), codes only.

Source: Unicode CLDR, `territoryContainment` of the core supplemental data, groupings left
out and deprecated territories kept where they were; licence Unicode-3.0.  Babel does not
ship it.
"""

from __future__ import annotations

WORLD = "001"

_CONTAINS = {
    "001": "019 002 150 142 009",
    "002": "015 011 017 014 018",
    "005": "AR BO BR BV CL CO EC FK GF GS GY PE PY SR UY VE",
    "009": "053 054 057 061 QO",
    "011": "BF BJ CI CV GH GM GN GW LR ML MR NE NG SH SL SN TG",
    "013": "BZ CR GT HN MX NI PA SV",
    "014": "BI DJ ER ET IO KE KM MG MU MW MZ RE RW SC SO SS TF TZ UG YT ZM ZW",
    "015": "DZ EG EH LY MA SD TN EA IC",
    "017": "AO CD CF CG CM GA GQ ST TD ZR",
    "018": "BW LS NA SZ ZA",
    "019": "021 013 029 005",
    "021": "BM CA GL PM US",
    "029": "AG AI AN AW BB BL BQ BS CU CW DM DO GD GP HT JM KN KY LC MF MQ MS PR SX TC TT VC VG VI",
    "030": "CN HK JP KP KR MN MO TW",
    "034": "AF BD BT IN IR LK MV NP PK",
    "035": "BN BU ID KH LA MM MY PH SG TH TL TP VN",
    "039": "AD AL BA CS ES GI GR HR IT ME MK MT PT RS SI SM VA XK YU",
    "053": "AU CC CX HM NF NZ",
    "054": "FJ NC PG SB VU",
    "057": "FM GU KI MH MP NR PW UM",
    "061": "AS CK NU PF PN TK TO TV WF WS",
    "142": "145 143 030 034 035",
    "143": "TM TJ KG KZ UZ",
    "145": "AE AM AZ BH CY GE IL IQ JO KW LB NT OM PS QA SA SY TR YD YE",
    "150": "154 155 151 039",
    "151": "BG BY CZ HU MD PL RO RU SK SU UA",
    "154": "AX CQ DK EE FI FO GB GG IE IM IS JE LT LV NO SE SJ",
    "155": "AT BE CH DD DE FR FX LI LU MC NL",
    "QO": "AC AQ CP DG TA",
}
_PARENT = {child: region for region, children in _CONTAINS.items() for child in children.split()}


def region_path(territory: str) -> tuple[str, ...]:
    """Return the regions from the continent down to the territory itself.

    `FR` gives `("150", "155", "FR")`; the world, and what it does not contain (groupings,
    the unknown region), gives `()`.
    """
    path: list[str] = []
    while territory in _PARENT:
        path.append(territory)
        territory = _PARENT[territory]
    return tuple(reversed(path))
