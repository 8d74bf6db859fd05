"""Words that every speaker of a language uses: set aside where people are told apart by theirs."""

__all__ = ["STOP_WORDS"]

ENGLISH = (
    "a about after all also am an and any are aren't as at back be because been before being but by can can't "
    "come could did didn't do does doesn't don't even for from get go going good got had has have haven't he he's "
    "her here him his how i i'd i'll i'm i've if im in into is isn't it it's its just know let like make me more "
    "most much my no not now of off on one only or other our out over really right said say see she she's should "
    "so some still such take than that that's the their them then there there's these they they're thing things "
    "think this those though time to too u up us very want was wasn't way we we're well were what what's when "
    "where which who why will with won't would yes yeah you you'd you'll you're your"
)
GERMAN = (
    "aber alle als also am an auch auf aus bei bin bis bist da dann das dass dem den der des dich die dir doch du "
    "ein eine einen einer einem eines er es für gut habe haben hab hast hat heute ich ihr im immer in ist ja "
    "jetzt kann kannst kein keine mal man mehr mein meine mich mir mit nach nein nicht nichts noch nur ob oder "
    "schon sehr sein sich sie sind so um und uns vom von vor war was weil wenn wer wie wieder wir wird wo zu zum "
    "zur"
)
SPANISH = (
    "a al algo así aunque bien como con cuando de del desde donde dos el él ella ellos en era eres es esa ese eso "
    "esta está están estar este esto estoy fue ha hace han hay he la las le les lo los más me mi mis mucho muy "
    "nada ni no nos o para pero por porque pues que qué quien se ser si sí sin sobre solo son soy su sus también "
    "te tengo tiene todo tu tú un una uno va vamos voy y ya yo"
)
PORTUGUESE = (
    "a ao as até bem com como da das de dele dela do dos e é ela ele eles em era essa esse está estou eu foi isso "
    "isto já la lá mais mas me meu minha muito na não nas nem no nos nós num o os ou para pra por porque pq q que "
    "quem se sem ser sim só são sua também tá te tem tenho tinha tô tudo um uma vai vc você vou"
)
FRENCH = (
    "a ai alors après au aussi avec avoir bien c'est ça ce ces cette comme d'accord dans de des donc du elle "
    "elles en encore es est et être eu fait il ils j'ai je la le les leur lui là ma mais me même mes moi mon ne "
    "non nous on ou où oui par pas peu plus pour pourquoi qu quand que qui sa sans se si son sont suis sur ta te "
    "tes toi ton tous tout très tu un une va vais vous y"
)
ITALIAN = (
    "a ad ai al alla anche bene c'è che chi ci come con cosa così da dal dei del della di dove e è ed era fa gli "
    "ha hai ho i il in io la le lei lo loro lui ma mi mia mio molto ne nel nella no noi non o per perché però più "
    "po poi qua quando quello questa questo se sei si sì sia sono su sul te ti tu tutti tutto un una va"
)
DUTCH = (
    "aan al als ben bij dan dat de den die dit doe door dus een en er gaan geen goed had heb hebben heeft hem het "
    "hier hij hoe ik in is ja je kan maar me mee met mij mijn moet na naar nee niet niks nog nu of ook om omdat "
    "op over te toch tot uit van veel voor waar was wat we wel weer wie wij wil worden zal ze zeg zich zijn zo "
    "zou"
)
TURKISH = (
    "ama ben bana beni benim bi bir biz bu bunu çok da daha de değil diye en evet gibi hayır hiç için ile iyi "
    "kadar ki mi mı mu mü ne neden niye o olarak oldu olur ona onu onun orada sana sen seni senin siz şey şimdi "
    "tamam ve var ya yok"
)
INDONESIAN = (
    "ada aja aku apa atau bisa buat dan dari deh di dia dong gak ga gue itu iya jadi juga kalau kalo kamu karena "
    "ke kita kok lagi lah lo mau nya pada sama saya sih sudah tapi tidak udah untuk ya yang yg"
)
RUSSIAN = (
    "а без бы был была были было быть в вам вас вот все всё вы где да даже для до его ее её если есть еще ещё же "
    "за и из или им их к как когда кто ли мне меня мы на надо нас не нет ни но ну о он она они от очень по под "
    "просто с сейчас со так там тебе тебя то тоже только ты у уже чего что чтобы это я"
)
HINDI = (
    "अब और अगर आज आप आपको इस इसे उस उसे एक ऐसे क्या कर करना का कि किया की कुछ के को कोई "
    "कौन क्यों गई गए गया जा जो तक तब तुम तू तो था थी थे दो न नहीं ना ने पर फिर बहुत बात "
    "भी मुझे में मेरा मेरी मेरे मैं यह ये रहा रही रहे लिए वह वो सब से हम हां हाँ ही हुआ "
    "हुई हूं हूँ है हैं हो होगा"
)
HINDI_IN_LATIN = (
    "aap abhi agar aur bhai bhi bas bata bhai bolo ek hai hain hi ho hoga hua hu hum hun ka kar kab kaise ke ki "
    "kya kyu kyun ko koi kuch main mai mera mere mein mujhe na nahi ne par phir raha rahe rahi se sab tha thi tha "
    "theek tera to toh tu tum ye yeh wo woh"
)
ARABIC = (
    "أن أنا أنت أنتي إلى إذا الى الي اللي ان انا انت انتي او أو اي أي ايش إيه ايه بس بعد "
    "بين تم ثم حتى خلاص دا دي ذلك شو عشان على علي عن عند عندي في فيه قد كان كانت كل كم "
    "كنت كيف لا لأن لازم لك لكن لم له لها لو لي ليش ليه ما مش مع من منه مو نحن هذا هذه هل "
    "هنا هو هي و ولا والله وهو يا يعني"
)
PERSIAN = (
    "از است اما اگر ام ای این با باید بر برای بعد به بود تا تو ت چی چه خوب خود در دیگه را "
    "رو شد شما فقط که من ما مثل می نه هم همه هر و یا یک یه"
)
JAPANESE = (
    "は が を に へ と で の も や か な ね よ わ だ です ます した して する ない から まで "
    "より けど でも って こと もの それ これ あれ ここ そこ そう こう どう なに 何 ので のに には "
    "では とか たい てる いる ある なる ですか ました ません だよ だね かな よね んだ"
)
CHINESE = (
    "的 了 是 我 你 他 她 它 们 我们 你们 他们 在 有 和 就 不 人 都 一 一个 上 也 很 到 说 "
    "要 去 会 着 没有 看 好 吗 吧 啊 呢 这 那 什么 怎么"
)
KOREAN = (
    "나 너 내 네 제 저 그 이 저는 나는 너는 우리 것 거 수 더 안 못 왜 뭐 좀 잘 다 또 그냥 "
    "진짜 근데 그럼 아니 응 어 음 네네"
)

WORDS = (
    ENGLISH, GERMAN, SPANISH, PORTUGUESE, FRENCH, ITALIAN, DUTCH, TURKISH, INDONESIAN, RUSSIAN, HINDI, HINDI_IN_LATIN,
    ARABIC, PERSIAN, JAPANESE, CHINESE, KOREAN,
)  # fmt: skip
# Many leave the apostrophe out.
STOP_WORDS: frozenset[str] = frozenset((text := " ".join(WORDS)).split()) | frozenset(text.replace("'", "").split())
