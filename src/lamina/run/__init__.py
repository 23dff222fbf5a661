"""The artifact: fitting one plan, judging it beside simpler ways, and the folder that holds all of it."""

from lamina.run.baselines import Baseline, Baselines, fit_baselines, naive_baseline
from lamina.run.enlarge import enlarge
from lamina.run.ensemble import fit_ensemble
from lamina.run.evaluate import (
    Judged,
    compare,
    evaluate_answers,
    evaluate_fitted,
    evaluate_table,
    figures,
    gather,
    known_answers,
    notes_of,
    plain_evaluation,
    together,
)
from lamina.run.evaluate_photos import evaluate_other_photos
from lamina.run.evaluate_pictures import evaluate_other_pictures
from lamina.run.evaluate_rows import evaluate_other_rows
from lamina.run.eye import Eye
from lamina.run.fit_eye import fit_eye
from lamina.run.fit_plan import fit_plan
from lamina.run.fitted import Fitted
from lamina.run.folder import RunFolder, columns_from_plain, columns_to_plain, load_trained
from lamina.run.golden import check_golden, write_golden
from lamina.run.joint import Job, divides, help_fit
from lamina.run.keep_eye import keep_eye, load_eye
from lamina.run.make import classes_of, make, make_rows
from lamina.run.parts import fit_parts, load_facts, prepare_parts, save_facts
from lamina.run.prepared import Prepared, one_batch, prepare
from lamina.run.rivals import fit_rivals, fit_rivals_again, places_of
from lamina.run.sheet import image, png, sheet
from lamina.run.study import FOLDS_BELOW, Study, look, study, typical_side
from lamina.run.tasks import TASKS, Found, Task
from lamina.run.teaching import layers_beside, objective_of
from lamina.run.trained import Trained, raw_scores, truths
from lamina.run.verdict import Rival, in_words, verdict
from lamina.run.wishes import Wishes
from lamina.run.writing import Writing

__all__ = [
    "FOLDS_BELOW",
    "TASKS",
    "Baseline",
    "Baselines",
    "Eye",
    "Fitted",
    "Found",
    "Job",
    "Judged",
    "Prepared",
    "Rival",
    "RunFolder",
    "Study",
    "Task",
    "Trained",
    "Wishes",
    "Writing",
    "check_golden",
    "classes_of",
    "columns_from_plain",
    "columns_to_plain",
    "compare",
    "divides",
    "enlarge",
    "evaluate_answers",
    "evaluate_fitted",
    "evaluate_other_photos",
    "evaluate_other_pictures",
    "evaluate_other_rows",
    "evaluate_table",
    "figures",
    "fit_baselines",
    "fit_ensemble",
    "fit_eye",
    "fit_parts",
    "fit_plan",
    "fit_rivals",
    "fit_rivals_again",
    "gather",
    "help_fit",
    "image",
    "in_words",
    "keep_eye",
    "known_answers",
    "layers_beside",
    "load_eye",
    "load_facts",
    "load_trained",
    "look",
    "make",
    "make_rows",
    "naive_baseline",
    "notes_of",
    "objective_of",
    "one_batch",
    "places_of",
    "plain_evaluation",
    "png",
    "prepare",
    "prepare_parts",
    "raw_scores",
    "save_facts",
    "sheet",
    "study",
    "together",
    "truths",
    "typical_side",
    "verdict",
    "write_golden",
]
