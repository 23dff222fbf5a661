"""One training, top to bottom: from cells as they were found to a run that can be trusted."""

import datetime
import json
import shutil
import time as clock_time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from lamina.api.choice import choose, look, other_plan
from lamina.api.lines import data_lines, network_line, result_lines
from lamina.api.place import refuse_data, same_request
from lamina.api.request import Request
from lamina.api.run import Run
from lamina.api.signals import Signals
from lamina.data import contents, fingerprint_of, profile, split_fingerprint
from lamina.ground import VERSION, Interrupted, machine, pick_device, write_json
from lamina.hidden import HiddenLayer
from lamina.inputs import ImageInput
from lamina.network import build_network
from lamina.report import Teller, write_card, write_report
from lamina.run import (
    TASKS,
    Baselines,
    Found,
    Prepared,
    RunFolder,
    Study,
    Wishes,
    columns_to_plain,
    fit_eye,
    fit_rivals,
    keep_eye,
    one_batch,
    places_of,
    prepare,
    write_golden,
)
from lamina.search import Candidates, Chosen, fit_candidates, judge_by_folds, may_mirror
from lamina.training import History, Ranks

_FINISH_SECONDS = 6.0
"""Kept back for judging, golden answers and the report."""
_FINISH_SHARE = 0.04
_BASELINE_SHARE = 0.15
"""The classical models' part of the time."""


@dataclass
class Training:
    """One training on its way; the methods follow each other as in `run`."""

    sources: Sequence[object]
    tests: Sequence[object]
    request: Request
    folder: RunFolder
    hidden: HiddenLayer | None
    teller: Teller
    started: float
    ranks: Ranks | None = None
    """The processes that train together, of which this is the first."""
    signals: Signals = field(default_factory=Signals)

    def run(self) -> Run:
        """All of it."""
        self._begin()
        try:
            with self.signals.caught():
                seen = self._look()
                prepared = self._mirror(seen, self._prepare(seen))
                rivals = self._rivals(prepared) if TASKS[seen.task].rivals else {}
                prepared = self._with_eye(prepared) if TASKS[seen.task].eye else prepared
                chosen = self._fit(self._candidates(seen, prepared))
                self._judge(seen, chosen, rivals)
                return self._write(seen, chosen)
        except Interrupted as stop:
            raise Interrupted(f"{stop} {self._what_remains(stop.saved)}", stop.signal_number, stop.saved) from None
        finally:
            self.teller.end()

    def _what_remains(self, saved: bool) -> str:
        """What the same command will do after an interruption, in words."""
        if self.folder.has_learned and not saved:
            return f"The same command goes on from the last good checkpoint in {self.folder.path}."
        if self.folder.has_learned:
            return f"Everything is saved in {self.folder.path}: the same command goes on."
        return "Nothing was learned yet: the same command begins again."

    def _elapsed(self) -> float:
        return clock_time.monotonic() - self.started

    def _left(self, share: float = 1.0) -> float | None:
        """Seconds left of this share of the whole time; None without a limit."""
        if self.request.seconds is None:
            return None
        finish = _FINISH_SECONDS * min(1.0, self.request.seconds / 60) + _FINISH_SHARE * self.request.seconds
        return max(share * (self.request.seconds - finish) - self._elapsed(), 2.0)

    def _begin(self) -> None:
        """The same request goes on; another one only where nothing was learned that it would write over."""
        self.timing: dict[str, float] = {}
        if self.folder.has_learned:
            same_request(self.folder, self.sources, self.tests, self.request)
        self.goes_on = self.folder.is_run and not self.request.differences(self.folder.state().get("request") or {})

    def _look(self) -> Study:
        """Read, understand, split."""
        seen = look(self.sources, self.tests, self.request)
        for label, text in data_lines(seen):
            self.teller.say(label, text)
        self.held = contents(seen.found, seen.digest)
        if self.goes_on and self.folder.state()["data"] != fingerprint_of(self.held):
            if self.folder.has_learned:
                refuse_data(self.folder, self.held)
            self.goes_on = False
        self.by_folds = seen.by_folds and self.hidden is None
        self._note_time("read")
        return seen

    def _prepare(self, seen: Study) -> Prepared:
        """Choose every part; fit parts on training rows; decode and keep what they take."""
        plan = choose(seen, self.request, self._decisions().get("mirror"))
        prepared = prepare(plan, seen.table, seen.columns, seen.split, self.teller.work, seen.rest)
        self.teller.end()
        for finding in prepared.findings:
            self.teller.say(finding.level, finding.text + (f"; {finding.remedy}" if finding.remedy else ""))
        if prepared.problems:
            row, why = next(iter(prepared.problems.items()))
            self.teller.say("warning", f"{len(prepared.problems):,} rows cannot be used and are left out; "
                                       f"the first: {seen.where(row)}: {why}")  # fmt: skip
        pick_device(plan.training.device)
        if self.hidden is not None or self.request.given:  # a slip shows now, before time is spent on simpler ways
            build_network(plan, prepared.facts, self.hidden)
        self._open()
        self._write_data(seen, prepared)
        self._note_time("prepare")
        return prepared

    def _open(self) -> None:
        """Write what was asked for, now that data and plan have shown that they can be used: a slip leaves no run."""
        if not self.goes_on:
            now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            self.folder.start(request=json.loads(json.dumps(asdict(self.request), default=str)),
                              lamina=VERSION, started=now, finished=False, decisions={},
                              data=fingerprint_of(self.held),
                              places=places_of(self.folder, self.sources),
                              test_places=places_of(self.folder, self.tests))  # fmt: skip
            self.goes_on = True

    def _decisions(self) -> dict[str, Any]:
        """What was decided by the clock or by trying, in this or an earlier part of the same training."""
        return self.folder.state()["decisions"] if self.goes_on else {}

    def _mirror(self, seen: Study, prepared: Prepared) -> Prepared:
        """Find out whether pictures may be mirrored; once, for it costs a short training."""
        decisions = self._decisions()
        soon = prepared.plan.training.ends_at_a_figure  # perhaps before the pilot would have told anything
        if "mirror" not in decisions and self.hidden is None and not soon:
            found = may_mirror(prepared, self._left(), self._wishes())
            if found is not None:
                decisions |= found.decisions | {"mirror": found.allowed, "mirror_reason": found.reason}
                self.folder.update_state(decisions=decisions)
                self.teller.say("mirror", found.reason)
                prepared = replace(prepared, plan=choose(seen, self.request, found.allowed))
        self.folder.write_plan(prepared.plan)
        self._note_time("mirror")
        return prepared

    def _rivals(self, prepared: Prepared) -> dict[str, Baselines]:
        """Simpler ways, learned from the same rows before the network, so that it gets all the time that is left."""
        if self.by_folds:
            return {}
        self.teller.say("baselines", "learning simpler ways to compare with")
        rivals = fit_rivals(prepared, self._baseline_seconds())
        self._note_time("baselines")
        return rivals

    def _with_eye(self, prepared: Prepared) -> Prepared:
        """What will look at the pictures that are made, and choose among the weights: taught before those."""
        wishes = self._wishes(seconds=None if self.request.seconds is None else self._baseline_seconds(),
                              checkpoint=self.folder / "checkpoint", decisions=self._decisions(),
                              decided=self._decided)  # fmt: skip
        with self.signals.saving():
            eye, fitted = fit_eye(prepared, wishes)
        if fitted is not None:
            skill = f"{fitted.chose.key} {fitted.figure:.4g} on the pictures to choose by"
            self.teller.say("classifier", f"learned in {fitted.seconds:,.0f} s what will look at pictures: {skill}")
        self._note_time("classifier")
        return replace(prepared, eye=eye)

    def _baseline_seconds(self) -> float:
        return 60.0 if self.request.seconds is None else _BASELINE_SHARE * self.request.seconds

    def _wishes(self, **more: Any) -> Wishes:
        return Wishes(interrupted=lambda: self.signals.number, hidden=self.hidden, trouble=self._trouble,
                      ranks=self.ranks, **more)  # fmt: skip

    def _trouble(self, text: str) -> None:
        """Say at once what went wrong; the checkpoint and the run keep it."""
        self.teller.end()
        self.teller.say("warning", text)

    def _candidates(self, seen: Study, prepared: Prepared) -> Candidates:
        """The plan, and another one for the same rows where one of the two has to prove itself."""
        other = None if self.hidden is not None else other_plan(seen, self.request, prepared.plan)
        if other is None:
            return Candidates(prepared)
        made = prepare(other.plan, seen.table, seen.columns, seen.split, self.teller.work, seen.rest)
        self.teller.end()
        whole, plain = (prepared, made) if other.is_plainer else (made, prepared)
        return Candidates(whole, plain, other.what, other.plain_share)

    def _fit(self, candidates: Candidates) -> Chosen:
        """Train; go on where an earlier part of the same training stopped."""
        prepared = candidates.whole
        left = self._left()
        if left is not None:
            left = max(left - _judging_seconds(prepared, self._decisions()), left / 2)
        if left is not None and self.by_folds:  # the same training is made six times: once to keep, five times to judge
            left = max(left - self._baseline_seconds(), left / 2) / 6
        decisions = {name: value for name, value in self._decisions().items()
                     if "mirror" not in name and name != "eye"}  # fmt: skip
        wishes = self._wishes(
            seconds=left,
            checkpoint=self.folder / "checkpoint" / ("maker" if prepared.eye else ""),
            history=self.folder / "history.jsonl",
            film=self.folder / "film",
            watchers=(self.teller.news,),
            decisions=decisions,
            decided=self._decided,
        )  # fmt: skip
        with self.signals.saving():
            chosen = fit_candidates(candidates, wishes)
        self.teller.end()
        plan = chosen.fitted.trained.plan
        if plan.training.ensemble < chosen.prepared.plan.training.ensemble:
            self.teller.say("networks", plan.reasons["training.ensemble"])
        if chosen.reason is not None:
            self.teller.say("inputs", f"{chosen.what}: {chosen.reason}")
            plan = replace(plan, reasons={**plan.reasons, "inputs": f"{chosen.what} are {chosen.reason}"})
            History(self.folder / "history.jsonl").replace(chosen.fitted.history)  # not that of the one given up
        chosen = replace(chosen, prepared=replace(chosen.prepared, plan=plan))
        self.folder.write_plan(plan)
        if "processes" in chosen.fitted.decisions:
            self.teller.say("processes", chosen.fitted.decisions["processes"])
        for note in chosen.fitted.notes:
            self.teller.say("weights", note)
        self.teller.say(*network_line(chosen.fitted, chosen.prepared.plan))
        self._note_time("train")
        return chosen

    def _decided(self, decisions: Mapping[str, Any]) -> None:
        """Write what depends on the clock before it takes effect."""
        self.folder.update_state(decisions=self._decisions() | dict(decisions))

    def _judge(self, seen: Study, chosen: Chosen, rivals: dict[str, Baselines]) -> None:
        """Figures on rows never seen; five folds when there are too few of them."""
        prepared, fitted = chosen.prepared, chosen.fitted
        if self.by_folds:
            self.teller.say(
                "folds", f"{len(prepared.table):,} rows are few: five more trainings judge this way of training"
            )
            wishes = self._wishes(seconds=None if self.request.seconds is None else max(fitted.seconds, 1.0))
            evaluation = judge_by_folds(seen, fitted, wishes, self._baseline_seconds(), self.teller.work)
        else:
            found = Found(rivals, seen.where, self.folder.film)
            evaluation = TASKS[seen.task].evaluate(prepared, fitted, found)
        self.evaluation = evaluation | {"machine": machine()}
        write_json(self.folder / "evaluation.json", self.evaluation)
        self._note_time("evaluate")

    def _note_time(self, what: str) -> None:
        self.timing[what] = self._elapsed() - sum(self.timing.values())

    def _write_data(self, seen: Study, prepared: Prepared) -> None:
        problems = prepared.problems
        lost = [{"where": seen.where(row), "reason": why} for row, why in list(problems.items())[:50]]
        lost += [
            {"where": seen.source.where(each.row), "column": each.column, "cell": each.cell, "reason": each.reason}
            for each in seen.problems
        ]
        cells = sum({each.column: each.total for each in seen.problems}.values())
        split = seen.split
        write_json(self.folder / "data.json", {
            "sources": [origin.name for origin in seen.source.origins],
            "rows": seen.rows,
            "held": self.held,
            "notes": list(seen.source.notes),
            "columns": columns_to_plain(seen.columns),
            "targets": list(seen.targets),
            "split": {"how": split.how, "reason": split.reason, "train": len(split.train) + len(prepared.more),
                      "valid": len(split.valid), "test": len(split.test), "fingerprint": split_fingerprint(split)},
            "findings": [asdict(finding) for finding in (*seen.findings, *prepared.findings)],
            "problems": {"rows": len(problems), "cells": cells, "first": lost},
            "profile": profile(seen.table, seen.columns, split.train),
        })  # fmt: skip

    def _write(self, seen: Study, chosen: Chosen) -> Run:
        """Everything that using, repeating and judging the network needs; the manifest last."""
        prepared, fitted = chosen.prepared, chosen.fitted
        folder = self.folder
        folder.write_network(fitted.trained)
        if prepared.eye is not None:
            keep_eye(folder, prepared)
        write_golden(folder / "golden.json", fitted.trained, one_batch(prepared, prepared.split.train[:2]))
        self.timing["total"] = self._elapsed()
        folder.update_state(
            finished=True,
            layers=[asdict(layer) for layer in fitted.layers],
            reasons=dict(prepared.plan.reasons),
            ended=fitted.ended,
            steps=fitted.steps,
            epochs=round(fitted.epochs, 2),
            seconds=round(fitted.seconds, 2),
            best_step=fitted.best_step,
            troubles=fitted.troubles,
            decisions=self._decisions() | fitted.decisions,
            own_hidden=None if self.hidden is None else type(self.hidden).__name__,
            timing={name: round(value, 2) for name, value in self.timing.items()},
        )
        write_card(folder.path)
        write_report(folder.path)
        folder.write_manifest()
        shutil.rmtree(folder / "checkpoint", ignore_errors=True)  # several times the weights, and nothing goes on here
        for label, text in result_lines(self.evaluation, fitted.trained.plan, folder.path):
            self.teller.say(label, text)
        return Run(folder.path, self.hidden)


def _judging_seconds(prepared: Prepared, decisions: Mapping[str, Any]) -> float:
    """Seconds to answer the held-out rows, where that takes long.

    Of pictures a third of a training step for each batch, times the looks at it; of texts that are written about four
    training steps, for several beginnings of each are followed token by token.
    """
    if any(part.kind == "text" for part in prepared.plan.outputs.values()) and "step_seconds" in decisions:
        rows = len(prepared.split.test) or len(prepared.split.valid)
        return 4 * float(decisions["step_seconds"]) / prepared.plan.training.batch_size * rows
    pictures = [part for part in prepared.plan.inputs.values() if isinstance(part, ImageInput)]
    if not pictures or "step_seconds" not in decisions:
        return 0.0  # tables are answered in a moment
    looks = max((6 if part.mirror else 3) if part.looks else 1 for part in pictures)
    rows = len(prepared.split.test) + len(prepared.split.valid)
    return float(decisions["step_seconds"]) / prepared.plan.training.batch_size / 3 * looks * rows
