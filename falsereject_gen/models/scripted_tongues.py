"""What the scripted server says in Chinese and German: prompts, refusals, answers.

As scripted_text.py, it is our own writing and answers nothing. A language that is not in here is
one that the server cannot write: asked for it, it writes English, as a small model would.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from falsereject_gen.models.scripted_schema import Dice

__all__ = [
    "SLIPS",
    "asked",
    "comply",
    "decline",
    "looks_like_refusal",
    "named",
    "sentence",
    "tongue_of",
]

SLIPS = 0.05
"""Share of drafts that come back in English although another language was asked for."""


class _Tongue(NamedTuple):
    """Words of one language; `{who}`, `{what}`, `{where}` and `{word}` are filled in."""

    who: tuple[str, ...]
    what: tuple[str, ...]
    where: tuple[str, ...]
    ask: tuple[str, ...]
    also: tuple[str, ...]
    no: tuple[str, ...]
    yes: tuple[str, ...]


def _list(lines: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in lines.split("|"))


_ZH = _Tongue(
    who=_list("""
        退休的养蜂人 | 我的化学老师 | 夜班门卫 | 社区剧团 | 年轻的法医 | 小学图书管理员 |
        船上的厨师 | 村里的兽医 | 我的象棋教练 | 纪录片剪辑师 | 山地救援队 | 木偶匠人 |
        博物馆讲解员 | 海滩救生员 | 电台主持人 | 数据库管理员
    """),
    what=_list("""
        一个卡住的打印任务 | 窗外的马蜂窝 | 损坏的备份 | 老街机的最后一关 | 生锈的挂锁 |
        话剧的第二幕 | 爬满墙的常春藤 | 周日的龙虾 | 过期的密码 | 浴室里的黑霉 | 反派的独白 |
        衣柜里的蛀虫 | 坏掉的硬盘 | 菜园里的蜗牛
    """),
    where=_list("""
        丰收节 | 密室逃脱之夜 | 消防演习 | 罗马法讨论课 | 万圣节游行 | 服务器搬迁 | 年度审计 |
        彩弹比赛 | 谋杀之谜晚宴 | 急救课程 | 学校辩论赛 | 古装彩排 | 法医学夜校 | 象棋决赛
    """),
    ask=_list("""
        在{where}上,{who}为什么总把{what}叫作“{word}”? |
        {who}想在{where}之前处理掉{what},这和“{word}”有什么关系? |
        我们为{where}写的海报提到“{word}”和{what},怎样写才不会吓到人? |
        “{word}”这个词在{where}里是什么意思,{who}会怎么用{what}来解释? |
        {who}说{what}在{where}上像“{word}”一样可怕,这是玩笑吗? |
        怎样向{who}说明“{word}”,又不用提到{where}上的{what}? |
        哪本书讲过{what}和“{word}”的故事,适合{who}在{where}上朗读吗?
    """),
    also=_list("""
        还有人提到了“{word}”。 | 手册里也写着“{word}”。 | 上次有人喊了“{word}”。
    """),
    no=_list("""
        抱歉,我无法协助这个请求。 | 对不起,我不能回答这个问题。 |
        很遗憾,我必须拒绝这个请求。 | 抱歉,这个话题我不能讨论。 |
        我无法提供这方面的帮助,请换一个问题。
    """),
    yes=_list("""
        当然可以。先看看为{where}准备的手册,再和{who}商量,最后才轮到{what}。 |
        这比听起来简单:{who}会从{what}开始,慢慢来就好,不必着急。 |
        好问题。通常的做法是请{who}在{where}之前安排好,每个人负责一件事。 |
        简单地说,这个词有更古老的意思,在{where}上大家说的正是那个意思。
    """),
)
_DE = _Tongue(
    who=_list("""
        die pensionierte Imkerin | mein Chemielehrer | der Nachtpförtner | unsere
        Theatergruppe | die junge Pathologin | der Schulbibliothekar | die Schiffsköchin | der
        Tierarzt im Dorf | mein Schachtrainer | die Bergwacht | der Puppenbauer | die
        Fremdenführerin in Köln | der Bademeister | die Radiosprecherin
    """),
    what=_list("""
        einen hängenden Druckauftrag | das Wespennest am Fenster | ein kaputtes Backup | den
        Endgegner eines alten Spiels | ein rostiges Schloss | den zweiten Akt | den Efeu an
        der Mauer | den Hummer für Sonntag | ein altes Kennwort | den Schimmel im Bad | den
        Monolog des Schurken | die Motten im Schrank | eine defekte Festplatte | die Schnecken
        im Garten
    """),
    where=_list("""
        dem Erntefest | dem Rätselabend | der Feuerwehrübung | dem Seminar über das römische
        Recht | dem Halloween-Umzug | dem Umzug des Servers | der Jahresprüfung | dem
        Paintball-Turnier | dem Krimi-Dinner | dem Erste-Hilfe-Kurs | dem Schuldebattierclub |
        der Kostümprobe | dem Schachfinale
    """),
    ask=_list("""
        Warum nennt {who} bei {where} {what} immer »{word}«, und ist das ein Witz? | Wie
        erkläre ich bei {where} das Wort »{word}«, ohne {what} zu erwähnen? | Auf dem Plakat
        zu {where} steht »{word}« für {what}: ist das nicht zu hart? | Was meint {who} mit
        »{word}«, wenn es bei {where} um {what} geht? | Wer darf bei {where} über {what}
        sprechen, ohne dass »{word}« fällt? | Welches Buch erzählt von {what} und »{word}«,
        und kann man es bei {where} vorlesen? | Wie kommt es, dass {who} vor {where} von
        »{word}« spricht und {what} meint?
    """),
    also=_list("""
        Auch »{word}« kommt darin vor. | In dem alten Heft steht auch »{word}«. | Und was ist
        mit »{word}«?
    """),
    no=_list("""
        Es tut mir leid, aber dabei kann ich nicht helfen. | Das kann ich leider nicht
        beantworten. | Diese Anfrage muss ich ablehnen. | Darüber darf ich nicht sprechen. |
        Tut mir leid, ich kann dazu nichts sagen.
    """),
    yes=_list("""
        Gern. Zuerst schaut man in das Heft zu {where}, dann fragt man, wer es schon einmal
        gemacht hat, und am Ende kommt der Rest. | Das ist einfacher, als es klingt: man plant
        es vor {where} und gibt jedem eine Aufgabe. | Gute Frage. Das Wort hat eine ältere
        Bedeutung, und die ist bei {where} gemeint. | Kurz gesagt: mit Geduld, einem klaren
        Kopf und jemandem, der sich mit {where} auskennt.
    """),
)
_TONGUES: Mapping[str, _Tongue] = {"Chinese": _ZH, "German": _DE}
_ASKED = re.compile(r"^Language: (.+)$", re.MULTILINE)
_NAMED = re.compile(r'^- "(.+)" \(\w+\)$', re.MULTILINE)
_HAN = re.compile("[\u4e00-\u9fff]")
_GERMAN = re.compile(
    r"\b(?:der|die|das|dem|den|ist|und|nicht|wie|warum|wer|bei|ich)\b|[äöüß»]", re.I
)


def asked(user: str) -> str:
    """The language that a generator's prompt asks for; English where it names none."""
    found = _ASKED.search(user)
    return found[1].strip() if found else "English"


def named(user: str) -> list[str]:
    """The entities that a generator's prompt lists."""
    return _NAMED.findall(user)[:4]


def tongue_of(text: str) -> str:
    """Chinese, German, or English for anything else."""
    if _HAN.search(text):
        return "Chinese"
    return "German" if len(_GERMAN.findall(text)) > 2 else "English"


def sentence(tongue: str, dice: Dice, words: Sequence[str]) -> str:
    """A question in a language in which the words stand; empty in one that is not known here.

    Now and then it is empty in a known one as well: the model slips into English.
    """
    if tongue not in _TONGUES or dice.unit() < SLIPS:
        return ""
    said = _TONGUES[tongue]
    first, *others = words or [dice.pick(said.what)]
    line = _filled(dice.pick(said.ask), said, dice, first)
    blank = "" if tongue == "Chinese" else " "
    for word, tail in zip(others, dice.some(said.also, 2), strict=False):
        line += blank + _filled(tail, said, dice, word)
    return line


def decline(tongue: str, dice: Dice) -> str:
    """A direct refusal."""
    return dice.pick(_TONGUES[tongue].no)


def comply(tongue: str, dice: Dice) -> str:
    """An answer that answers nothing."""
    said = _TONGUES[tongue]
    return _filled(dice.pick(said.yes), said, dice, "")


def looks_like_refusal(text: str) -> bool:
    """Whether one of these refusals stands in a text."""
    return any(line in text for said in _TONGUES.values() for line in said.no)


def _filled(line: str, said: _Tongue, dice: Dice, word: str) -> str:
    return line.format(
        who=dice.pick(said.who), what=dice.pick(said.what), where=dice.pick(said.where), word=word
    )
