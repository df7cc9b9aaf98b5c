"""Coefficients against published worked examples and other libraries; undefined ones; intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.metrics.agreement import AnnotationTask
from sklearn.metrics import cohen_kappa_score

from falsereject_gen.annotate.agreement.coefficients import COEFFICIENTS, cohen
from falsereject_gen.annotate.agreement.estimate import estimate, estimate_cohen, resample, stream
from falsereject_gen.annotate.agreement.panel import counts, patterns
from falsereject_gen.annotate.agreement.records import REASONS

# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section C: four observers, 12
# units, answers missing; 0: no answer. He gives alpha = .743. The same data are `cac.raw4raters` of
# Gwet's R package irrCAC, whose vignette "overview" prints the other values (handbook, 4th ed.).
KRIPPENDORFF = (
    "1101 2232 3333 3333 2222 1234 4444 1121 2222 0555 0011 0030",
    {"alpha": 0.7434211, "fleiss": 0.7611693, "ac1": 0.7754441, "raw": 0.8181818},
)
# Fleiss, "Measuring nominal scale agreement among many raters" (1971), table 1: 30 patients, six
# psychiatrists, five diagnoses; he gives kappa = .430, R's irr 0.4302445.
FLEISS = (
    "000600 030030 014010 000060 030300 204000 004020 203100 200400 000060 100500 110400 033000"
    " 100500 020310 005010 300120 510000 020400 102030 000060 010500 020130 200400 100410 050100"
    " 400020 020400 105000 000060"
)
# The first 15 of them are `distrib.6raters` of irrCAC, with these values in the same vignette.
GWET_15 = {"fleiss": 0.4139265, "ac1": 0.4448007, "alpha": 0.4204384, "raw": 0.5511111}
# `cont3x3abstractors` of irrCAC: 100 pregnancies, two abstractors; values of the vignette.
ABSTRACTORS = np.array([[13, 0, 0], [0, 20, 7], [0, 4, 56]])


def values(kinds, times, people=2):
    return {name: estimate(name, kinds, times, people, 0, stream(0)).value for name in COEFFICIENTS}


def fleiss_table():
    return np.array([[int(digit) for digit in line[:5]] for line in FLEISS.split()])


def from_cells(cells):
    """Two annotators' labels from a table of what both said."""
    pairs = [(a, b) for (a, b), n in np.ndenumerate(cells) for _ in range(n)]
    return np.array(pairs, dtype=np.int8)


def test_krippendorffs_own_example_with_missing_answers():
    lines, wanted = KRIPPENDORFF
    labels = np.array([[int(digit) - 1 for digit in line] for line in lines.split()], dtype=np.int8)
    kinds, times = patterns(counts(labels, 5))
    assert values(kinds, times, 4) == pytest.approx(wanted, abs=5e-8)


def test_fleiss_table_of_1971():
    table = fleiss_table()
    assert table.sum(axis=1).tolist() == [6] * 30
    assert table.sum(axis=0).tolist() == [26, 26, 30, 55, 43]
    assert values(*patterns(table), 6)["fleiss"] == pytest.approx(0.4302445, abs=5e-8)
    assert values(*patterns(table[:15]), 6) == pytest.approx(GWET_15, abs=5e-8)


def test_two_abstractors_of_gwets_handbook():
    labels = from_cells(ABSTRACTORS)
    found = values(*patterns(counts(labels, 3)))
    wanted = {"ac1": 0.8493305, "alpha": 0.7972585, "raw": 0.89, "fleiss": 0.7962397}
    assert found == pytest.approx(wanted, abs=5e-8)  # Fleiss of two raters is Scott's pi
    kappa = estimate_cohen(labels[:, 0], labels[:, 1], 3, 0, stream(0)).value
    assert kappa == pytest.approx(0.7964094, abs=5e-8)


def test_the_paradox_of_unbalanced_labels():
    """49 of 50 alike: alpha and kappa are 0 or less, raw agreement and AC1 say what happened."""
    labels = np.zeros((50, 2), dtype=np.int8)
    labels[0, 1] = 1
    found = values(*patterns(counts(labels, 2)))
    assert found["raw"] == pytest.approx(0.98)
    assert found["ac1"] > 0.97
    assert found["alpha"] == pytest.approx(0.0, abs=1e-9)
    assert found["fleiss"] < 0


answered = st.lists(
    st.lists(st.integers(-1, 2), min_size=3, max_size=3), min_size=2, max_size=12
).map(lambda rows: np.array(rows, dtype=np.int8))


@given(labels=answered)
@settings(max_examples=150, deadline=None)
def test_alpha_is_nltks_on_any_table_with_gaps(labels):
    kinds, times = patterns(counts(labels, 3))
    if len(kinds) == 0:
        return
    ours = COEFFICIENTS["alpha"](times[None, :].astype(float), kinds)[0]
    said = [(c, i, int(v)) for i, row in enumerate(labels) for c, v in enumerate(row) if v >= 0]
    paired = labels[(labels >= 0).sum(axis=1) >= 2]
    if len(set(paired[paired >= 0].tolist())) < 2:
        assert np.isnan(ours)
    else:
        assert ours == pytest.approx(AnnotationTask(said).alpha(), abs=1e-9)


@given(labels=answered)
@settings(max_examples=100, deadline=None)
def test_fleiss_is_nltks_multi_pi_where_nothing_is_missing(labels):
    labels = np.abs(labels)
    kinds, times = patterns(counts(labels, 3))
    ours = COEFFICIENTS["fleiss"](times[None, :].astype(float), kinds)[0]
    said = [(c, i, int(v)) for i, row in enumerate(labels) for c, v in enumerate(row)]
    if len(set(labels.ravel().tolist())) < 2:
        assert np.isnan(ours)
    else:
        assert ours == pytest.approx(AnnotationTask(said).pi(), abs=1e-9)


def test_a_resample_of_patterns_is_one_of_items():
    """Each resample of the bootstrap equals the libraries' value on the rows it stands for."""
    labels = from_cells(np.array([[9, 2], [3, 6]]))
    kinds, times = patterns(counts(labels, 2))
    drawn = resample(times, 40, stream(3))
    assert drawn.sum(axis=1).tolist() == [20] * 40
    alphas = COEFFICIENTS["alpha"](drawn, kinds)
    for weights, value in zip(drawn, alphas, strict=True):
        rows = [kind for kind, n in zip(kinds, weights, strict=True) for _ in range(int(n))]
        said = [
            (k, i, code)
            for i, kind in enumerate(rows)
            for k, code in enumerate(np.repeat([0, 1], kind).tolist())
        ]
        assert value == pytest.approx(AnnotationTask(said).alpha(), abs=1e-9)


def test_cohens_bootstrap_is_scikit_learns_on_the_same_rows():
    cells = np.array([[9, 2], [3, 6]])
    drawn = resample(cells.ravel(), 40, stream(4))
    for weights, value in zip(drawn, cohen(drawn, 2), strict=True):
        labels = from_cells(weights.reshape(2, 2).astype(int))
        assert value == pytest.approx(cohen_kappa_score(labels[:, 0], labels[:, 1]), abs=1e-9)


def test_an_interval_covers_what_it_should():
    """The share of samples whose interval holds the truth is near 95 % (120 samples of 150)."""
    dice, hits = np.random.default_rng(0), 0
    for k in range(120):
        truth = dice.random(150) < 0.7
        labels = np.stack([np.where(dice.random(150) < 0.9, truth, ~truth) for _ in range(2)], 1)
        kinds, times = patterns(counts(labels.astype(np.int8), 2))
        one = estimate("raw", kinds, times, 2, 400, stream(k))
        hits += one.low <= 0.82 <= one.high
    assert 0.88 <= hits / 120 <= 0.99


@pytest.mark.parametrize(
    ("labels", "people", "name", "why"),
    [
        ([[0, 0]] * 5, 2, "alpha", "one_label"),
        ([[0, 0]] * 5, 2, "fleiss", "one_label"),
        ([[0, -1]] * 5, 1, "raw", "one_annotator"),
        ([[0, -1], [-1, 0]], 2, "ac1", "no_overlap"),
        ([[-1, -1]] * 3, 0, "raw", "no_answers"),
    ],
)
def test_what_is_undefined_says_why(labels, people, name, why):
    kinds, times = patterns(counts(np.array(labels, dtype=np.int8), 2))
    one = estimate(name, kinds, times, people, 200, stream(0))
    assert one.value is None
    assert one.undefined == why
    assert REASONS[why]


def test_everybody_the_same_has_a_value_where_one_can_be_given():
    kinds, times = patterns(counts(np.zeros((20, 3), dtype=np.int8), 2))
    raw = estimate("raw", kinds, times, 3, 200, stream(0))
    assert (raw.value, raw.low, raw.no_interval) == (1.0, None, "no_disagreement")
    ac1 = estimate("ac1", kinds, times, 3, 200, stream(0))
    assert (ac1.value, ac1.no_interval) == (1.0, "no_spread")
    both = np.zeros(20, dtype=np.int8)
    assert estimate_cohen(both, both, 2, 200, stream(0)).undefined == "one_label"


def test_a_value_that_most_resamples_lack_gets_no_interval():
    labels = np.zeros((50, 2), dtype=np.int8)
    labels[0, 1] = 1  # in e^-1 of the resamples this row does not come up: one label, no alpha
    one = estimate("alpha", *patterns(counts(labels, 2)), 2, 1000, stream(0))
    assert one.value == pytest.approx(0.0, abs=1e-9)
    assert one.no_interval == "few_defined"
    assert 300 < one.undefined_resamples < 430


def test_random_numbers_belong_to_their_name():
    kinds, times = patterns(fleiss_table())
    one, same = (estimate("ac1", kinds, times, 6, 200, stream(1, "a")) for _ in range(2))
    other = estimate("ac1", kinds, times, 6, 200, stream(1, "b"))
    assert one == same
    assert (one.low, one.high) != (other.low, other.high)
