"""From meaning to clauses: propositions become tagged tokens, in one of the many ways that say the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.lexicon import Concept, Word, lexicon
from tasks.sources.simulated.meaning import POSSESSIVES, Entity, Proposition
from tasks.sources.simulated.morphology import comparative, gerund, participle, past, plural, third_person
from tasks.sources.simulated.places import preposition

# Verbs with a preposition, and so without a passive that is said: "the hill was arrived at by him".
PREPOSITIONS = frozenset(("about", "after", "against", "at", "behind", "by", "for", "from", "into", "like", "of",
                          "past", "through", "to", "upon", "with"))  # fmt: skip
ACTIVE = ("dwell in", "believe in", "vote in", "take part in", "compete in", "confide in", "drown in", "enrol in",
          "delight in", "revel in", "star in", "ride on", "rejoice over", "mourn over", "agonise over", "brood over",
          "stew over", "gush over", "look out over", "resemble", "default on", "lean on", "speak on")  # fmt: skip
SETTLED = ("the", "this", "these", "name", *POSSESSIVES)
OFTEN = ("every", "most", "as always")  # times that have a scope: "every day, he did not eat" says more
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
OBJECTIVE = {"I": "me", "we": "us", "he": "him", "she": "her", "they": "them"}
BE = {"present": {"1s": "am", "3s": "is"}, "past": {"1s": "was", "3s": "was"}}
AUXILIARIES = {"do": ("do", "does", "did"), "have": ("have", "has", "had")}
CONTRACTED = {"will not": "won't", "can not": "can't", "do not": "don't", "does not": "doesn't", "did not": "didn't",
              "is not": "isn't", "are not": "aren't", "was not": "wasn't", "were not": "weren't",
              "should not": "shouldn't"}  # fmt: skip


@dataclass(frozen=True)
class Token:
    """A word in its place.

    Attributes:
        tag: determiner, adjective, noun, name, pronoun, verb, auxiliary, negation, preposition, adverb, conjunction,
            relative, punctuation, fixed (part of a set phrase).
        word: What it is a form of, for nouns, verbs and adjectives.
        form: Of verbs base, third, past, participle, gerund; of nouns singular, plural; of auxiliaries the lemma.
    """

    text: str
    tag: str
    word: Word | None = None
    form: str = ""


Tokens = tuple[Token, ...]


@dataclass(frozen=True)
class Style:
    """How likely each choice is where several say the same; the first word of every concept is used at `synonyms` 0."""

    synonyms: float = 1.0
    contractions: float = 0.3
    passive: float = 0.15
    fronting: float = 0.3
    cleft: float = 0.04
    relative: float = 0.15
    never: float = 0.2
    articles: bool = True


PLAIN = Style()
LITERAL = Style(0, 0, 0, 0, 0, 0, 0)  # one realisation for each meaning


def realise(proposition: Proposition, style: Style, chance: Chance) -> Tokens:
    """A declarative clause without final punctuation."""
    p = proposition
    passive = _turns_round(p) and chance.flip(style.passive)
    clefted = not passive and not p.negated and p.subject.quantity in ("the", "name") and chance.flip(style.cleft)
    agent = p.subject
    subject = p.object if passive and p.object else agent
    head = noun_phrase(subject, style, chance)
    before: list[Token] = []
    if clefted:
        be = "is" if p.tense != "past" else "was"
        head = (Token("it", "pronoun"), Token(be, "auxiliary", None, "be"), *head, Token("who" if lexicon().is_a(
            agent.noun, "person") else "that", "relative"))  # fmt: skip
    adjunct = _adjuncts(p)
    scoped = p.time.startswith(OFTEN) and (p.negated or "no" in (p.subject.quantity, p.object and p.object.quantity))
    if adjunct and not clefted and not scoped and chance.flip(style.fronting):
        position = chance.below(len(adjunct))
        before = [*adjunct.pop(position), Token(",", "punctuation")]
    finite, rest = _verbs(p, subject, passive, False, style, chance)
    tail = _complements(p, passive, style, chance)
    return (*before, *head, *finite, *rest, *tail, *(token for group in adjunct for token in group))


def _turns_round(p: Proposition) -> bool:
    """Whether a passive says the same: the verb has one, and no quantity or denial comes to stand before another."""
    if p.verb == "be" or p.object is None or p.subject.quantity in ("pronoun", "no") or not _has_passive(p.verb):
        return False
    quantities = {p.subject.quantity, p.object.quantity}
    if p.negated:  # "a car was not seen" says less than "saw no car"
        return quantities <= {*SETTLED}
    return not quantities.isdisjoint(SETTLED) or quantities <= {"a", "some", "another"}


@cache
def _has_passive(verb: str) -> bool:
    words = lexicon().verbs[verb].words
    return verb not in ACTIVE and not any(word.base.split(" ")[-1] in PREPOSITIONS for word in words)


def question(proposition: Proposition, asked: str, style: Style, chance: Chance) -> Tokens:
    """A question, without the question mark.

    Args:
        asked: `whether`, or the part in question: `subject`, `object`, `place`, `time` (which is left out).
    """
    p = proposition
    known = replace(p, place="" if asked == "place" else p.place, time="" if asked == "time" else p.time)
    adjunct = [token for group in _adjuncts(known) for token in group]
    person = lexicon().is_a
    if asked == "subject":
        who = "who" if person(p.subject.noun, "person") else "what"
        anyone = Entity("it", "pronoun")
        finite, rest = _verbs(replace(p, subject=anyone), anyone, False, False, replace(style, contractions=0), chance)
        return (Token(who, "pronoun"), *finite, *rest, *_complements(p, False, style, chance), *adjunct)
    finite, rest = _verbs(p, p.subject, False, True, replace(style, contractions=0, never=0), chance)
    head = noun_phrase(p.subject, style, chance)
    start: tuple[Token, ...] = ()
    complement = _complements(p, False, style, chance)
    if asked == "object" and p.object is not None and p.verb != "be":
        start = (Token("who" if person(p.object.noun, "person") else "what", "pronoun"),)
        complement = ()
    elif asked in ("place", "time"):
        start = (Token("where" if asked == "place" else "when", "adverb"),)
    return (*start, finite[0], *head, *finite[1:], *rest, *complement, *adjunct)


def noun_phrase(entity: Entity, style: Style, chance: Chance, objective: bool = False) -> Tokens:
    """An entity as the subject, or with `objective` as the object, of a clause."""
    if entity.quantity == "pronoun":
        return (Token(OBJECTIVE.get(entity.noun, entity.noun) if objective else entity.noun, "pronoun"),)
    if entity.quantity == "name":
        concept = lexicon().names.get(entity.noun)
        return (Token(concept.words[0].base if concept else entity.noun, "name"),)
    concept = lexicon().nouns[entity.noun]
    word = choose(concept, style, chance)
    many = entity.plural and not concept.mass
    noun = Token(plural(word) if many else word.base, "noun", word, "plural" if many else "singular")
    qualities = [_adjective(quality, style, chance) for quality in entity.qualities]
    after: tuple[Token, ...] = ()
    if len(qualities) == 1 and entity.quantity in ("the", "a", "every", *POSSESSIVES) and chance.flip(style.relative):
        relative = "who" if lexicon().is_a(entity.noun, "person") else "that"
        after = (Token(relative, "relative"), Token("are" if many else "is", "auxiliary", None, "be"), *qualities)
        qualities = []
    return (*_determiner(entity, concept, many, style), *qualities, noun, *after)


def choose(concept: Concept, style: Style, chance: Chance) -> Word:
    """One of the words of a concept."""
    if len(concept.words) > 1 and chance.flip(style.synonyms):
        return chance.pick(concept.words)
    return concept.words[0]


def _determiner(entity: Entity, concept: Concept, many: bool, style: Style) -> Tokens:
    quantity = entity.quantity
    if quantity == "bare" or (quantity == "a" and concept.mass) or (not style.articles and quantity in ("a", "the")):
        return ()
    if quantity.isdigit() and int(quantity) < len(NUMBERS):
        quantity = NUMBERS[int(quantity)]
    if concept.mass:
        quantity = {"many": "much", "several": "some", "every": "all", "these": "this", "few": "little"}.get(
            quantity, quantity)  # fmt: skip
    return (Token(quantity, "determiner"),)


def _adjective(quality: str, style: Style, chance: Chance) -> Token:
    word = choose(lexicon().adjectives[quality], style, chance)
    return Token(word.base, "adjective", word, "positive")


def _person(entity: Entity) -> str:
    if entity.quantity == "pronoun" and entity.noun == "I":
        return "1s"
    concept = lexicon().nouns.get(entity.noun)
    return "3p" if entity.plural and not (concept is not None and concept.mass) else "3s"


def _finite(lemma: str, tense: str, person: str) -> str:
    if lemma == "be":
        return BE[tense].get(person, "are" if tense == "present" else "were")
    plain, third, was = AUXILIARIES[lemma]
    return was if tense == "past" else third if person == "3s" else plain


def _verbs(
    p: Proposition, subject: Entity, passive: bool, inverted: bool, style: Style, chance: Chance
) -> tuple[list[Token], list[Token]]:
    """The auxiliaries (the first is finite) with the negation, and the main verb; do-support where English needs it."""
    person = _person(subject)
    main = None if p.verb == "be" else choose(lexicon().verbs[p.verb], style, chance)
    never = p.negated and not p.modal and p.tense != "future" and not passive and not inverted and main is not None
    never = never and not p.time and chance.flip(style.never)
    modal = p.modal or ("will" if p.tense == "future" else "")
    chain: list[Token] = []
    if modal:
        chain.append(Token(modal, "auxiliary", None, modal))
    if passive or main is None:
        chain.append(Token("be" if modal else _finite("be", p.tense, person), "auxiliary", None, "be"))
    elif not modal and ((p.negated and not never) or inverted):
        chain.append(Token(_finite("do", p.tense, person), "auxiliary", None, "do"))
    rest: list[Token] = []
    if main is not None:
        if passive:
            rest.append(Token(participle(main), "verb", main, "participle"))
        elif chain:
            rest.append(Token(main.base, "verb", main, "base"))
        elif p.tense == "past":
            rest.append(Token(past(main), "verb", main, "past"))
        elif person == "3s":
            rest.append(Token(third_person(main), "verb", main, "third"))
        else:
            rest.append(Token(main.base, "verb", main, "base"))
    if never:
        rest.insert(0, Token("never", "negation"))
    elif p.negated:
        contracted = CONTRACTED.get(f"{chain[0].text} not")
        if contracted and chance.flip(style.contractions):
            chain[0] = replace(chain[0], text=contracted)
        elif inverted:  # "did the dog not bark"
            rest.insert(0, Token("not", "negation"))
        else:
            chain.insert(1, Token("not", "negation"))
    return (chain, rest) if chain else (rest, [])


def _complements(p: Proposition, passive: bool, style: Style, chance: Chance) -> Tokens:
    if passive:
        return (Token("by", "preposition"), *noun_phrase(p.subject, style, chance, objective=True))
    if p.verb == "be" and p.quality:
        word = choose(lexicon().adjectives[p.quality], style, chance)
        if p.than is not None:
            than = (Token("than", "conjunction"), *noun_phrase(p.than, style, chance, objective=True))
            return (Token(comparative(word), "adjective", word, "comparative"), *than)
        degree = (Token(p.degree, "adverb"),) if p.degree else ()
        return (*degree, Token(word.base, "adjective", word, "positive"))
    if p.object is None:
        return ()
    some = (p.negated or p.subject.quantity in ("no", "few")) and p.object.quantity == "some"
    what = replace(p.object, quantity="any") if some else p.object  # "did not see any": it is the whole that is denied
    return noun_phrase(what, style, chance, objective=p.verb != "be")


def _adjuncts(p: Proposition) -> list[Tokens]:
    groups: list[Tokens] = []
    if p.place:
        name = p.place in lexicon().names
        place: Tokens = (Token(p.place, "name"),) if name else (Token("the", "determiner"), Token(p.place, "noun", Word(
            p.place), "singular"))  # fmt: skip
        groups.append((Token(preposition(p.place), "preposition"), *place))
    if p.time:
        groups.append((Token(p.time, "adverb"),))
    return groups


def gerund_phrase(p: Proposition, style: Style, chance: Chance) -> Tokens:
    """ "repairing the engine": a proposition without its subject, as a noun."""
    word = choose(lexicon().verbs[p.verb], style, chance)
    return (Token(gerund(word), "verb", word, "gerund"), *_complements(p, False, style, chance))


def imperative(p: Proposition, style: Style, chance: Chance) -> Tokens:
    """ "join our team", "do not forget the meeting": what the subject "you" of a present proposition is asked to do."""
    asked = replace(p, subject=Entity("you", "pronoun"), tense="present", modal="")
    clause = realise(asked, replace(style, fronting=0.0, cleft=0.0, never=0.0), chance)
    return (Token("be", "auxiliary", None, "be"), *clause[2:]) if p.verb == "be" and not p.negated else clause[1:]


def fixed(text: str) -> Tokens:
    """Words of a set phrase: "it is good to know that"; a comma or mark that ends a word is a token of its own."""
    tokens: list[Token] = []
    for word in text.split():
        bare = word.rstrip(",.!?;:")
        tokens += [Token(bare, "fixed")] if bare else []
        tokens += [Token(mark, "punctuation") for mark in word[len(bare) :]]
    return tuple(tokens)
