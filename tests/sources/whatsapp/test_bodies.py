"""What each message is: a person's text, or one of the things that the app writes, in any of its languages."""
# ruff: noqa: E501 (a table of bodies, one a line)

import pytest

from pipeline.messages import people
from pipeline.sources import parse
from pipeline.sources.whatsapp.kinds import phrases

L = "\u200e"

# body -> sender kept, text, kind, attachment, edited, detail
IOS = [
    (f"{L}Messages and calls are end-to-end encrypted.", False, "Messages and calls are end-to-end encrypted.", "system", None, False, "encrypted"),
    (f"{L}Rudi added you", False, "Rudi added you", "system", None, False, "added"),
    (f"{L}Ann left", False, "Ann left", "system", None, False, "left"),
    (f"{L}Ann changed the subject from “A” to “B: C”", False, "Ann changed the subject from “A” to “B: C”", "system", None, False, "renamed"),
    (f"{L}~ Tom joined using this group's invite link", False, "~ Tom joined using this group's invite link", "system", None, False, "joined"),
    (f"{L}Ann changed this group’s icon", False, "Ann changed this group’s icon", "system", None, False, "icon"),
    (f"{L}Your security code with Ann changed. Tap to learn more.", False, "Your security code with Ann changed. Tap to learn more.", "system", None, False, "security_code"),
    (f"{L}Ann changed their phone number to a new number. {L}Tap to message or add the new number.", False, f"Ann changed their phone number to a new number. {L}Tap to message or add the new number.", "system", None, False, "number_changed"),
    (f"{L}<attached: 00000012-PHOTO-2024-03-20-21-16-42.jpg>", True, "<attached: 00000012-PHOTO-2024-03-20-21-16-42.jpg>", "media", "00000012-PHOTO-2024-03-20-21-16-42.jpg", False, "image"),
    (f"{L}{L}<attached: {L}PTT-20180129-WA0025.opus>", True, f"<attached: {L}PTT-20180129-WA0025.opus>", "media", "PTT-20180129-WA0025.opus", False, "audio"),
    (f"look {L}<attached: 1-VIDEO.mp4>", True, f"look {L}<attached: 1-VIDEO.mp4>", "media", "1-VIDEO.mp4", False, "video"),
    (f"{L}Plan.pdf • {L}2 pages {L}<attached: 3-Plan.pdf>", True, f"Plan.pdf • {L}2 pages {L}<attached: 3-Plan.pdf>", "media", "3-Plan.pdf", False, "document"),
    (f"{L}Plan.pdf • {L}2 pages {L}document omitted", True, f"Plan.pdf • {L}2 pages {L}document omitted", "media", None, False, "document"),
    (f"{L}<attached: 4-Bob.vcf>", True, "<attached: 4-Bob.vcf>", "contact", "4-Bob.vcf", False, None),
    (f"{L}image omitted", True, "image omitted", "media", None, False, "image"),
    (f"{L}GIF omitted", True, "GIF omitted", "media", None, False, "gif"),
    (f"{L}sticker omitted", True, "sticker omitted", "media", None, False, "sticker"),
    (f"{L}Contact card omitted", True, "Contact card omitted", "contact", None, False, None),
    (f"see {L}image omitted", True, f"see {L}image omitted", "media", None, False, "image"),
    (f"better now {L}<This message was edited>", True, "better now", "text", None, True, None),
    (f"look {L}image omitted {L}<This message was edited>", True, f"look {L}image omitted", "media", None, True, "image"),
    (f"{L}Ann left {L}<This message was edited>", True, "Ann left", "text", None, True, None),
    (f"{L}This message was deleted.", True, "This message was deleted.", "deleted", None, False, None),
    (f"{L}You deleted this message.", True, "You deleted this message.", "deleted", None, False, None),
    (f"{L}Missed voice call", True, "Missed voice call", "call", None, False, None),
    (f"{L}Video call, {L}3 min", True, f"Video call, {L}3 min", "call", None, False, None),
    (f"{L}Missed voice call, {L}Tap to call back", True, f"Missed voice call, {L}Tap to call back", "call", None, False, None),
    (f"{L}Verpasster Sprachanruf, {L}Zum Zurückrufen tippen", True, f"Verpasster Sprachanruf, {L}Zum Zurückrufen tippen", "call", None, False, None),
    (f"{L}Ligação de voz, {L}Não atendida", True, f"Ligação de voz, {L}Não atendida", "call", None, False, None),
    (f"{L}Voice call", True, "Voice call", "call", None, False, None),
    (f"{L}Ann started a call", False, "Ann started a call", "system", None, False, "call"),
    (f"{L}View once voice message omitted", True, "View once voice message omitted", "media", None, False, "view_once"),
    (f"{L}Standort: https://maps.google.com/?q=52.5,13.4", True, "Standort: https://maps.google.com/?q=52.5,13.4", "location", None, False, None),
    (f"{L}ENCUESTA:\n¿Hoy?\n{L}OPCIÓN: Sí ({L}2 votos)", True, f"ENCUESTA:\n¿Hoy?\n{L}OPCIÓN: Sí ({L}2 votos)", "poll", None, False, None),
    (f"{L}Location: https://maps.google.com/?q=52.5,13.4", True, "Location: https://maps.google.com/?q=52.5,13.4", "location", None, False, None),
    (f"{L}POLL:\nWhere?\n{L}OPTION: here ({L}3 votes)", True, f"POLL:\nWhere?\n{L}OPTION: here ({L}3 votes)", "poll", None, False, None),
    (f"{L}Waiting for this message. This may take a while.", True, "Waiting for this message. This may take a while.", "media", None, False, "unavailable"),
    ("Bob left, and Cy added me", True, "Bob left, and Cy added me", "text", None, False, None),
    ("I changed the subject from “A” to “B: C”", True, "I changed the subject from “A” to “B: C”", "text", None, False, None),
    ("https://maps.google.com/?q=52.5,13.4", True, "https://maps.google.com/?q=52.5,13.4", "text", None, False, None),
    ("a: b: c", True, "a: b: c", "text", None, False, None),
    ("hi @\u2068Rudi\u2069 👩🏽‍🚀 ﬁ ½", True, "hi @\u2068Rudi\u2069 👩🏽‍🚀 ﬁ ½", "text", None, False, None),
    ("  two spaces, a tab\t and one at the end ", True, "  two spaces, a tab\t and one at the end ", "text", None, False, None),
]  # fmt: skip

ANDROID = [
    ("<Media omitted>", True, "<Media omitted>", "media", None, False, None),
    ("<Media omitted>\nwith a caption", True, "<Media omitted>\nwith a caption", "media", None, False, None),
    (f"{L}IMG-20240320-WA0001.jpg (file attached)", True, "IMG-20240320-WA0001.jpg (file attached)", "media", "IMG-20240320-WA0001.jpg", False, "image"),
    ("IMG-20240320-WA0001.jpg (file attached)\na caption (really)", True, "IMG-20240320-WA0001.jpg (file attached)\na caption (really)", "media", "IMG-20240320-WA0001.jpg", False, "image"),
    ("STK-20240320-WA0001.webp (file attached)", True, "STK-20240320-WA0001.webp (file attached)", "media", "STK-20240320-WA0001.webp", False, "sticker"),
    ("Bob Smith.vcf (file attached)", True, "Bob Smith.vcf (file attached)", "contact", "Bob Smith.vcf", False, None),
    ("Plan v2.1 (final).pdf (Datei angehängt)", True, "Plan v2.1 (final).pdf (Datei angehängt)", "media", "Plan v2.1 (final).pdf", False, "document"),
    ("This message was deleted", True, "This message was deleted", "deleted", None, False, None),
    ("hello <This message was edited>", True, "hello", "text", None, True, None),
    ("hello <Diese Nachricht wurde bearbeitet.>", True, "hello", "text", None, True, None),
    ("location: https://maps.google.com/?q=52.5,13.4", True, "location: https://maps.google.com/?q=52.5,13.4", "location", None, False, None),
    ("live location shared", True, "live location shared", "location", None, False, None),
    ("POLL:\nWhere?\nOPTION: here (3 votes)", True, "POLL:\nWhere?\nOPTION: here (3 votes)", "poll", None, False, None),
    ("Missed voice call", True, "Missed voice call", "call", None, False, None),
    ("Cy left (finally)", True, "Cy left (finally)", "text", None, False, None),
    ("I added Bob", True, "I added Bob", "text", None, False, None),
    ("<3", True, "<3", "text", None, False, None),
    ("is 3 <4 or >2?", True, "is 3 <4 or >2?", "text", None, False, None),
    ("image omitted", True, "image omitted", "text", None, False, None),
    ("POLL: who is coming?", True, "POLL: who is coming?", "text", None, False, None),
    ("Voice call", True, "Voice call", "text", None, False, None),
    ("Voice call, 3 pm?", True, "Voice call, 3 pm?", "text", None, False, None),
    ("This message was deleted, I think", True, "This message was deleted, I think", "text", None, False, None),
    ("home: https://example.org/maps", True, "home: https://example.org/maps", "text", None, False, None),
    ("a\u2028b\x0bc\x85d", True, "a\u2028b\x0bc\x85d", "text", None, False, None),
    ("notes.txt (see page 2)", True, "notes.txt (see page 2)", "text", None, False, None),
    ("", True, "", "text", None, False, None),
]  # fmt: skip


@pytest.mark.parametrize(("body", "named", "text", "kind", "attachment", "edited", "detail"), IOS)
def test_bodies_on_ios(
    body: str, named: bool, text: str, kind: str, attachment: str, edited: bool, detail: str
) -> None:
    around = f"[20.03.24, 21:16:41] Ann: {L}image omitted\r\n[20.03.24, 21:16:41] Ann: hello\r\n"
    messages, _ = parse(f"{around}[20.03.24, 21:16:42] Ann: {body}\r\n{around}")
    row = messages.row(2, named=True)
    assert (row["sender"], row["text"], row["kind"]) == ("Ann" if named else None, text, kind)
    assert (row["attachment"], row["edited"], row["detail"]) == (attachment, edited, detail)


@pytest.mark.parametrize(("body", "named", "text", "kind", "attachment", "edited", "detail"), ANDROID)
def test_bodies_on_android(
    body: str, named: bool, text: str, kind: str, attachment: str, edited: bool, detail: str
) -> None:
    messages, _ = parse(f"20/03/2024, 21:15 - Bob: hi\n20/03/2024, 21:16 - Ann: {body}\n20/03/2024, 21:17 - Bob: ok\n")
    row = messages.row(1, named=True)
    assert (row["sender"], row["text"], row["kind"]) == ("Ann" if named else None, text, kind)
    assert (row["attachment"], row["edited"], row["detail"]) == (attachment, edited, detail)


SYSTEM = [
    ("Messages and calls are end-to-end encrypted. Tap to learn more.", "encrypted"),
    ('You created group "X"', "group_created"),
    ("You created group “Trip: 2024”", "group_created"),
    ("Alice changed the subject from “A” to “B: C”", "renamed"),
    ("Alice: the boss added Bob", None),  # a person's message
    ("Alice added Bob", "added"),
    ("Alice left", "left"),
    ("+49 170 1234567 joined using this group's invite link", "joined"),
    ("Your security code with Bob: work changed. Tap to learn more.", "security_code"),
    ("Alice hat die Gruppe „X: Y“ erstellt", "group_created"),
    ("Alice hat den Betreff von „A“ zu „B: C“ geändert", "renamed"),
    ("Alice cambió el asunto de “A” a “B: C”", "renamed"),
    ("Alice a changé l’objet de « A » à « B : C »", "renamed"),
    ("Alice mudou o nome do grupo de “A” para “B: C”", "renamed"),
    ("Alice ha cambiato l'oggetto da “A” a “B: C”", "renamed"),
    ("Alice heeft het onderwerp gewijzigd van “A” naar “B: C”", "renamed"),
    ("Alice изменил(-а) тему с «A» на «B: C»", "renamed"),
    ("Alice zmieniła temat z „A” na „B: C”", "renamed"),
    ("Aliceがグループ名を「A」から「B: C」に変更しました", "renamed"),
    ("Alice将主题从“A”更改为“B: C”", "renamed"),
    ("Alice님이 제목을 “A”에서 “B: C”(으)로 변경했습니다", "renamed"),
    ("Alice mengubah subjek dari “A” menjadi “B: C”", "renamed"),
    ("Alice, konuyu “A” iken “B: C” olarak değiştirdi", "renamed"),
    ("قام Alice بتغيير الموضوع من “A” إلى “B: C”", "renamed"),
    (
        "Messages and calls are end-to-end encrypted. Only people in this chat can read, listen to, or share them. Learn more.",
        "encrypted",
    ),
    (
        "Alice turned on disappearing messages. New messages will disappear from this chat 24 hours after they're sent, except when kept. Tap to change.",
        "disappearing",
    ),
    ("Alice pinned a message", "pinned"),
    ("+49 170 1234567 changed to +49 170 7654321", "number_changed"),
    ("This group was added to the community “Village: north”. Tap to learn more.", "community"),
    ("Diese Gruppe wurde zur Community „Dorf: Nord“ hinzugefügt", "community"),
    ("This business uses a secure service from Meta to manage this chat. Tap to learn more.", "business"),
    ("You created a broadcast list with 3 recipients", "group_created"),
    ("Deine Sicherheitsnummer für Ben: Arbeit hat sich geändert. Tippe, um mehr zu erfahren.", "security_code"),
    ("您和 Ben: 工作 的安全代码已更改。点按以了解更多。", "security_code"),
    ("Je hebt de groep ‘A: b’ gemaakt", "group_created"),
    ("Alice a créé la communauté « Village : nord »", "community"),
    ("Alice sagte „so: nicht“ und ging", "unknown"),  # of no table, but no name opens a quotation
]


@pytest.mark.parametrize(("line", "detail"), SYSTEM)
def test_system_lines_of_android_have_no_sender(line: str, detail: str | None) -> None:
    messages, _ = parse(f"20/03/2024, 21:15 - Ann: hi\n20/03/2024, 21:16 - {line}\n20/03/2024, 21:17 - Ann: ok\n")
    row = messages.row(1, named=True)
    if detail is None:
        assert (row["sender"], row["text"], row["kind"]) == ("Alice", line.removeprefix("Alice: "), "text")
    else:
        detail = None if detail == "unknown" else detail
        assert (row["sender"], row["text"], row["kind"], row["detail"]) == (None, line, "system", detail)


LANGUAGES = ["en", "es", "pt", "fr", "de", "it", "nl", "tr", "ru", "uk", "pl", "ar", "fa", "he", "hi", "id", "ja", "ko", "zh", "vi", "th"]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_on_both_phones(language: str) -> None:
    words = phrases()[language]
    ios = [(words[key][0], "media") for key in ("image", "video", "audio", "sticker", "document")]
    ios += [(words["contact"][0], "contact"), (words["deleted"][0], "deleted"), (words["call"][0], "call")]
    text = "".join(f"[20.03.24, 21:16:42] Ann: {L}{body}\r\n" for body, _ in ios) + "[20.03.24, 21:16:43] Ann: hi\r\n"
    messages, layout = parse(text)
    assert messages["kind"].to_list() == [*(kind for _, kind in ios), "text"]
    assert set(messages["sender"]) == {"Ann"}
    assert layout.language == language
    android = [
        (f"<{words['media'][0]}>", "media"),
        (words["deleted"][0], "deleted"),
        (f"IMG-20240320-WA0001.jpg ({words['file_attached'][0]})", "media"),
        (words["call"][0], "call"),
    ]
    messages, _ = parse("".join(f"20/03/2024, 21:16 - Ann: {body}\n" for body, _ in android))
    assert messages["kind"].to_list() == [kind for _, kind in android]
    assert messages["attachment"].to_list()[2] == "IMG-20240320-WA0001.jpg"


def test_a_language_of_no_table() -> None:
    line = f"[20.03.24, 21:16:42] Ann: {L}mynd sleppt\r\n[20.03.24, 21:16:42] Ann: hæ\r\n"
    messages, _ = parse(f"[20.03.24, 21:16:41] Hópur: {L}Ann bætti þér við\r\n" + line)
    assert messages.select("sender", "kind").rows() == [(None, "system"), ("Ann", "media"), ("Ann", "text")]
    messages, _ = parse("20/03/2024, 21:16 - Ann: <Efni sleppt>\n" * 3 + "20/03/2024, 21:16 - Ann: <ha ha>\n")
    assert messages["kind"].to_list() == ["media"] * 3 + ["text"]


NAMES = ["~ Tom", "~\u202fTom", "+49 170 1234567", "Anna 🌻", "Dr. O'Neil-Šmíd (work)", "أحمد", "李雷", "You", "Bob #2"]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_kept_as_written(name: str) -> None:
    for header in ("[20.03.24, 21:16:42]", "20/03/2024, 21:16 -"):
        messages, _ = parse(f"{header} {name}: hi\n{header} Ann: ok\n")
        assert messages["sender"].to_list() == [name, "Ann"]


def test_direction_marks_around_a_name_are_not_part_of_it() -> None:
    messages, _ = parse("[20.03.24, 21:16:42] \u202a+49 170 1234567\u202c: hi\n[20.03.24, 21:16:42] \u200eAnn: hi\n")
    assert people(messages) == ["+49 170 1234567", "Ann"]


def test_a_name_with_a_colon() -> None:
    header = "20/03/2024, 21:16 -"
    text = f"{header} Work: Ann: hello\n{header} Bob: a: b\n{header} Work: Ann: bye\n{header} Bob: yes\n"
    messages, _ = parse(text)
    assert messages.select("sender", "text").rows() == [
        ("Work: Ann", "hello"), ("Bob", "a: b"), ("Work: Ann", "bye"), ("Bob", "yes"),
    ]  # fmt: skip


def test_a_name_with_a_colon_that_writes_once_is_known_from_a_line_of_the_app() -> None:
    header = "20/03/2024, 21:16 -"
    messages, _ = parse(f"{header} You added Work: Ann\n{header} Work: Ann: hello\n{header} Bob: Ann: hello\n")
    assert messages.select("sender", "text").rows() == [
        (None, "You added Work: Ann"), ("Work: Ann", "hello"), ("Bob", "Ann: hello"),
    ]  # fmt: skip


def test_empty_bodies() -> None:
    messages, _ = parse("[20.03.24, 21:16:42] Ann:\n[20.03.24, 21:16:43] Ann: \n[20.03.24, 21:16:44] Ann: \nx\n")
    assert messages.select("sender", "text").rows() == [("Ann", ""), ("Ann", ""), ("Ann", "\nx")]


def test_a_system_line_about_a_name_with_a_colon() -> None:
    header = "20/03/2024, 21:16 -"
    text = f"{header} Work: Ann joined using this group's invite link\n{header} Work: Ann: a\n{header} Work: Ann: b\n"
    messages, _ = parse(text + f"{header} Work: Ann left\n")
    assert messages["sender"].to_list() == [None, "Work: Ann", "Work: Ann", None]
    assert messages["text"].to_list() == ["Work: Ann joined using this group's invite link", "a", "b", "Work: Ann left"]


def test_what_android_leaves_of_a_photo_to_be_seen_once() -> None:
    messages, _ = parse("20/03/2024, 21:16 - Ann: null\n20/03/2024, 21:16 - Ann: null and void\n")
    assert messages.select("text", "kind", "detail").rows() == [
        ("null", "media", "view_once"),
        ("null and void", "text", None),
    ]


def test_an_old_ios_attachment() -> None:
    messages, _ = parse(f"[20.03.14, 21:16:42] Ann: {L}2014-03-20-PHOTO-00000017.jpg <{L}attached>\n")
    assert messages.select("kind", "attachment").rows() == [("media", "2014-03-20-PHOTO-00000017.jpg")]


def test_hearts_and_words_that_share_a_byte_with_brackets_are_text() -> None:
    for text in ("❤️ you", "так", "‹quoted› it", "❤", "к"):
        messages, _ = parse(f"20/03/2024, 21:16 - Ann: {text}\n")
        assert messages.select("text", "kind").rows() == [(text, "text")]
