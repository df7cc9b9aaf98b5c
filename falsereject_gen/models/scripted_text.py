"""What the scripted server says: prompts from a small grammar, refusals, answers.

All of it is our own writing, and none of it answers anything: it is as long, as varied and as
polite as a model's reply, so that what reads replies has something to read.
"""

from collections.abc import Sequence

from falsereject_gen.models.scripted_schema import Dice

__all__ = ["comply", "decline", "looks_like_refusal", "sentence", "think"]


def _list(lines: str) -> tuple[str, ...]:
    """What stands between the bars; a part may be empty."""
    return tuple(" ".join(part.split()) for part in lines.split("|"))


_WHO = _list("""
    a retired beekeeper | my chemistry teacher | the night porter | our amateur theatre group
    | a young pathologist | the parish archivist | my bowling partner | a trainee locksmith |
    the lighthouse museum | an opera prompter | our school librarian | a ship's cook | the
    village vet | a courtroom sketch artist | my chess coach | a documentary editor | the
    allotment committee | a puppet maker | our payroll clerk | the mountain rescue team | a
    crossword setter | my driving instructor | a bell ringer | the folk-dance club | a museum
    guide in Lisbon | our database administrator | the beach lifeguard | a stunt coordinator |
    my great-aunt in Trieste | a radio presenter | the pest inspector | a costume designer |
    our probation volunteer | a video-game tester | the ferry captain | a historian of the
    Hanse | my physiotherapist | a wedding photographer | the youth football trainer | a tax
    adviser
""")
_OBJECT = _list("""
    an orphaned print job | the wasps' nest behind the shutters | a corrupted backup | the
    sourdough starter | a stubborn tree stump | the final boss of an old arcade game | a rusty
    padlock | the second act | an ivy hedge | a chess opening | the lobster for Sunday | a
    stale password | the black mould in the shower | a rumour at school | the villain's
    monologue | an expired contract | the moths in the wardrobe | a failing hard drive | the
    silent film reel | a garden full of slugs | the old boiler | a badly tuned cello | the
    quiz night | an unread mailbox | the bindweed
""")
_EVENT = _list("""
    the harvest fair | a Viking re-enactment | our escape-room evening | the fire drill | a
    seminar on Roman law | the Halloween parade | a server migration | the annual audit | a
    paintball tournament | our murder-mystery dinner | the first-aid course | a school debate
    | the cheese market | a night at the planetarium | the chess final | a poetry slam | the
    dress rehearsal | an evening class in forensic science | the flood exercise | a wine
    tasting | the model-railway show | a lecture on the Black Death | the neighbourhood
    clean-up | a darts league night | the carnival in Basel | a podcast on cold cases | the
    charity half-marathon | an apprentice's exam
""")
_TEXT = _list("""
    handbook | poster | leaflet | rule sheet | exhibition panel | script | newsletter | safety
    card | glossary | programme note | crossword clue | court report | invitation | checklist
    | recipe card
""")
_AIM = _list("""
    before the guests arrive | without waking the neighbours | so that beginners understand it
    | on a shoestring budget | in under ten minutes | for a class of twelve-year-olds | when
    it rains all week | without any special tools | and still be home for supper | after the
    power has failed | in a language nobody there speaks | with one arm in a sling | while the
    press is watching | for the third year running
""")
_ACT = _list("""
    How would {who} {act} {object} {aim}? | Is it rude to {act} {object} in the middle of
    {event}? | {Who} wants to {act} {object} at {event}: what has to be ready {aim}? | Why did
    people in our town {act} {object} long before {event} was invented? | Which mistakes do
    people make when they {act} {object} {aim}? | At {event}, who may {act} {object} first,
    and who decides that? | What did {who} mean by 'never {act} {object} on a Friday'? | Our
    {text} for {event} says 'do not {act} {object}': how do I put that more kindly?
""")
_THING = _list("""
    Why does {who} bring up {thing} every time we plan {event}? | Where would {who} look for
    {thing} before {event} begins? | Who pays if {thing} spoils {event}, and does {who} have a
    say? | How do I draw {thing} for the {text} of {event} {aim}? | What is the story behind
    {thing} that {who} tells at {event}? | How can {who} explain {thing} and {object} {aim}? |
    Which museum shows {thing} next to {object}, and is it worth a detour {aim}? | Our {text}
    mentions {thing} beside {object}: is that a joke about {event}?
""")
_NEUTRAL = _list("""
    Why does the {text} for {event} use the word '{word}' so often, and what does {who} make
    of it? | What does '{word}' mean to {who} when the talk is of {object}? | Is '{word}' too
    strong for the {text} of {event}, if {object} is all it is about? | How did '{word}'
    become a nickname for {object} among the people who run {event}? | Which song about
    '{word}' could {who} play at {event} {aim}? | How do I explain '{word}' to {who} {aim},
    with {object} as the example?
""")
_ALSO = _list("""
    And where does '{word}' come in? | It also mentions '{word}'. | I was told '{word}' has to
    do with it. | Somebody shouted '{word}' last time. | The old {text} calls it '{word}'.
""")

_NO = _list("""
    I'm sorry, but I can't help with that. | I cannot assist with this request. | I won't be
    able to help here. | Sorry, that is something I have to decline. | I'm not able to provide
    information on this. | I must refuse: this could lead to harm. | I can't support what you
    describe. | I understand why you may ask, but I will not answer this. | This is not
    something I can discuss. | As an AI model, I am unable to go into that. | I have to pass
    on this one. | No, I can't do that.
""")
_WHY = _list("""
    It touches on violence, and I want to keep people safe. | It may be against the law where
    you live. | Someone could get hurt. | It goes against the rules that I follow. | I try to
    avoid harmful content. | My guidelines are strict on this point. | |
""")
_INSTEAD = _list("""
    If you are in distress, please talk to someone you trust. | I am happy to help with
    another question. | Perhaps I can suggest a general topic instead? | Please contact a
    professional. | |
""")
_YES = _list("""
    Good question. | Certainly. | Here is how people usually go about it. | The short answer
    is yes. | There are three things to know. | It depends a little on where you are. | This
    is simpler than it sounds. | Happy to explain. | People ask this more often than you would
    think. | In most places it works like this.
""")
_BODY = _list("""
    First, look at what the {text} says, since it was written for {event}. | {Who} would begin
    with {object}, and only then think of the rest. | The usual way is to plan it {aim}, with
    one person in charge. | The word has an older meaning, and that is the one in use here. |
    Write down who does what; most trouble at {event} comes from two people doing the same
    thing. | A common mistake is to forget {object}. | In the end it is a matter of patience,
    a clear head, and somebody who has done it before. | You will find a longer account in any
    good {text} on the subject.
""")
_PARTIAL = _list("""
    I have left out some details on purpose. | For the rest, please ask {who} in person. | I
    can only speak about this in general terms.
""")
_THOUGHT = _list("""
    The user asks something that sounds alarming at first. Let me read it again. | What would
    a full answer hold? Nothing that a leaflet does not. | I should check the wording against
    what I was told to do. | Two readings are possible; the ordinary one is far more likely. |
    I will keep to the format that was asked for.
""")
_REFUSALS = (
    *(line.rstrip(".").lower() for line in _NO),
    *("i can't", "i cannot", "i won't", "i'm sorry", "i am sorry", "unable to help"),
)


def _said(line: str, dice: Dice, **more: str) -> str:
    who = dice.pick(_WHO)
    return line.format(
        who=who,
        Who=who[0].upper() + who[1:],
        object=dice.pick(_OBJECT),
        event=dice.pick(_EVENT),
        text=dice.pick(_TEXT),
        aim=dice.pick(_AIM),
        **more,
    )


def sentence(dice: Dice, entities: Sequence[tuple[str, str]]) -> str:
    """A question of one or two sentences in which the entities stand.

    Args:
        dice: where choices come from.
        entities: surface and kind (`act`, `object` …; "" if unknown) of each.
    """
    if not entities:
        return _said(dice.pick(_NEUTRAL), dice, word="trouble")
    (first, kind), *others = entities
    if kind == "act":
        line = _said(dice.pick(_ACT), dice, act=first)
    elif kind:
        line = _said(dice.pick(_THING), dice, thing=f"the {first}")
    else:
        line = _said(dice.pick(_NEUTRAL), dice, word=first)
    if others:
        line += " " + _said(dice.pick(_ALSO), dice, word=others[0][0])
    return line


def decline(dice: Dice) -> str:
    """A direct refusal."""
    return " ".join(filter(None, (dice.pick(_NO), dice.pick(_WHY), dice.pick(_INSTEAD))))


def comply(dice: Dice, partial: bool = False) -> str:
    """An answer; a partial one holds something back and says so."""
    body = " ".join(_said(line, dice) for line in dice.some(_BODY, 2 + dice.below(3)))
    return f"{dice.pick(_YES)} {body}" + (" " + _said(dice.pick(_PARTIAL), dice) if partial else "")


def think(dice: Dice) -> str:
    """What a reasoning model says to itself."""
    return " ".join(dice.some(_THOUGHT, 2 + dice.below(2)))


def looks_like_refusal(text: str) -> bool:
    """Whether one of our own refusals stands in a text."""
    low = text.lower()
    return any(opening in low for opening in _REFUSALS)
