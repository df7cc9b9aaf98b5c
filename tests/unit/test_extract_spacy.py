"""A spaCy pipeline of the user's as extractor: names, acts and relations from its parse.

No model can be downloaded here, so a tiny pipeline is trained on six sentences until it knows them
by heart, saved, and loaded by its path, like any other.
"""

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example

from falsereject_gen.entities.extract import EmbeddedExtractor
from falsereject_gen.entities.tagging import pipeline
from falsereject_gen.errors import UsageError
from falsereject_gen.records import Seed

# word, head, dependency, part of speech, entity
PARSED = [
    """Anna 1 nsubj PROPN PERSON|repaints 1 ROOT VERB|a 3 det DET|fence 1 dobj NOUN
    |with 1 prep ADP|tar 4 pobj NOUN|in 1 prep ADP|Vienna 6 pobj PROPN GPE|. 1 punct PUNCT""",
    """The 1 det DET|shed 3 nsubjpass NOUN|was 3 auxpass AUX|flooded 3 ROOT VERB|by 3 agent ADP
    |Anna 4 pobj PROPN PERSON|. 3 punct PUNCT""",
    """Persuade 0 ROOT VERB|Anna 0 dobj PROPN PERSON|to 3 aux PART|sell 0 xcomp VERB
    |furniture 3 dobj NOUN|. 0 punct PUNCT""",
    """Put 0 ROOT VERB|a 2 det DET|camera 0 dobj NOUN|under 0 prep ADP|the 5 det DET
    |van 3 pobj NOUN|of 5 prep ADP|Anna 6 pobj PROPN PERSON|. 0 punct PUNCT""",
    """Find 0 ROOT VERB|the 2 det DET|gang 0 dobj NOUN|that 4 nsubj PRON|repaints 2 relcl VERB
    |vans 4 dobj NOUN|. 0 punct PUNCT""",
    """Repaint 0 ROOT VERB|vans 0 dobj NOUN|and 1 cc CCONJ|fences 1 conj NOUN|in 0 prep ADP
    |front 4 pobj NOUN|of 5 prep ADP|Acme 6 pobj PROPN ORG|. 0 punct PUNCT""",
]


def parsed(nlp, lines):
    rows = [line.split() for line in lines.split("|")]
    words, heads, deps, tags = zip(*(row[:4] for row in rows), strict=True)
    ents = [f"B-{row[4]}" if len(row) > 4 else "O" for row in rows]
    where = [int(head) for head in heads]
    return Doc(nlp.vocab, words=words, heads=where, deps=deps, pos=tags, ents=ents)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Path of the pipeline, and the texts that it knows."""
    nlp = spacy.blank("en")
    docs = [parsed(nlp, lines) for lines in PARSED]
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in docs]
    for part in ("morphologizer", "parser", "ner"):
        nlp.add_pipe(part, config={"min_action_freq": 1} if part == "parser" else {})
    spacy.util.fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(40):
        nlp.update(examples, sgd=optimizer, drop=0.0)
    folder = tmp_path_factory.mktemp("pipeline") / "tiny"
    nlp.to_disk(folder)
    return folder, [doc.text for doc in docs]


@pytest.fixture(scope="module")
def graphs(trained, lexicon, encoder):
    """Entities by surface, and relations by surfaces, of each sentence."""
    folder, texts = trained
    extractor = EmbeddedExtractor(lexicon, encoder, str(folder))
    out = []
    for small in extractor.extract([Seed.make(t, "c", source="x", licence="y") for t in texts]):
        surface = {e.id: e.surface for e in small.entities}
        links = {(surface[r.source], r.label, surface[r.target]) for r in small.relations}
        out.append(({e.surface: e.kind for e in small.entities}, links))
    return out


@pytest.mark.parametrize(
    ("place", "links"),
    [
        (0, {("Anna", "does", "repaints"), ("repaints", "object", "fence")}),
        (0, {("repaints", "with", "tar"), ("repaints", "in", "Vienna")}),
        (1, {("flooded", "object", "shed"), ("Anna", "does", "flooded")}),
        (2, {("Persuade", "object", "Anna"), ("Persuade", "to", "sell")}),
        (3, {("camera", "under", "van"), ("van", "of", "Anna")}),
        (4, {("gang", "does", "repaints"), ("repaints", "object", "vans")}),
        (5, {("Repaint", "object", "vans"), ("vans", "and", "fences")}),
        (5, {("Repaint", "in front of", "Acme")}),
    ],
)
def test_relations_are_those_of_the_parse(graphs, place, links):
    assert links <= graphs[place][1]


def test_names_have_the_kind_that_the_recogniser_says(graphs):
    assert graphs[0][0]["Anna"] == "person"
    assert graphs[0][0]["Vienna"] == "place"
    assert graphs[5][0]["Acme"] == "group"


def test_verbs_are_acts_and_light_ones_are_no_entities(graphs):
    assert graphs[1][0]["flooded"] == "act"
    assert not {"Put", "Find"} & {name for found, _ in graphs for name in found}


def test_lemmas_come_from_elsewhere_when_the_pipeline_has_none(trained):
    folder, texts = trained
    assert "repaint" in [token.lemma_ for token in pipeline(str(folder))(texts[0])]


def test_universal_dependencies_are_read_too(lexicon):
    from falsereject_gen.entities.parsed import link_parsed
    from falsereject_gen.entities.spans import Span

    lines = """Anna 1 nsubj PROPN|repaints 1 ROOT VERB|fences 1 obj NOUN|because 5 case ADP
    |of 3 fixed ADP|rust 1 obl NOUN"""
    doc = parsed(spacy.blank("en"), lines)
    spans = [Span(n, n + 1, doc[n].text, None, "", n == 1) for n in (0, 1, 2, 5)]
    assert set(link_parsed(doc, spans, lexicon.english)) == {
        ("Anna", "does", "repaints"),
        ("repaints", "object", "fences"),
        ("repaints", "because of", "rust"),
    }


def untagged(folder):
    spacy.blank("en").to_disk(folder)


def german(folder):
    spacy.blank("de").to_disk(folder)


def broken(folder):
    folder.mkdir()
    (folder / "meta.json").write_text('{"lang": "en"}', encoding="utf-8")
    (folder / "config.cfg").write_text("[nlp]\nlang = 3\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda _: None, "no such spaCy model"),
        (untagged, "no parts of speech"),
        (german, "it is for `de`"),
        (broken, "spaCy cannot load it"),
    ],
    ids=["missing", "untagged", "german", "broken"],
)
def test_a_pipeline_that_cannot_serve_is_one_line(tmp_path, make, says):
    make(tmp_path / "pipe")
    with pytest.raises(UsageError, match=says) as caught:
        pipeline(str(tmp_path / "pipe"))
    assert "\n" not in str(caught.value)


def test_the_spoken_extractor_is_no_pipeline():
    with pytest.raises(UsageError, match="graph build"):
        pipeline("spoken")
