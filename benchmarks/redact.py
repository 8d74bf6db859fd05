"""Recall and precision of the masking on a made chat, beside presidio where it is installed.

python benchmarks/redact.py [--items 1000] [--seed 7]

Every planted item is written as people of ten countries write it, inside a sentence; between them stand sentences full
of numbers that are nobody's: dates, times, prices, scores, years. An item counts as found when every character of it
that tells something (letters and digits) is masked; a mask counts as wrong when it touches a word of no item.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from pipeline.redact import KINDS, find

Draw = random.Random

PHONES = {  # mobile and landline beginnings, then how people group the rest
    "US": (["+1 ", "1-", ""], ["212", "415"], ["({a}) {b3}-{c4}", "{a}-{b3}-{c4}", "{a}.{b3}.{c4}", "{a}{b3}{c4}"]),
    "GB": (["+44 ", "0"], ["7911", "7700", "7400"], ["{a} {b6}", "{a} {b3} {c3}", "{a}{b6}"]),
    "DE": (["+49 ", "0", "0049 "], ["170", "151", "176"], ["{a} {b8}", "{a}/{b8}", "{a} {b4} {c4}", "{a}-{b8}"]),
    "FR": (["+33 ", "0"], ["6", "7"], ["{a} {b2} {c2} {d2} {e2}", "{a}.{b2}.{c2}.{d2}.{e2}", "{a}{b8}"]),
    "ES": (["+34 ", ""], ["612", "655", "699"], ["{a} {b3} {c3}", "{a} {b2} {c2} {d2}", "{a}{b6}"]),
    "IT": (["+39 ", ""], ["347", "328", "333"], ["{a} {b7}", "{a} {b3} {c4}", "{a}{b7}"]),
    "NL": (["+31 ", "0"], ["6"], ["{a} {b8}", "{a}-{b8}", "{a} {b2} {c2} {d2} {e2}"]),
    "BR": (["+55 ", ""], ["11", "21", "31"], ["({a}) 9{b4}-{c4}", "{a} 9{b4}-{c4}", "{a} 9{b4} {c4}"]),
    "IN": (["+91 ", "0", ""], ["98", "99", "97"], ["{a}{b3} {c5}", "{a}{b8}", "{a}{b3}-{c5}"]),
    "PL": (["+48 ", ""], ["601", "502", "790"], ["{a} {b3} {c3}", "{a}-{b3}-{c3}", "{a}{b6}"]),
}  # fmt: skip
IBANS = {
    "GB": ("aaaa", 14), "DE": ("", 18), "FR": ("", 23), "ES": ("", 20), "IT": ("a", 22), "NL": ("aaaa", 10),
    "PL": ("", 24),
}  # fmt: skip
STREETS = {
    "US": "{n} {w} Street|{n} {w} Ave|{n} {w} Blvd.", "GB": "{n} {w} Road|{n} {w} Lane|{n}b {w} Close",
    "DE": "{w}straße {n}|{w}weg {n}|Am {w}platz {n}", "FR": "{n} rue de la {w}|{n}, avenue {w}|{n} bis rue {w}",
    "ES": "Calle {w} {n}|Avenida de {w}, {n}|C/ {w} {n}", "IT": "Via {w} {n}|Piazza {w}, {n}|Corso {w} {n}",
    "NL": "{w}straat {n}|{w}gracht {n}|{w}laan {n}", "BR": "Rua {w}, {n}|Avenida {w}, {n}|Alameda {w} {n}",
    "IN": "{n} {w} Marg|{n}, {w} Road|{n} {w} Nagar", "PL": "ul. {w} {n}|al. {w} {n}|ulica {w} {n}",
}  # fmt: skip
POSTCODES = {
    "US": "CA 9####|NY 1####", "GB": "NW# #AB|SW1A #EH|M#2 #GT", "DE": "1####_Berlin|8####_München",
    "FR": "75###_Paris|69###_Lyon", "ES": "28###_Madrid|08###_Barcelona", "IT": "00###_Roma|20###_Milano",
    "NL": "1##2 BK|3##4 XD", "BR": "0####-###|2####-###", "IN": "PIN 56####|pin code 11####",
    "PL": "00-###_Warszawa|30-###_Kraków",
}  # fmt: skip
WORDS = "Linden Mayer Castle Garibaldi Oak Victoria Goethe Madero Tulpen Nehru Kwiatowa Flores".split()  # noqa: SIM905
FRAMES = (
    "my number is {} ok", "{}", "call {} after 8", "it's {}, write it down", "hey, {}!", "send it to {} please",
    "ruf an: {}", "c'est {} non?", "mira {}", "ecco {}.", "({})", "look {} and then 2 more at 10:30",
)  # fmt: skip
DECOYS = (
    "see you on 12.03.2024 at 18:30", "that was 1.299,00 € in 2019", "we won 21-19 and 25-23", "3/4 of 1000000 people",
    "born 1987, school 1993-2006", "platform 9 3/4, train ICE 512 at 07:05", "it costs $1,499.99 plus 19%",
    "version 3.11.7 is out", "lat 52.5 lon 13.4", "10 000 steps today, 8.2 km", "2024-03-15T10:00", "exam in room 204",
    "ratio 16:9 at 1920x1080", "she is no.so what", "we are 5 at home. ok", "chapter 12 verse 3",
    "22 degrees, 80 % rain",
)  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """A message, and where its item stands (none in a decoy)."""

    text: str
    kind: str
    country: str
    start: int
    end: int


def digits(draw: Draw, count: int) -> str:
    return "".join(draw.choices("0123456789", k=count))


def phone(draw: Draw, country: str) -> str:
    prefixes, starts, forms = PHONES[country]
    form = draw.choice(forms)
    groups = {
        f"{name}{size}": str(draw.randint(2, 9)) + digits(draw, size - 1) for name in "bcde" for size in range(2, 9)
    }
    prefix = draw.choice(prefixes)
    return prefix + form.format(a=draw.choice(starts), **groups)


def email(draw: Draw, country: str) -> str:
    name = draw.choice(["anna.k", "j_smith", "max+news", "o'neil", "luis84", "Marie-C"])
    host = draw.choice(["gmail.com", "web.de", "mail.example.co.uk", "uni-x.edu", "poczta.pl", "bol.com.br"])
    return draw.choice([f"{name}@{host}", f"{name}@{host}".upper(), f"{name}(at){host}"])


def url(draw: Draw, country: str) -> str:
    code = digits(draw, 5)
    return draw.choice(
        [f"https://www.example.{country.lower()}/a?b={code}", f"http://10.0.0.1:8080/{code}", f"www.shop{code}.com",
         f"bit.ly/x{code}", f"chat.whatsapp.com/AbC{code}", f"site{code}.de", f"https://münchen{code}.de/straße",
         f"maps.app.goo.gl/{code}", f"HTTPS://EXAMPLE.ORG/{code}", f"youtu.be/{code}?t=3"]
    )  # fmt: skip


def card(draw: Draw, country: str) -> str:
    prefix, length = draw.choice([("4", 16), ("51", 16), ("37", 15), ("6011", 16), ("2221", 16)])
    body = prefix + digits(draw, length - 1 - len(prefix))
    total = sum(int(d) if i % 2 else sum(divmod(int(d) * 2, 10)) for i, d in enumerate(reversed(body)))
    number = body + str(-total % 10)
    if length == 15:
        return draw.choice([number, f"{number[:4]} {number[4:10]} {number[10:]}"])
    groups = [number[i : i + 4] for i in range(0, 16, 4)]
    return draw.choice(["", " ", "-"]).join(groups)


def iban(draw: Draw, country: str) -> str:
    form, count = IBANS.get(country) or IBANS["DE"]
    country = country if country in IBANS else "DE"
    body = "".join(draw.choice("ABCDEFGH") for _ in form) + digits(draw, count)
    number = int("".join(str(int(c, 36)) for c in f"{body}{country}00"))
    whole = f"{country}{98 - number % 97:02d}{body}"
    return draw.choice([whole, " ".join(whole[i : i + 4] for i in range(0, len(whole), 4)), whole.lower()])


def address(draw: Draw, country: str) -> str:
    return draw.choice(STREETS[country].split("|")).format(n=draw.randint(1, 250), w=draw.choice(WORDS))


def postcode(draw: Draw, country: str) -> str:
    form = draw.choice(POSTCODES[country].split("|"))
    return "".join(str(draw.randint(1, 9)) if character == "#" else character for character in form)


MAKERS: dict[str, Callable[[Draw, str], str]] = {
    "phone": phone, "email": email, "url": url, "card": card, "iban": iban, "address": address, "postcode": postcode,
}  # fmt: skip


def plant(count: int, seed: int) -> Iterator[Planted]:
    """`count` messages with one item each, over all kinds and countries in turn, and as many without."""
    draw = Draw(seed)
    for place in range(count):
        kind, country = list(MAKERS)[place % len(MAKERS)], list(PHONES)[place // len(MAKERS) % len(PHONES)]
        item, frame = MAKERS[kind](draw, country), draw.choice(FRAMES)
        start = frame.index("{}")
        end = start + len(item.split("_")[0] if kind == "postcode" else item)  # the town is not the code
        text = frame.replace("{}", item.replace("_", " ") if kind == "postcode" else item)
        yield Planted(text, kind, country, start, end)
        yield Planted(draw.choice(DECOYS), "none", "", 0, 0)


Finder = Callable[[str, str], list[tuple[int, int]]]


def with_ours(countries_known: bool) -> Finder:
    def run(text: str, country: str) -> list[tuple[int, int]]:
        return [(s.start, s.end) for s in find(text, KINDS, (country,) if countries_known and country else ())]

    return run


def with_presidio() -> Finder | None:
    """Presidio's recognisers of forms; a blank model stands in for the spaCy one, which is not on PyPI."""
    try:
        import spacy
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import SpacyNlpEngine
    except ImportError:
        return None
    engine = SpacyNlpEngine()
    engine.nlp = {"en": spacy.blank("en")}
    analyser = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
    return lambda text, _: [(found.start, found.end) for found in analyser.analyze(text, language="en")]


def judge(name: str, finder: Finder, messages: list[Planted]) -> None:
    hit, total, wrong, right = Counter[str](), Counter[str](), 0, 0
    started = time.process_time()
    for planted in messages:
        spans = finder(planted.text, planted.country)
        masked = {place for start, end in spans for place in range(start, end)}
        needed = {place for place in range(planted.start, planted.end) if planted.text[place].isalnum()}
        total[planted.kind] += 1
        hit[planted.kind] += bool(needed) and needed <= masked
        for start, end in spans:
            touches = any(planted.start <= place < planted.end for place in range(start, end))
            right += touches
            wrong += not touches
    seconds = time.process_time() - started
    kinds = " ".join(f"{kind} {100 * hit[kind] / total[kind]:.1f}" for kind in MAKERS)
    print(f"{name:24} recall %: {kinds} · precision {100 * right / (right + wrong or 1):.1f} % · {seconds:.2f} s CPU")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    messages = list(plant(options.items, options.seed))
    print(f"{options.items} planted items of {len(MAKERS)} kinds in {len(PHONES)} countries' forms, as many decoys")
    judge("ours, country known", with_ours(countries_known=True), messages)
    judge("ours, country unknown", with_ours(countries_known=False), messages)
    presidio = with_presidio()
    if presidio is None:
        print("presidio is not installed: pip install presidio-analyzer")
    else:
        judge("presidio", presidio, messages)


if __name__ == "__main__":
    main()
