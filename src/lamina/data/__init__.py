"""Raw material: reading any source into a table, understanding columns, splitting, preparing and streaming."""

from lamina.data.album import FINER, Colour, album_block, album_shape, look_through, scattered
from lamina.data.batch import WHOLE, Batch, Block, Chunk, Facts, Place, Ragged, Values, in_rows
from lamina.data.cast import ChecksPlan, Problem, cast
from lamina.data.checks import check
from lamina.data.column import KINDS, ROLES, Column, Kind, Role
from lamina.data.drawn import Rest, draw
from lamina.data.finding import Finding, setting
from lamina.data.fingerprint import changes, contents, fingerprint, fingerprint_of
from lamina.data.kinds import guess_targets, understand
from lamina.data.leaks import leaks
from lamina.data.pairs import MOST_ANSWERS, OF_THEIR_OWN, how_answered
from lamina.data.photo import (
    apart,
    brightness,
    cut,
    each_turned,
    packed,
    photo_block,
    photos_of,
    resized,
    together,
    turned,
    turned_back,
    whole_steps,
)
from lamina.data.picture import PICTURES, decode, size
from lamina.data.profile import profile
from lamina.data.published_tokens import PublishedTokens
from lamina.data.read import read
from lamina.data.reservoir import Reservoir
from lamina.data.samples import SAMPLES, sample, write_sample
from lamina.data.slicing import slices
from lamina.data.split import Split, SplitPlan, folds, make_split, named_parts
from lamina.data.split import fingerprint as split_fingerprint
from lamina.data.store import MEDIA_CHUNK_ROWS, StoredBlock, in_threads, open_block, prepare_once, writing
from lamina.data.stream import Lengths, RowStream, Stream
from lamina.data.table import CHUNK_ROWS, Media, Origin, Table
from lamina.data.vocabulary import END, FIRST, START, UNKNOWN, UNSEEN, Unit, Vocabulary, numbered, texts_of
from lamina.data.words import Division, Words, divided, division_of, entries, listed

__all__ = [
    "CHUNK_ROWS",
    "END",
    "FINER",
    "FIRST",
    "KINDS",
    "MEDIA_CHUNK_ROWS",
    "MOST_ANSWERS",
    "OF_THEIR_OWN",
    "PICTURES",
    "ROLES",
    "SAMPLES",
    "START",
    "UNKNOWN",
    "UNSEEN",
    "WHOLE",
    "Batch",
    "Block",
    "ChecksPlan",
    "Chunk",
    "Colour",
    "Column",
    "Division",
    "Facts",
    "Finding",
    "Kind",
    "Lengths",
    "Media",
    "Origin",
    "Place",
    "Problem",
    "PublishedTokens",
    "Ragged",
    "Reservoir",
    "Rest",
    "Role",
    "RowStream",
    "Split",
    "SplitPlan",
    "StoredBlock",
    "Stream",
    "Table",
    "Unit",
    "Values",
    "Vocabulary",
    "Words",
    "album_block",
    "album_shape",
    "apart",
    "brightness",
    "cast",
    "changes",
    "check",
    "contents",
    "cut",
    "decode",
    "divided",
    "division_of",
    "draw",
    "each_turned",
    "entries",
    "fingerprint",
    "fingerprint_of",
    "folds",
    "guess_targets",
    "how_answered",
    "in_rows",
    "in_threads",
    "leaks",
    "listed",
    "look_through",
    "make_split",
    "named_parts",
    "numbered",
    "open_block",
    "packed",
    "photo_block",
    "photos_of",
    "prepare_once",
    "profile",
    "read",
    "resized",
    "sample",
    "scattered",
    "setting",
    "size",
    "slices",
    "split_fingerprint",
    "texts_of",
    "together",
    "turned",
    "turned_back",
    "understand",
    "whole_steps",
    "write_sample",
    "writing",
]
