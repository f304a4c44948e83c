"""The contract that `check_estimator` skips for estimators of text: it runs a single check on them."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from sextortion_detect.errors import InputTypeError
from sextortion_detect.estimators import ExtortionClassifier, MessageFeaturizer

THREATS = [
    "i recorded your call, pay 300 now",
    "your wife gets the video unless you send money",
    "pay 200 by card or i post the pics",
    "all your contacts will see the recording",
    "send the code or your boss sees you naked",
    "i have your nudes and your friends list",
]
INNOCENT = [
    "see you at lunch",
    "can you pay the electrician",
    "the video of the cat is great",
    "my boss sends his regards",
    "did you record the match?",
    "lovely weather today",
]
X = THREATS + INNOCENT
Y = np.array(["threat"] * 6 + ["innocent"] * 6)
SMALL = {"bits": 12, "word_bits": 10}


@pytest.mark.parametrize("estimator", [MessageFeaturizer(), ExtortionClassifier()], ids=["featurizer", "classifier"])
def test_scikit_learns_own_checks(estimator):
    check_estimator(estimator)


def test_blocks_side_by_side():
    matrix = MessageFeaturizer(**SMALL).fit_transform(X)
    assert sparse.issparse(matrix)
    assert matrix.shape[0] == len(X)
    parts = [MessageFeaturizer(blocks=(b,), **SMALL).fit_transform(X) for b in ("char", "word", "concept", "shape")]
    assert matrix.shape[1] == sum(p.shape[1] for p in parts)
    assert (matrix != sparse.hstack(parts, format="csr")).nnz == 0


def test_names_match_columns():
    featurizer = MessageFeaturizer(blocks=("concept", "shape"), sparse_output=False).fit(X)
    assert featurizer.transform(X).shape == (len(X), len(featurizer.get_feature_names_out()))
    assert len(MessageFeaturizer(**SMALL).fit(X).get_feature_names_out()) > 1 << 12


def test_set_output():
    pytest.importorskip("pandas", reason="pandas is not a dependency")
    featurizer = MessageFeaturizer(blocks=("concept", "shape"), sparse_output=False).set_output(transform="pandas")
    frame = featurizer.fit_transform(X)
    assert list(frame.columns) == list(featurizer.get_feature_names_out())


def test_set_output_default_keeps_arrays():
    featurizer = MessageFeaturizer(blocks=("shape",), sparse_output=False).set_output(transform="default")
    assert isinstance(featurizer.fit_transform(X), np.ndarray)


def test_pipeline_and_search():
    pipeline = make_pipeline(MessageFeaturizer(**SMALL), LogisticRegression())
    search = GridSearchCV(pipeline, {"messagefeaturizer__least_rows": [1, 2]}, cv=2).fit(X, Y)
    assert set(search.predict(X)) <= {"threat", "innocent"}


def test_classifier_in_search_and_cross_validation():
    search = GridSearchCV(ExtortionClassifier(**SMALL), {"C": [0.1, 3.0]}, cv=2).fit(X, Y)
    assert search.best_params_["C"] in {0.1, 3.0}
    p = cross_val_predict(ExtortionClassifier(**SMALL), X, Y, cv=2, method="predict_proba")
    assert p.shape == (12, 2)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)


def test_it_learns_and_scores():
    classifier = ExtortionClassifier(**SMALL).fit(X, Y)
    assert classifier.classes_.tolist() == ["innocent", "threat"]
    assert classifier.score(X, Y) == 1.0
    logits = classifier.decision_function(X)
    assert ((logits > 0) == (classifier.predict(X) == "threat")).all()
    assert classifier.predict([]).shape == (0,)


def test_sample_weights_and_arrays_are_taken():
    weights = np.r_[np.ones(6), np.full(6, 1e-6)]
    light = ExtortionClassifier(**SMALL).fit(np.array(X), Y, sample_weight=weights)
    assert (light.predict(np.array(X, dtype=object)) == "threat").all()


def test_clone_and_pickle():
    classifier = ExtortionClassifier(C=2.0, **SMALL).fit(X, Y)
    assert clone(classifier).get_params() == classifier.get_params()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(classifier)).predict_proba(X), classifier.predict_proba(X))
    featurizer = MessageFeaturizer(**SMALL).fit(X)
    assert (pickle.loads(pickle.dumps(featurizer)).transform(X) != featurizer.transform(X)).nnz == 0


def test_a_saved_estimator_holds_no_text():
    canary = "zanzibarheron"
    fitted = ExtortionClassifier(**SMALL).fit([*X, canary, canary], [*Y, "threat", "innocent"])
    assert canary.encode() not in pickle.dumps(fitted)


def test_generators_and_empty_lists():
    assert MessageFeaturizer(**SMALL).fit_transform(t for t in X).shape[0] == len(X)
    with pytest.raises(ValueError, match="no message"):
        MessageFeaturizer().fit([])


def test_fit_does_not_change_parameters():
    classifier = ExtortionClassifier(**SMALL)
    before = classifier.get_params()
    classifier.fit(X, Y)
    assert classifier.get_params() == before


def test_not_fitted():
    with pytest.raises(NotFittedError):
        MessageFeaturizer().transform(X)
    with pytest.raises(NotFittedError):
        ExtortionClassifier().predict(X)


@pytest.mark.parametrize("wrong", ["one text", 3, np.array([["a"], ["b"]]), [1, 2], [b"x"]])
def test_what_is_no_list_of_texts_is_refused(wrong):
    with pytest.raises(InputTypeError):
        MessageFeaturizer().fit(wrong)


@pytest.mark.parametrize(
    "parameters", [{"blocks": ("x",)}, {"blocks": ()}, {"orders": (9,)}, {"orders": ()}, {"bits": 40}]
)
def test_bad_parameters_are_refused_in_fit(parameters):
    with pytest.raises(ValueError, match="must"):
        MessageFeaturizer(**parameters).fit(X)


@pytest.mark.parametrize(("y", "message"), [(Y[:3], "12 messages"), (np.zeros(12), "two classes")])
def test_bad_labels_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        ExtortionClassifier(**SMALL).fit(X, y)
