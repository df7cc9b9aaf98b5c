"""The scripted server's roles: who is recognised, and what each answers."""

import http.client
import json
import urllib.parse
from contextlib import closing

import pytest

from falsereject_gen.models.scripted_server import ScriptedServer, ServerSettings

VERDICT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["harm", "looks_toxic", "label", "reasons", "feedback"],
    "properties": {
        "harm": {"type": "number", "minimum": 0, "maximum": 1},
        "looks_toxic": {"type": "number", "minimum": 0, "maximum": 1},
        "label": {"type": "string", "enum": ["unsafe", "benign", "unclear"]},
        "reasons": {"type": "array", "items": {"type": "string"}},
        "feedback": {"type": "string"},
    },
}


@pytest.fixture(scope="module")
def shared():
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def server(shared):
    shared.reset(
        **{
            field: getattr(shared.settings, field)
            for field in ServerSettings.__dataclass_fields__
            if field != "host"
        }
    )
    return shared


def connect(server, timeout=10.0):
    where = urllib.parse.urlsplit(server.url)
    return closing(http.client.HTTPConnection(where.hostname, where.port, timeout=timeout))


def call(server, user="hello", *, name=None, schema=VERDICT, key="k", timeout=10.0, **more):
    body = {"model": "scripted", "messages": [{"role": "user", "content": user}], **more}
    if name:
        form = {"name": name, "strict": True, "schema": schema}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with connect(server, timeout) as connection:
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), answer.headers


def content(server, user="hello", **more):
    status, body, _ = call(server, user, **more)
    assert status == 200, body
    return body["choices"][0]["message"]["content"]


def enough(server, name, seen, count=60):
    """Content of `count` different requests to a role, as values."""
    return [json.loads(content(server, f"{seen} {n}", name=name)) for n in range(count)]


def test_json_mode_and_the_role_line_give_the_role(server):
    lines = [
        {"role": "system", "content": "You judge.\nrole: discriminator\n"},
        {"role": "user", "content": "a text"},
    ]
    for form in ({"response_format": {"type": "json_object"}}, {}):
        told = json.loads(content(server, messages=lines, **form))
        assert told.keys() == VERDICT["properties"].keys()
    assert server.stats()["roles"] == {"discriminator": 2}
    lines[0]["content"] += json.dumps(
        {"type": "object", "properties": {"harm": {"type": "number"}}}
    )
    assert json.loads(content(server, messages=lines)).keys() == {"harm"}


def test_a_schema_in_the_prompt_gives_role_and_shape(server):
    shape = {"title": "DraftCategory", "type": "object", "properties": {"id": {"type": "string"}}}
    asked = f"Make one. {{not json}} Shape:\n{json.dumps(shape)}"
    told = json.loads(content(server, asked))
    assert told.keys() == {"id"}
    assert told["id"].replace("-", "").isalpha()
    fenced = content(server, f"{asked}\nReply inside a ```json fence.")
    assert fenced.startswith("```json\n{")
    assert fenced.endswith("}\n```")
    assert server.stats()["roles"] == {"draft_category": 2}


def test_a_schema_that_cannot_be_played_is_a_400_and_no_hang(server):
    status, body, _ = call(server, name="judge", schema={"properties": {"x": {"enum": []}}})
    assert status == 400
    assert "schema" in body["error"]["message"]


def test_discriminator_is_mostly_benign_and_toxic_looking_and_consistent(server):
    told = enough(server, "discriminator", "text")
    assert sum(t["harm"] < 0.5 and t["looks_toxic"] > 0.5 for t in told) > len(told) / 2
    for one in told:
        assert 0 <= one["harm"] <= 1
        assert 0 <= one["looks_toxic"] <= 1
        assert (one["label"] == "unsafe") == (one["harm"] >= 0.55)
    assert len({t["harm"] for t in told}) > 20


def test_generator_uses_the_entities_and_does_not_repeat_itself(server):
    wanted = "Write one.\nEntities to use:\n- kill (act)\n- server (object)\n\nBrief"
    schema = {"type": "object", "properties": {"prompt": {"type": "string"}}}
    told = [
        json.loads(c)["prompt"]
        for n in range(60)
        if (c := content(server, f"{wanted} {n}", name="generator", schema=schema))
    ]
    assert all("kill" in text and "server" in text for text in told)
    assert len(set(told)) == len(told) >= 55


def test_generator_declines_now_and_then(server):
    said = [call(server, f"brief {n}", name="generator")[1] for n in range(600)]
    refused = [s["choices"][0]["message"]["refusal"] for s in said]
    assert 1 <= sum(map(bool, refused)) <= 20


def test_orchestrator_mostly_accepts_and_gives_no_fault_then(server):
    kinds = ["", "unsafe", "tame", "other"]
    schema = {
        "type": "object",
        "properties": {
            "decision": {"enum": ["reject", "revise", "accept"]},
            "fault": {"enum": kinds},
        },
    }
    told = [
        json.loads(content(server, f"c {n}", name="orchestrator", schema=schema)) for n in range(80)
    ]
    decisions = [one["decision"] for one in told]
    assert 80 > decisions.count("accept") > 55
    assert all((one["fault"] == "") == (one["decision"] == "accept") for one in told)


def test_judge_sees_a_refusal(server):
    schema = {
        "type": "object",
        "properties": {"outcome": {"enum": ["full_compliance", "safe_partial", "direct_refusal"]}},
    }
    asked = "Say 'I cannot' if unsure.\n<prompt>p</prompt>\n<reply>{}</reply>"

    def outcome(reply):
        made = content(server, asked.format(reply), name="judge", schema=schema)
        return json.loads(made)["outcome"]

    refused = content(server, "how?", model="scripted-closed")
    answered = content(server, "how?", model="scripted-open")
    assert outcome(refused) == "direct_refusal"
    assert outcome(answered) != "direct_refusal"


def test_relations_join_entities_that_are_listed_and_stand_in_the_seed(server):
    part = {"type": "object", "properties": {"surface": {"type": "string"}}}
    edge = {"type": "object", "properties": {k: {"type": "string"} for k in ("source", "target")}}
    schema = {
        "type": "object",
        "properties": {
            "entities": {"type": "array", "items": {"$ref": "#/$defs/part"}},
            "relations": {"type": "array", "items": edge},
        },
        "$defs": {"part": part},
    }
    for n in range(20):
        asked = f"<seed>Where could somebody bury treasure near castle ruins number {n}?</seed>"
        told = json.loads(content(server, asked, name="extractor", schema=schema))
        names = [entity["surface"] for entity in told["entities"]]
        assert all(name in asked.lower() for name in names)
        assert {end for edge in told["relations"] for end in edge.values()} <= set(names)


def test_ranker_picks_one_of_the_candidates(server):
    schema = {"type": "object", "properties": {"best": {"type": "integer"}}}
    asked = "Candidate 1:\na\nCandidate 2:\nb\nCandidate 3:\nc\nround "
    told = [
        json.loads(content(server, f"{asked}{n}", name="ranker", schema=schema)) for n in range(30)
    ]
    assert {one["best"] for one in told} == {1, 2, 3}


def test_any_schema_is_filled_by_type(server):
    schema = {
        "type": "object",
        "properties": {
            "level": {"type": "integer", "minimum": 3, "maximum": 5},
            "maybe": {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
            "kinds": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"enum": ["x", "y"]}},
            "fixed": {"const": 7},
            "word": {"type": "string", "maxLength": 5},
        },
    }
    for n in range(20):
        told = json.loads(content(server, f"q {n}", name="panel_of_some_kind", schema=schema))
        assert told["level"] in {3, 4, 5}
        assert isinstance(told["maybe"], bool)
        assert len(told["kinds"]) == 2
        assert set(told["kinds"]) <= {"x", "y"}
        assert told["fixed"] == 7
        assert 0 < len(told["word"]) <= 5


@pytest.mark.parametrize(
    ("model", "low", "high"),
    [
        ("scripted-strict", 0.55, 0.85),
        ("scripted-mild", 0.08, 0.34),
        ("scripted", 0.26, 0.54),
        ("scripted-closed", 1, 1),
        ("scripted-open", 0, 0),
    ],
)
def test_targets_refuse_at_the_rate_of_their_name(server, model, low, high):
    from falsereject_gen.models.scripted_text import looks_like_refusal

    said = [content(server, f"prompt {n}", model=model) for n in range(120)]
    share = sum(map(looks_like_refusal, said)) / len(said)
    assert low <= share <= high
    assert len(set(said)) > 30


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("generator", "generator"),
        ("DiscriminatorReply", "discriminator"),
        ("panel_verdict", "panel"),
        ("draft_category", "draft_category"),
        ("DraftCategory", "draft_category"),
        ("Ruling", "orchestrator"),
        ("RefusalJudge", "judge"),
        ("recipe", "target"),
    ],
)
def test_names_of_schemas_give_roles(server, name, role):
    call(server, name=name)
    assert server.stats()["roles"] == {role: 1}
