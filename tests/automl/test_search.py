"""What is tried, in what order, and what is left alone. Trials are answered by a made-up oracle."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from optuna.samplers import TPESampler

from flowml.automl.algorithms import algorithms_for
from flowml.automl.costs import Costs
from flowml.automl.portfolio import PORTFOLIO
from flowml.automl.sampler import STARTUP, Sampler
from flowml.automl.search import DRAWS, MOST_DRAWN, Candidate, Search
from flowml.storage.errors import SpecError
from flowml.storage.records import JobSpec, Task, TrialRecord, TrialState
from tests.automl.algorithms.folds import shape_of

SKILL = {"dummy": 0.5, "logistic": 0.8, "lightgbm": 0.9, "catboost": 0.91, "xgboost": 0.89}


def answer(candidate: Candidate, seconds: float = 1.0, **changes: Any) -> TrialRecord:
    score = (
        SKILL.get(candidate.algorithm, 0.85) - abs(candidate.params.get("learning_rate", 0.05) - 0.05) / 10
    )
    record = TrialRecord(
        candidate.number,
        candidate.algorithm,
        candidate.params,
        TrialState.COMPLETE,
        candidate.stage,
        candidate.seed,
        score=score,
        fold_scores=(score,) * 5,
        seconds=seconds,
        rows=candidate.rows,
    )
    return replace(record, **changes)


def play(search: Search, trials: int, remaining_s: float = 600.0) -> list[Candidate]:
    asked = []
    for _ in range(trials):
        candidate = search.ask(remaining_s)
        if candidate is None:
            break
        asked.append(candidate)
        search.tell(answer(candidate))
    return asked


def search_of(task: Task = Task.BINARY, completed: Any = (), rows: int = 2000, **spec: Any) -> Search:
    return Search(shape_of(task, rows=rows), JobSpec("y", **spec), completed)


def test_a_baseline_comes_first_then_each_algorithm_then_variants_then_the_sampler() -> None:
    asked = play(search_of(), 40)
    families = [candidate.algorithm for candidate in asked]
    assert asked[0].stage == "baseline"
    served = {row.key for row in algorithms_for(Task.BINARY)}
    keys = {"dummy"} | {entry.algorithm for entry in PORTFOLIO if entry.wave == 1} & served
    assert set(families[: len(keys)]) == keys
    stages = [candidate.stage for candidate in asked[1:]]
    assert stages == sorted(stages, key=["portfolio", "search"].index)
    assert stages[-1] == "search"
    assert [candidate.number for candidate in asked] == list(range(40))


def test_the_cheapest_algorithms_of_the_portfolio_come_first() -> None:
    asked = play(search_of(), 4)
    costs = Costs(shape_of(Task.BINARY, rows=2000))
    assert asked[1].algorithm == "logistic"
    assert asked[2].algorithm == "lightgbm"
    assert costs.seconds("logistic", asked[1].params) < costs.seconds("lightgbm", asked[2].params)


def test_good_algorithms_are_sampled_more_often() -> None:
    sampled = [c.algorithm for c in play(search_of(), 80) if c.stage == "search"]
    assert sampled.count("catboost") > sampled.count("logistic")
    assert sampled.count("lightgbm") > sampled.count("random_forest")


def test_the_same_answers_give_the_same_candidates() -> None:
    assert play(search_of(), 35) == play(search_of(), 35)
    assert play(search_of(), 35) != play(search_of(seed=1), 35)


def test_several_children_may_ask_before_any_answer() -> None:
    search = search_of()
    asked = [search.ask(600) for _ in range(15)]
    assert len({c.number for c in asked if c}) == 15
    for candidate in reversed(asked):
        assert candidate is not None
        search.tell(answer(candidate))
    assert search.ask(600) is not None
    waiting = search_of()
    while waiting.ask(600):
        pass  # the portfolio ends; the sampler waits for the first answer


def test_what_cannot_finish_is_made_lighter_or_left_out() -> None:
    search = search_of(rows=9_000)
    costs = Costs(shape_of(Task.BINARY, rows=9_000))
    lightened = []
    while candidate := search.ask(1.5):
        needed = costs.seconds(candidate.algorithm, candidate.params)
        assert needed < 2.25
        assert candidate.limit_s is not None
        assert candidate.limit_s <= 1.5
        lightened.append(candidate.params.get("learning_rate", 0) > 0.06)
        search.tell(answer(candidate, seconds=needed))
        if len(lightened) > 30:
            break
    assert any(lightened)
    assert any("could not finish" in words for words in search.left_out)
    assert search.ask(0.001) is None


def test_a_trial_that_is_sampled_knows_only_params_of_its_own_algorithm() -> None:
    sampler, shape = Sampler(0), shape_of(Task.BINARY)
    rows = algorithms_for(Task.BINARY, ("lightgbm", "xgboost"))
    for number in range(2 * STARTUP):
        row = rows[number % 2]
        params = sampler.ask(number, row, shape)
        record = answer(Candidate(number, row.key, params))
        sampler.tell(record, row, shape, 1 - (record.score or 0))
    sampler.ask(100, rows[0], shape)
    trial = sampler._open[100]
    assert {name.partition(".")[0] for name in trial.relative_params} == {"lightgbm"}


def test_no_trial_of_the_first_wave_takes_the_time_of_the_others() -> None:
    search = search_of()
    asked = play(search, 1)  # the baseline
    search.ask(60.0)
    while len(asked) < 6:
        candidate = search.ask(60.0)  # two at a time
        assert candidate is not None
        asked.append(candidate)
        search.tell(answer(candidate))
    limits = [candidate.limit_s or 0.0 for candidate in asked[1:]]
    assert limits == sorted(limits)
    assert limits[0] == pytest.approx(60 / 2)  # the first model is waited for
    assert limits[1] == pytest.approx(60 * 2 / 4)
    assert limits[-1] >= 0.8 * 60


def test_what_outran_its_time_is_followed_by_something_smaller() -> None:
    search = Search(replace(shape_of(Task.BINARY, rows=300_000), folds=1), JobSpec("y"))
    play(search, 1, 40.0)  # the baseline
    rows = []
    for _ in range(3):  # on a machine that is busy with other things
        candidate = search.ask(40.0)
        assert candidate is not None
        assert candidate.limit_s is not None
        assert candidate.limit_s >= 20.0
        rows.append((candidate.algorithm, candidate.rows or 300_000))
        late = {"state": TrialState.FAILED, "score": None, "seconds": candidate.limit_s + 1, "rows": None}
        search.tell(answer(candidate, **late))
    assert len(dict(rows)) == 3
    assert [size for _, size in rows] == sorted((size for _, size in rows), reverse=True)
    assert rows[-1][1] == 10_000


def test_limits_on_trials_are_kept() -> None:
    assert len(play(search_of(max_trials=6), 50)) == 7  # and the baseline
    asked = [c.algorithm for c in play(search_of(trials_per_algorithm=2), 50)]
    assert max(asked.count(key) for key in set(asked)) == 2
    chosen = play(search_of(algorithms=("catboost", "logistic")), 30)
    assert {c.algorithm for c in chosen} == {"dummy", "catboost", "logistic"}


def test_unknown_algorithms_are_refused() -> None:
    with pytest.raises(SpecError, match="Unknown algorithm 'magic'"):
        search_of(algorithms=("magic",))


def test_failed_algorithms_are_not_sampled_on() -> None:
    search, asked = search_of(), []
    for _ in range(60):
        candidate = search.ask(600)
        assert candidate is not None
        asked.append(candidate)
        failed = {"state": TrialState.FAILED, "score": None} if candidate.algorithm == "xgboost" else {}
        search.tell(answer(candidate, **failed))
    assert not [c for c in asked if c.stage == "search" and c.algorithm == "xgboost"]


def test_a_study_goes_on_where_it_was_left() -> None:
    first = play(search_of(), 12)
    records = [answer(candidate) for candidate in first]
    rest = play(search_of(completed=records), 20)
    assert rest[0].number == 12
    assert not [c for c in rest if c.stage == "baseline"]
    done = {(c.algorithm, str(c.params)) for c in first}
    assert not [c for c in rest if (c.algorithm, str(c.params)) in done]


def test_sampled_trials_have_a_bar_to_clear() -> None:
    sampled = [c for c in play(search_of(), 40) if c.stage == "search"]
    assert all(len(c.bar) == 5 and min(c.bar) >= 0.9 for c in sampled)


def large(completed: Any = ()) -> Search:
    shape = replace(shape_of(Task.BINARY, rows=4_000_000), folds=1, valid_rows=30_000)
    return Search(shape, JobSpec("y"), completed)


def play_large(search: Search, trials: int) -> list[TrialRecord]:
    """With the time that each trial was expected to take, and that passes."""
    costs = Costs(replace(shape_of(Task.BINARY, rows=4_000_000), folds=1, valid_rows=30_000))
    left, ended = 300.0, []
    for _ in range(trials):
        candidate = search.ask(left)
        if candidate is None:
            break
        needed = costs.seconds(candidate.algorithm, candidate.params, candidate.rows)
        ended.append(answer(candidate, seconds=needed))
        search.tell(ended[-1])
        costs.learn(ended[-1])
        left -= needed
    assert left > -30
    return ended


def test_a_large_table_is_learned_from_samples_that_grow_for_the_better_algorithms() -> None:
    ended = play_large(large(), 60)[1:]
    sizes = list(dict.fromkeys(record.rows for record in ended))
    assert len(sizes) >= 3
    assert sizes[:-1] == sorted(size for size in sizes if size)
    first = {record.algorithm for record in ended if record.rows == sizes[0]}
    assert first >= {"logistic", "lightgbm", "catboost", "xgboost", "extra_trees", "random_forest"}
    grown = [record for record in ended if record.rows != sizes[0] and record.stage == "portfolio"]
    later = {record.algorithm for record in grown}
    assert "catboost" in later
    assert len(later) < len(first)


def test_a_sample_grows_though_the_slowest_trial_on_it_has_not_ended() -> None:
    search, slow = large(), None
    for _ in range(40):
        candidate = search.ask(300.0)
        assert candidate is not None
        if slow is None and candidate.algorithm == "catboost":
            slow = candidate
            continue
        if slow is not None and (candidate.rows or 0) > (slow.rows or 0):
            break
        search.tell(answer(candidate))
    else:
        raise AssertionError("it never grew")
    assert slow is not None
    assert {"catboost"} & {c.algorithm for c in [candidate, *(search.ask(300.0) for _ in range(4))] if c}


def test_a_study_on_samples_goes_on_where_it_was_left() -> None:
    done = play_large(large(), 6)
    rest = play_large(large(done), 6)
    known = {(record.algorithm, record.rows, str(record.params)) for record in done}
    assert not known & {(record.algorithm, record.rows, str(record.params)) for record in rest}


def test_a_table_of_ordinary_size_is_learned_whole() -> None:
    assert {candidate.rows for candidate in play(search_of(rows=20_000), 20, remaining_s=60.0)} == {None}


def test_a_sampled_trial_costs_no_more_than_a_few_of_the_defaults() -> None:
    search = search_of(rows=20_000, algorithms=("xgboost",))
    costs = Costs(shape_of(Task.BINARY, rows=20_000))
    shape = shape_of(Task.BINARY, rows=20_000)
    (row,) = algorithms_for(Task.BINARY, ("xgboost",))
    usual = costs.seconds("xgboost", row.defaults(shape))
    sampled = [c for c in play(search, 40, remaining_s=40 * usual) if c.stage == "search"]
    assert len(sampled) > 10
    assert max(costs.seconds(c.algorithm, c.params) for c in sampled) < 10 * usual


def test_samples_are_few_where_hardly_any_could_fit_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    search, drawn = search_of(), []
    play(search, 40)
    ask = Sampler.ask
    monkeypatch.setattr(Sampler, "ask", lambda *asked: (drawn.append(asked), ask(*asked))[1])
    for remaining_s in (0.4, 0.3, 0.2, 0.2, 0.01):
        drawn.clear()
        search.ask(remaining_s)
        assert len(drawn) <= MOST_DRAWN * DRAWS
    assert not drawn


def test_spaces_are_inferred_once_for_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    inferred: list[Any] = []
    infer = TPESampler.infer_relative_search_space
    monkeypatch.setattr(
        TPESampler, "infer_relative_search_space", lambda *asked: (inferred.append(asked), infer(*asked))[1]
    )
    search = search_of()
    play(search, 30)
    search.ask(600.0)
    count = len(inferred)
    search.ask(600.0)
    search.ask(600.0)
    assert 0 < len(inferred) == count
