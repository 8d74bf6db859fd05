"""A made-up group chat of many people, languages and scripts, the same at every call."""

# ruff: noqa: E501  (East Asian characters count as two)

import random
from datetime import datetime, timedelta

__all__ = ["PEOPLE", "export_text"]

SPOKEN = {
    "en": [
        "are we still on for Saturday", "haha no way 😂", "I can bring the tent", "who has the tickets?",
        "running late, start without me", "that was the best trip ever ❤️", "ok sounds good", "what time does the train leave?",
        "lol I forgot my keys again", "Happy birthday 🎂🎉", "see https://example.org/map for the way", "no worries!",
        "the weather looks awful for the weekend", "anyone up for dinner tonight?", "I'll book a table for eight",
    ],
    "hi": [
        "कल कितने बजे मिलना है?", "बहुत बढ़िया 👏", "मैं थोड़ी देर से आऊँगा", "हाहा सही कहा 😂", "जन्मदिन की बहुत बहुत शुभकामनाएँ 🎂",
        "खाना कौन ला रहा है?", "ठीक है, स्टेशन पर मिलते हैं", "आज बारिश हो रही है ☔", "मुझे फोटो भेज देना", "नमस्ते सबको 🙏",
        "टिकट किसके पास हैं?", "घर पहुँचकर बताना", "यह बहुत मज़ेदार था",
    ],
    "ar": [
        "صباح الخير يا جماعة", "متى نلتقي غدا؟", "ههههه والله صحيح 😂", "أنا في الطريق الآن", "شكرا جزيلا لكم جميعا ❤️",
        "من سيحضر الطعام؟", "الجو جميل اليوم", "كل عام وأنتم بخير 🎉", "إن شاء الله سأكون هناك", "أرسل لي الصور من فضلك",
        "القطار يتأخر كالعادة", "سأحجز طاولة للعشاء",
    ],
    "ja": [
        "おはようございます", "明日は何時に集まりますか？", "了解です👍", "それは面白いですね笑", "電車が少し遅れています", "写真を送ってください📷",
        "誕生日おめでとう🎂", "晩ご飯は何にしようか", "切符は誰が持っていますか？", "今日は雨ですね☔", "とても楽しかったです", "お疲れさまでした🙇",
    ],
    "de": [
        "wann treffen wir uns morgen?", "haha das war klar 😄", "ich bringe den Kuchen mit", "wer holt die Karten ab?",
        "bin gleich da, fangt schon mal an", "das Wetter soll schlecht werden", "Guten Morgen zusammen", "vielen Dank euch allen",
    ],
}  # fmt: skip
NAMES = {
    "en": ["Alice", "Ben 🚲", "Chloe Martin", "~ Dave", "+44 7700 900123", "Ella", "Frank", "Grace", "Harry", "Isla", "Jack"],
    "hi": ["आदित्य", "प्रिया शर्मा", "राहुल", "कविता", "Neha", "Vikram", "सीमा", "अर्जुन", "Meera", "रोहन"],
    "ar": ["أحمد", "فاطمة الزهراء", "يوسف", "ليلى", "خالد", "مريم", "Omar", "نور", "سارة", "حسن"],
    "ja": ["田中さん", "さくら", "健太", "ゆき", "佐藤 花子", "翔太", "Aiko", "大輔", "美咲", "蓮"],
    "de": ["Jürgen", "Anna-Lena", "Max", "Sophie", "Lukas", "Karin", "Björn", "Heike", "Tom"],
}  # fmt: skip
PEOPLE = [(name, language) for language, names in NAMES.items() for name in names]


def export_text(messages: int = 6000, seed: int = 7) -> str:
    """An iPhone's export of the group: some people write much and most little; media, edits and deletions among it."""
    dice = random.Random(seed)
    people = PEOPLE[:]
    dice.shuffle(people)
    weights = [1 / (rank + 1) ** 0.8 for rank in range(len(people))]
    now, last = datetime(2023, 1, 14, 9, 0, 0), people[0]
    lines = ["[14.01.23, 09:00:00] Weekend hikers: \u200eMessages and calls are end-to-end encrypted."]
    for _ in range(messages):
        night = now.hour >= 23 or now.hour < 7
        now += timedelta(
            seconds=dice.expovariate(1 / 70)
            if dice.random() < (0.5 if night else 0.93)
            else dice.expovariate(1 / 65000)
        )
        if dice.random() > 0.3:
            friends = [
                place for place, (_, language) in enumerate(people) if language == last[1] and dice.random() < 0.8
            ]
            place = (
                dice.choice(friends)
                if friends and dice.random() < 0.45
                else dice.choices(range(len(people)), weights)[0]
            )
            last = people[place]
        name, language = last
        text = dice.choice(SPOKEN[language])
        if dice.random() < 0.35:
            text += " " + dice.choice(SPOKEN[language])
        kind = dice.random()
        if kind < 0.05:
            text = "\u200eimage omitted"
        elif kind < 0.06:
            text = "\u200eThis message was deleted."
        elif kind < 0.07:
            text += " \u200e<This message was edited>"
        mark = "\u200e" if text.startswith("\u200e") else ""
        lines.append(f"{mark}[{now:%d.%m.%y, %H:%M:%S}] {name}: {text}")
    return "\r\n".join(lines) + "\r\n"
