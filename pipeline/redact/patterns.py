"""The forms of personal data: expressions, checksums, and the order in which they are tried."""

import re

__all__ = ["ADDRESS", "DOMAIN", "EMAIL", "IBAN", "LINK", "NUMBER", "POSTCODE", "is_card", "is_iban", "is_plain_number"]

# Endings that are seldom words: "ok.so" and "yes.it" are two sentences, "example.com" is not.
DOMAINS = (
    "com|org|net|edu|gov|info|biz|app|dev|shop|online|site|cloud|io|tv|eu|de|uk|fr|es|nl|pl|pt|br|ru|ua|cz|se|dk|fi|jp"
    "|cn|kr|mx|ar|cl|ch|au|nz|za|ng|ke|ae|sa|ir|tr|gr|hu|ro|il|ie|ca"
)
LINK = re.compile(r"""(?i)(?:\b[a-z][a-z0-9+.-]{1,12}://|(?<![\w@.-])www\.)[^\s<>"'\0]+""")
DOMAIN = re.compile(
    rf"""(?ix) (?<![\w@.-]) (?:[^\W_](?:[\w-]{{0,61}}[^\W_])?\.)+
    (?: [a-z]{{2,18}}/[^\s<>"'\0]* | (?:{DOMAINS})\b(?![\w@-]) )"""
)
EMAIL = re.compile(
    r"""(?ix)
    (?<![\w.+-]) [\w.+%'-]{1,64}
    (?: @ (?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+ [^\W\d_]{2,18}
      | \s?(?:\(at\)|\[at\]|\{at\})\s? [\w-]{1,63}
        (?: (?:\.|\s?(?:\(dot\)|\[dot\]|\{dot\}|\(punkt\))\s?|\sdot\s) [a-z]{2,18} )+ \b
      | \sat\s [\w-]{1,63} (?: \sdot\s [a-z]{2,18} )+ \b
    )"""
)
IBAN = re.compile(r"(?i)\b[a-z]{2}\d{2}(?:[ -]?[a-z0-9]{1,4}){3,8}")

# Digits of any script with what people put between them. Seven digits at least, counted afterwards.
NUMBER = re.compile(r"(?<![\w.,+€$£])(?:\+|00)?[ ]?\(?\d(?:[ \u00a0\u202f./()–-]{0,3}\d){5,22}(?!\w|[.,]\d)")
DATE = re.compile(
    r"\d{1,4}([./-])\d{1,2}\1\d{2,4}(?:[ ,T]+\d{1,2}(?:[.:]\d{2})*)?"
    r"|\d{1,2}[./]\d{1,2}[./]?\s?[-–]\s?\d{1,2}[./]\d{1,2}[./]?(?:\d{2,4})?"
)
GROUPED = re.compile(r"\d{1,2}(?:[. \u00a0\u202f']\d{3})+")  # 1 299 000; three threes may be a phone number
YEARS = re.compile(r"(?:1[89]|20)\d\d\s?[-–/]\s?(?:1[89]|20)\d\d")

STREET_AFTER = (  # 12 Baker Street
    r"street|st\.?|road|rd\.?|avenue|ave\.?|lane|ln\.?|drive|dr\.?|court|ct\.?|square|sq\.?|boulevard|blvd\.?|place"
    r"|terrace|crescent|close|gardens|grove|way|highway|hwy\.?|parkway|marg|nagar"
)
STREET_END = (  # Hauptstraße 12, Keizersgracht 3, Storgatan 5
    r"stra(?:ß|ss)e|str\.?|weg|platz|allee|gasse|ring|damm|ufer|straat|gracht|laan|plein|kade|dijk|gatan|vägen|veien"
    r"|gata|vej|gade|katu|tie"
)
STREET_BEFORE = (  # rue de la Paix 12, Via Roma 3
    r"rue|avenue|av\.?|boulevard|bd\.?|place|chemin|impasse|all[ée]e|quai|calle|c/|avda\.?|avenida|plaza|paseo|carrer"
    r"|via|viale|piazza|corso|vicolo|rua|r\.|travessa|pra[çc]a|alameda|largo|ulica|ul\.|aleja|al\.|jalan|jl\.?|ulitsa"
    r"|улица|ул\.|проспект|пр\.|вулиця|вул\."
)
NAME = r"[^\W\d_][\w'’-]*\.?"
HOUSE = r"\d{1,4}(?:\s?[a-zA-Z]\b|/\d{1,3}|-\d{1,4})?(?!\w)"
PARTICLE = (
    r"(?:(?:de|del|della|delle|dei|di|da|do|dos|das|du|des|la|le|les|el|los|las|van|von|der|den|den|al|l['’])\s?)"
)
ADDRESS = re.compile(
    rf"""(?x)
    (?: (?<!\w) (?i:(?:no|nr|n°)\.?\s?)? {HOUSE} ,?\s (?:(?=[^\W\d_a-z]){NAME}\s){{1,3}} (?i:{STREET_AFTER})(?!\w)
      | (?<!\w) (?:(?=[^\W\d_a-z]){NAME}[ -]){{0,3}} (?=[^\W\d_a-z])[\w'’-]*(?i:{STREET_END})\s {HOUSE}
      | (?<!\w) (?=[^\W\d_a-z]){NAME}[ ](?i:stra(?:ß|ss)e|str\.|weg|platz|allee|ring)\s {HOUSE}
      | (?<!\w) (?i:{HOUSE},?\s (?:bis\s|ter\s)?)? (?i:{STREET_BEFORE})\s {PARTICLE}{{0,3}}
        (?:(?=[^\W\d_a-z]){NAME})(?:\s{PARTICLE}{{0,2}}(?=[^\W\d_a-z]){NAME}){{0,3}} ,?\s (?i:n[°ºr]?\.?\s?)? {HOUSE}
      | (?<!\w) {HOUSE},?\s (?i:bis\s|ter\s)? (?i:{STREET_BEFORE})\s {PARTICLE}{{0,3}}
        (?=[^\W\d_a-z]){NAME}(?:\s{PARTICLE}{{0,2}}(?=[^\W\d_a-z]){NAME}){{0,3}}
      | (?<!\w) (?:(?=[^\W\d_a-z]){NAME}\s){{1,3}} (?i:mah\.?|mahallesi|cad\.?|caddesi|sok\.?|soka[gğ][ıi])\s
        (?i:no\s?[:.]?\s?)? {HOUSE}
    )"""
)
POSTCODE = re.compile(
    r"""(?x)
    (?: (?<!\w) (?:GIR\s?0AA|[A-Za-z]{1,2}\d[A-Za-z\d]?\s?\d[ABD-HJLNP-UW-Zabd-hjlnp-uw-z]{2}) (?!\w)  # UK
      | (?<!\w) [ABCEGHJ-NPRSTVXY]\d[A-Z][ -]?\d[A-Z]\d (?!\w)  # Canada
      | (?<!\w) [1-9]\d{3}\s?(?!SA|SD|SS|PM|AM|EU|KM)[A-Z]{2} (?!\w)  # Netherlands
      | (?<!\w) (?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT
          |V[AT]|W[AIVY])[ ,]+\d{5}(?:-\d{4})? (?!\w)  # US
      | (?<![\w.,€$£]) (?<!\d[ -]) \d{5}-\d{3} (?![\w-]|[ ]\d)  # Brazil
      | (?<![\w.,€$£]) (?<!\d[ -]) \d{4}-\d{3} (?![\w-]|[ ]\d)  # Portugal
      | (?<![\w.,€$£-]) \d{2}-\d{3} (?=\s[A-ZŁŚŻŹĆÓ][a-ząćęłńóśźż])  # Poland
      | 〒\s?\d{3}-?\d{4}  # Japan
      | (?<![\w.,€$£:/-]) (?:D-|F-|I-|E-)?\d{5} (?=\s[A-ZÄÖÜÉÀÁÍÓÚÇ][a-zäöüßéèêàáíóúñç]{2,})  # DE FR IT ES
      | (?<![\w.,€$£:/-]) \d{3}\s\d{2} (?=\s[A-ZÅÄÖČŘŠŽ][a-zåäöáčďéěíňóřšťúůýž]{2,})  # SE CZ
      | (?i:\b(?:pin|pin\s?code|postcode|zip|zip\s?code|plz|cep|cap|c\.p\.|cp))\s?[:.]?\s?\d{3}\s?-?\d{2,3} (?!\w)
      | (?<=[a-z]\s)\d{6}(?!\w)(?=\s?,?\s?(?:India|Россия|$)) | (?<=[a-z]\s[-–]\s)\d{6}(?!\w)  # India
    )"""
)

IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28,
    "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TN": 24,
    "TR": 26, "UA": 29, "VG": 24, "XK": 20,
}  # fmt: skip


def is_iban(text: str) -> int:
    """How many characters of `text` are an IBAN (ISO 13616: the country's length, remainder 1 by 97); 0 for none."""
    length = IBAN_LENGTHS.get(text[:2].upper(), 0)
    kept = [place for place, character in enumerate(text) if character not in " -"]
    if not length or len(kept) < length:
        return 0
    compact = "".join(text[place] for place in kept[:length]).upper()
    number = "".join(str(int(character, 36)) for character in compact[4:] + compact[:4])
    return kept[length - 1] + 1 if int(number) % 97 == 1 else 0


def is_card(digits: str) -> bool:
    """Whether digits are a payment card's: a known first digit, 13 to 19 of them, and Luhn's checksum (ISO 7812)."""
    if not 13 <= len(digits) <= 19 or digits[0] not in "23456":
        return False
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def is_plain_number(text: str) -> bool:
    """Whether a run of digits is a date, a span of years or a count with thousands apart, and so nobody's."""
    text = text.strip()
    return any(pattern.fullmatch(text) for pattern in (DATE, GROUPED, YEARS))
