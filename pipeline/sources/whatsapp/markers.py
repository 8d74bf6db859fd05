"""The words that stand for the halves of the day in a header: AM and PM of every locale, and the Chinese periods.

Pairs from CLDR 47 through babel (format and stand-alone, all widths), with older forms that phones still write. Kept as
text because importing babel and walking its 1,000 locales takes seconds; a test compares both (test_locales.py).
"""

import re
from functools import cache

__all__ = ["AFTERNOON", "MORNING", "NIGHT", "NOON", "complete", "is_marker", "normalise_marker", "read_markers"]

MORNING, AFTERNOON, NOON, NIGHT = 1, 2, 3, 4

# Lower case, without spaces, dots and direction marks; "am|pm".
_PAIRS = """
a|p  adduha|aluula  ag|ak  am|gm  am|pm  amvormittag|amnamittag  an|anw  an|ew  ankstāinan|papussideinan
antemeridiem|postmeridiem  antemidí|posmidí  ap|ip  asubuhi|mchana  atm|ptm  b|h  banhaet|banringzgvaq  bh|ph
bn|pn  braxkndaax|baubaukndaax  comme|lilli  d|p  damanhã|datarde  de|du  delamañana|delatarde
delmatin|desira  dinda|dilolo  dop|odp  dop|odpol  dop|pop  dop|wótp  dopoldne|popoldne  dopołdnja|popołdnju
dopołdnja|wótpołdnja  dopołedniŏ|popołedniu  eparadites|epasdites  f|e  f|m  fh|eh  fm|em  fm|fi  ft|md
förmiddag|eftermiddag  fọmọ́nin|fọívnin  g|a  gh|gd  goöň|gosoň  göň|gsoň  günortadanöň|günortadansoň  h|d
hengihengi|efiafi  hh|ea  hoseng|thapama  i|e  i/m|e/m  iarmade|eftermade  ib|eb  ibikɛ̂glà|iɓugajɔp
icheheavo|ichamthi  idiɓa|ebyámu  ip|ep  isuk|wengi  iđitbeaivet|eahketbeaivet  iđitbeaivi|eahketbeaivi
kang’ama|kingoto  karoon|kooskoliny  ki|ut  kiroko|hwaĩ-inĩ  kiɛmɛ́ɛm|kisɛ́ndɛ  krn|koosk  kíkíríg|ngəgógəle
lb|sn  leebi|shwane  lumalwak|lumalwap  lwamilawu|pashamihe  m|b  m|f  m|p  ma|mo  makeo|nyiaghuo  mambia|mog
manhã|tarde  maná|kugú  mat|soir  matin|soir  mañana|tarde  mbaʼámbaʼ|ncwònzém  mbaꞌmbaꞌ|ŋkambɔ́tnji  mo|nomë
moies|nomëttes  morning|afternoon  muhi|chilo  munkyo|eigulo  nd|lk  ntufat|ntmeddit  ntɔ́ngɔ́|mpókwa
n’ụtụtụ|n’abali  n’ụtụtụ|n’abalị  oar|sear  od|ot  pagi/siang|soré/malem  pamilau|pamunyi  paradite|pasdite
pd|md  pg|ptg  pg/sg|sr/mlm  piopensuno|pipinisuno  priekšp|pēcp  priekšp|pēcpusd  priekšpusdiena|pēcpusdiena
priekšpusdienā|pēcpusdienā  priešpiet|popiet  prijepodne|popodne  prp|pop  prīškpušdīnē|piecpušdīnē  rn|in
rw|tŋ  rũ|ũg  s|c  sa|ch  saaku|carra  safiya|yamma  sf|ym  sokallim|sanje  soodo|hawwaro  sub|ngo
subaka|kikiiɗe  subbaahi|zaarikayb  sárúwá|cɛɛ́nko  taparachu|ebongi  tesiran|teipa  tifawt|tadggʷat  to|tk
too|muu  uhrvörmiddaachs|uhrnommendaachs  ulloqeqqata-tungaa|ulloqeqqata-kingorna  uluchelo|akasuba  ut|uk
utuko|kyiukonyi  v|n  vaasisu|makaaripi  vm|nm  vorm|nachm  vorm|nam  vormittag|namittag
vormittags|nachmittags  vörmeddaach|nommendaach  wd|wb  wichishu|mchochil’l  yb|yh  zdatazal|ḍeffiraza
zmu|zmw  àárɔ̀|ɔ̀sán  àárọ̀|ọ̀sán  öö|ös  öň|soň  ĩyakwakya|ĩyawĩoo  ŋ|ɣ  ŋdi|ɣetrɔ  ŋdiga|ɣetrɔga  ǁgoagas|ǃuias
ɛnkakɛnyá|ɛndámâ  ʊshilèkʊboɖu|ʊshilèkʊsasʊ  πμ|μμ  а|p  а|п  ам|пм  апн|апд  апоўначы|апоўдні  делп|попл
дп|пп  обедтэикеле|обедтэмейле  преподне|поподне  претпл|попл  пријеподне|поподне  пријеподне|послијеподне
проб|слоб  таңкы|түштөнкийинки  то|тк  тң|тк  эи|эк  үө|үх  ӕмбисбоныразмӕ|ӕмбисбоныфӕстӕ  ա|հ  לפנה"צ|אחה"צ
לפנה״צ|אחה״צ  פֿאַרמיטאָג|נאָכמיטאָג  اےایم|پیایم  ب|ك  بن|دن  تد|تك  ص|م  صباحا|مساء  صباحًا|مساءً
صبح،منجهند|شام،منجهند  صبح،منجهند|منجهند،شام  غم|غو  ق|ب  قبلدوپہر|بعددوپہر  قبل‌ازظهر|بعدازظهر
قبل‌ازظهر|بعد‌ازظهر  قظ|بظ  ق‌ظ|ب‌ظ  چب|چك  چۈشتىنبۇرۇن|چۈشتىنكېيىن  ܏ܩܛ‌|܏ܒܛ‌  ܏ܩ‌|܏ܒ‌  ߛ|ߥ  एएम|पीएम
तडके|सांझ  दुपहरब्रोंठ|दुपहरपतॖ  पूर्वाह्न|अपराह्न  फुं|बे  फुं|बेलासे  फुंनि|बेलासेनि  भोर|सांझ  भ्यागा|दपेहरा/संजा  मपू|मउ
येएम|पीएम  सकाळीं|सांजे  सबेरे|सांम  सवेर|दपैहरबाद  सवेर|स’ञ  सुबह|शाम  सुबुहजा|शामजा  এএম|পিএম  নুমাং|pm
পূর্বাহ্ণ|অপরাহ্ণ  পূর্বাহ্ন|অপরাহ্ন  ਪੂਦੁ|ਬਾਦੁ  ਸ|ਸ਼  ଏ|ପି  ଏଏମ|ପିଏମ  ପୂ|ଅ  ପୂର୍ବାହ୍ନ|ଅପରାହ୍ନ  முற்|பிற்
முற்பகல்|பிற்பகல்  ఉ|సా  ఎ|పి  ఎఎమ్|పిఎమ్  ಪೂರ್ವಾಹ್ನ|ಅಪರಾಹ್ನ  ഉമു|ഉശേ  පෙ|ප  පෙව|පව  ก่อนเที่ยง|หลังเที่ยง
ກ່ອນທ່ຽງ|ຫຼັງທ່ຽງ  སྔ་ཆ་|ཕྱི་ཆ་  སྔ་དྲོ་|ཕྱི་དྲོ་  နံနက်|ညနေ  ማለዶ|ቃማ  ቀደምሰርምዕል|ሓቆስርምዕል  ቅቀ|ድቀ  ዓዓ|ድድ  ጠ|ከ
ጥዋት|ከሰዓት  ጽባሕ|ምሴት  ፋዱስጃብ|ፋዱስደምቢ  Ꮜ|Ꮢ  ᏌᎾᎴ|ᏒᎯᏱᎢ  ᏌᎾᎴ|ᏒᎯᏱᎢᏗᏢ  ᐁᒼ|ᐲᒼ  ᐊᒼ|ᐲᒼ  ពព្រឹក|ល្ងាច  ព្រឹក|ល្ងាច  ᠦ᠂ᠥ|ᠦ᠂ᠬᠣ
ᱥᱮᱛᱟᱜ|ᱧᱤᱫᱟᱹ  ⵜⵉⴼⴰⵡⵜ|ⵜⴰⴷⴳⴳⵯⴰⵜ  上午|下午  午前|午後  ꎸꄑ|ꁯꋒ  오전|오후  𐐰𐑋|𐐹𐑋  𐑨𐑥|𐑐𐑥  𞤢|𞤩  𞤢𞤰|𞤩𞤰
"""

# Some phones divide the day further. NOON has the hours 11 to 1 (中午), NIGHT those from 6 in the evening to 5 (半夜).
_PERIODS = {
    "凌晨": MORNING, "清晨": MORNING, "早晨": MORNING, "早上": MORNING, "上午": MORNING, "中午": NOON,
    "下午": AFTERNOON,
    "傍晚": AFTERNOON, "晚上": AFTERNOON, "夜晚": AFTERNOON, "半夜": NIGHT, "午夜": NIGHT, "深夜": NIGHT,
    "inthemorning": MORNING, "intheafternoon": AFTERNOON, "intheevening": AFTERNOON, "atnight": NIGHT, "noon": NOON,
    "delamadrugada": MORNING, "delanoche": AFTERNOON, "damadrugada": MORNING, "danoite": AFTERNOON, "midnight": NIGHT,
}  # fmt: skip

_INVISIBLE = re.compile(r"[\s.·\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]")


def normalise_marker(raw: str) -> str:
    """A marker as the table keeps it: lower case, no spaces, no dots, no direction marks."""
    return _INVISIBLE.sub("", raw).casefold()


@cache
def _pairs() -> tuple[tuple[str, str], ...]:
    pairs = (entry.split("|") for entry in re.split(r"\s{2,}|\n", _PAIRS.strip()))
    return tuple((_INVISIBLE.sub("", am).casefold(), _INVISIBLE.sub("", pm).casefold()) for am, pm in pairs)


@cache
def _halves() -> dict[str, set[int]]:
    halves: dict[str, set[int]] = {name: {period} for name, period in _PERIODS.items()}
    for am, pm in _pairs():
        halves.setdefault(am, set()).add(MORNING)
        halves.setdefault(pm, set()).add(AFTERNOON)
    return halves


def is_marker(raw: str) -> bool:
    """Whether some locale writes this for a half of the day."""
    return normalise_marker(raw) in _halves()


def read_markers(raws: set[str]) -> dict[str, int]:
    """What each marker of one file stands for: MORNING, AFTERNOON, NOON or NIGHT.

    A word that is "am" in one language and "pm" in another ("m", "ip") is settled by the other markers of the file,
    else by the more widely spoken language.
    """
    seen = {normalise_marker(raw) for raw in raws}
    both = next(((am, pm) for am, pm in _pairs() if am in seen and pm in seen), None)
    prefer_pm = {"ip", "ب", "ut"}
    read = {}
    for raw in raws:
        name = normalise_marker(raw)
        halves = _halves().get(name, set())
        if len(halves) == 1:
            read[raw] = next(iter(halves))
        elif both and name in both:
            read[raw] = MORNING if name == both[0] else AFTERNOON
        elif halves:
            read[raw] = AFTERNOON if name in prefer_pm else MORNING
    return read


def complete(raws: set[str]) -> set[str]:
    """The markers seen in a part of a file, with those that the rest of it may hold: AM's PM, all Chinese periods."""
    found = set(raws)
    for raw in raws:
        name = normalise_marker(raw)
        if name in ("am", "pm"):
            found |= {raw.translate(str.maketrans("aA", "pP")), raw.translate(str.maketrans("pP", "aA"))}
        elif name in _PERIODS:
            found |= {raw.replace(name, period) for period in _PERIODS if name in raw and not period.isascii()}
        else:
            # A marker of one word: its spelling is the table's, up to case and dots, which only the file can tell.
            found |= {raw.replace(a, b) for pair in _pairs() for a, b in (pair, pair[::-1]) if name == a and a in raw}
    return found
