"""Tables anybody can load -> a points card beside models people know, on the same splits: quality, size, seconds."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from models.card import PointsCard
from models.metrics import measure_ece
from tests.cards.test_card_quality import LogisticOnBins, breast_cancer, clusters, diabetes

SPLITS = 5
SETS = {
    "breast cancer": (breast_cancer, "comes with scikit-learn: whether a tumour is benign"),
    "diabetes": (diabetes, "comes with scikit-learn: whether the disease went further than 140 within a year"),
    "clusters": (lambda: clusters(8_000),
                 "made by `make_classification`: 10 telling inputs, 6 made of them, 14 of noise"),
}
CARD, LOGISTIC, EBM, FAST = "PointsCard", "logistic on bins", "EBM", "FastRiskScore"


def compare_models(quick: bool) -> dict[str, Any]:
    """By set: its size, and by model its figures on each split, or why there are none."""
    found: dict[str, Any] = {}
    for name, (load, what) in SETS.items():
        frame, happened = load()
        if quick:
            frame, happened = frame.head(400), happened[:400]
        found[name] = {"what": what, "rows": len(frame), "columns": frame.shape[1], "share": float(happened.mean()),
                       "models": _compare(frame, happened, 1 if quick else SPLITS)}
    return found


def _compare(frame: pd.DataFrame, happened: np.ndarray, splits: int) -> dict[str, Any]:
    models: dict[str, Any] = {}
    for seed in range(splits):
        cells = 0
        for name, make in MAKERS.items():
            why_not = _find_lacking(name)
            if why_not:
                models[name] = why_not
                continue
            figures = _judge(make, frame, happened, seed, cells)
            cells = cells or figures["cells"]       # the card's, which the next are held to
            models.setdefault(name, []).append(figures)
    return models


def _judge(make: Callable[[int, int], Any], frame: pd.DataFrame, happened: np.ndarray, seed: int, cells: int
           ) -> dict[str, float]:
    learn, test, learned, held = train_test_split(frame, happened, test_size=0.4, random_state=seed, stratify=happened)
    model = make(seed, cells)
    with warnings.catch_warnings(), threadpool_limits(limits=1):
        warnings.simplefilter("ignore")
        began = time.perf_counter()
        model.fit(learn, learned)
        seconds = time.perf_counter() - began
        chance = model.predict_proba(test)[:, 1]
    factors, lines = _measure_size(model)
    return {"auc": float(roc_auc_score(held, chance)), "brier": float(brier_score_loss(held, chance)),
            "ece": measure_ece(held, np.clip(chance, 0, 1)), "factors": factors, "cells": lines, "seconds": seconds}


def _measure_size(model: Any) -> tuple[int, int]:
    """How many inputs are asked, and its cells: lines to look up, but for one of each input that others are beside."""
    if isinstance(model, PointsCard):
        lines = sum(each.share > 0 for factor in model.factors_ for each in factor.bins)
        return len(model.factors_), lines - len(model.factors_)
    if isinstance(model, LogisticOnBins):
        lines = sum(map(len, model.encoder.categories_))
        return len(model.encoder.categories_), lines - len(model.encoder.categories_)
    if hasattr(model, "points_"):
        return len({name.split(" ")[0] for name in model.points_}), len(model.points_)
    return len(model.term_scores_), int(sum(scores.size for scores in model.term_scores_))


# --- the models -----------------------------------------------------------------------------------


def _make_ebm(seed: int, _cells: int) -> Any:
    from interpret.glassbox import ExplainableBoostingClassifier

    return ExplainableBoostingClassifier(interactions=0, random_state=seed, n_jobs=1)


def _make_fast(_seed: int, cells: int) -> Any:
    from imodels import FastRiskScoreClassifier

    return FastRiskScoreClassifier(k=cells, max_points=10)


MAKERS: dict[str, Callable[[int, int], Any]] = {
    CARD: lambda seed, _: PointsCard(random_state=seed), LOGISTIC: lambda *_: LogisticOnBins(), EBM: _make_ebm,
    FAST: _make_fast,
}


def _find_lacking(name: str) -> str:
    """Why a peer cannot be asked here; nothing where it can."""
    for module in {EBM: ("interpret",), FAST: ("imodels", "numba")}.get(name, ()):
        try:
            __import__(module)
        except ImportError:
            return f"not installed here ({module})"
    return ""


def warm_up() -> None:
    """FastRiskScore compiles itself once on a machine; that is nobody's fit time."""
    if not _find_lacking(FAST):
        frame, happened = breast_cancer()
        _make_fast(0, 3).fit(frame.head(100), happened[:100])


def name_versions() -> Iterator[str]:
    """What was compared with, as installed."""
    from importlib.metadata import PackageNotFoundError, version

    for package in ("scikit-learn", "interpret-core", "imodels", "numba"):
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            yield f"no {package}"
