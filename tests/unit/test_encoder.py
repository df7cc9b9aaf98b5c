"""The encoder is a pure function of the text, and near-duplicates are found exactly."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from falsereject_gen.dedup.encoder import DIMENSIONS, LAYERS, MiniLM
from falsereject_gen.dedup.index import TextIndex, near_pairs

TEXTS = [
    "How do I kill a process?",
    "A much longer text about knives, kitchens and the way in which a cook sharpens them. " * 4,
    "x",
    "How can I terminate a process?",
]


@pytest.fixture(scope="module")
def fresh():
    """An encoder that remembers nothing, so that every call computes."""
    return MiniLM(cache=0)


def test_one_equals_itself_bit_by_bit_whatever_else_is_encoded(fresh):
    first = [(fresh.one(text).tobytes(), fresh.deep(text).tobytes()) for text in TEXTS]
    fresh.many(TEXTS * 3)
    for text, (flat, deep) in reversed(list(zip(TEXTS, first, strict=True))):
        assert fresh.deep(text).tobytes() == deep
        fresh.one("something else between")
        assert fresh.one(text).tobytes() == flat
        fresh.deep_many(TEXTS[:2])


def test_some_at_once_are_equal_to_each_alone_bit_by_bit(fresh):
    mixed = [f"How do I kill process {n} without {'a reboot, ' * (n % 4)}?" for n in range(13)]
    alone = [fresh.one(text).tobytes() for text in mixed]
    for _ in range(2):  # the first time a size comes up it is only tried
        assert [one.tobytes() for one in fresh.some(mixed)] == alone
    assert [one.tobytes() for one in fresh.some(mixed[3:9])] == alone[3:9]
    assert len(fresh._alike) >= 2
    assert fresh.some([mixed[0], mixed[0]])[1].tobytes() == alone[0]


def test_where_a_pack_changes_bits_texts_are_encoded_alone(fresh, monkeypatch):
    layers = fresh._layers

    def crooked(pack):
        shift = 0 if len(pack) == 1 else 1e-6
        return (states + shift for states in layers(pack))

    monkeypatch.setattr(fresh, "_layers", crooked)
    monkeypatch.setattr(fresh, "_alike", {})
    alone = [fresh.one(text).tobytes() for text in (TEXTS[0], TEXTS[3])]
    for _ in range(2):
        assert [one.tobytes() for one in fresh.some([TEXTS[0], TEXTS[3]])] == alone
    assert not any(fresh._alike.values())


def test_what_was_encoded_is_remembered_up_to_a_limit():
    small = MiniLM(cache=2)
    small.some(["a", "b", "c"])
    assert list(small._kept) == ["b", "c"]
    assert small.one("a") is small.one("a")


def test_one_is_close_to_many(fresh):
    many, deep = fresh.many(TEXTS), fresh.deep_many(TEXTS)
    assert many.shape == (len(TEXTS), DIMENSIONS)
    assert deep.shape == (len(TEXTS), DIMENSIONS * len(LAYERS))
    for text, flat, rich in zip(TEXTS, many, deep, strict=True):
        assert float(fresh.one(text) @ flat) == pytest.approx(1, abs=1e-5)
        assert float(fresh.deep(text) @ rich) / len(LAYERS) > 0.9999


def test_half_precision_is_close_where_it_is_used(fresh):
    full, half = (fresh._batched(TEXTS, half=half)[1] for half in (False, True))
    for one, other in zip(full, half, strict=True):
        assert float(one @ other) / len(LAYERS) > 0.9999


def test_bulk_is_in_order_and_the_same_on_any_number_of_cores(fresh):
    texts = [f"{text} {number}" for number in range(30) for text in TEXTS[:1] + TEXTS[2:]]
    found = fresh.many(texts)
    assert float(fresh.one(texts[37]) @ found[37]) == pytest.approx(1, abs=1e-5)
    lanes, fresh._lanes = fresh._lanes, 5
    fresh._batch.cache_clear()
    assert fresh.many(texts).tobytes() == found.tobytes()
    fresh._lanes = lanes


def test_two_threads_may_ask_at_once(fresh):
    wanted = [fresh.one(text).tobytes() for text in TEXTS]
    with ThreadPoolExecutor(8) as pool:
        assert [one.tobytes() for one in pool.map(fresh.one, TEXTS * 4)] == wanted * 4


def test_vectors_have_unit_length_and_meaning(fresh):
    a, long, _, b = fresh.many(TEXTS)
    assert np.linalg.norm(a) == pytest.approx(1, abs=1e-5)
    assert a @ b > 0.8 > a @ long


def test_what_is_empty_or_beyond_the_limit_is_encoded_too(fresh):
    assert np.isfinite(fresh.one("")).all()
    assert fresh.many([]).shape == (0, DIMENSIONS)
    long = "kill " * 1000
    assert np.array_equal(fresh.one(long), fresh.one(long + "and something after the limit"))


def test_the_nearest_text_is_named_with_its_score():
    index = TextIndex("seeds")
    vectors = np.eye(3, DIMENSIONS, dtype=np.float32)
    assert index.nearest(vectors[0]) is None
    index.add(["a", "b"], ["A", "B"], vectors[:2])
    near = index.nearest((0.6 * vectors[0] + 0.8 * vectors[1]).astype(np.float32))
    assert (near.id, near.score, near.among, near.text) == ("b", 0.8, "seeds", "B")
    index.add(["c"], ["C"], vectors[2:])
    assert len(index) == 3
    assert index.nearest(vectors[2]).id == "c"


@pytest.mark.parametrize("block", [1, 3, 100])
def test_near_pairs_are_all_pairs_whatever_the_block(block):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    wanted = {(i, j) for i in range(40) for j in range(i + 1, 40) if rows[i] @ rows[j] >= 0.5}
    found = near_pairs(rows, 0.5, block)
    assert {(i, j) for i, j, _ in found} == wanted
    assert [score for *_, score in found] == sorted((s for *_, s in found), reverse=True)


def test_vectors_are_those_of_the_padded_model(fresh):
    """The layers are walked here, packed: the library's own forward pass is the reference."""
    tokens = fresh._tokenizer(TEXTS, padding=True, return_tensors="pt")
    with fresh._torch.inference_mode():
        states = fresh._body(**tokens, output_hidden_states=True).hidden_states
        mask = tokens["attention_mask"].unsqueeze(-1).float()
        means = [(states[layer] * mask).sum(1) / mask.sum(1) for layer in LAYERS]
        units = [fresh._torch.nn.functional.normalize(mean, dim=1).numpy() for mean in means]
    assert np.allclose(fresh.many(TEXTS), units[-1], atol=1e-6)
    packed = np.stack([fresh.deep(text) for text in TEXTS])
    assert np.allclose(packed, np.concatenate(units, axis=1), atol=1e-6)
