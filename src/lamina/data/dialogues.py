"""Conversations as YAML, as the ChatterBot corpus lays them out: each turn and the next are a question and its answer.

    conversations:
    - - What is AI?
      - The branch of engineering that builds machines which think.

Every turn is taken as the text that it is, so that `- Yes` and `- 42` stay words. Nothing is built but
text: no types, no tags, no references.
"""

from itertools import pairwise

import polars as pl
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lamina.data._dialect import as_utf8, encoding_of
from lamina.data.delimited import contents_of
from lamina.data.place import File
from lamina.data.table import Origin, Table
from lamina.ground.errors import DataError, listing

ENDINGS = (".yml", ".yaml")
LONGEST = 64 * 2**20
"""Bytes of a file at most: YAML is read slowly, and as a whole."""
UNUSABLE = 0.05
"""The share of conversations above which a file is refused instead of read without them."""


def read_dialogues(file: File) -> list[Table]:
    """The one table of a file of conversations: `question`, `answer`, a row for each two turns that follow each other.

    Conversations that are no lists of texts are left out, with a note.

    Raises:
        DataError: if it is no YAML or holds no conversations, or too many of them cannot be used; with the line.
    """
    data = contents_of(file)
    if len(data) > LONGEST:
        raise DataError(f"{file.name} holds {len(data) / 2**20:,.0f} MiB; conversations in YAML are read up to "
                        f"{LONGEST // 2**20}. Write large data as JSONL, an object a line.")  # fmt: skip
    encoding, mark, note = encoding_of(data, file.name)
    text = as_utf8(data, encoding, mark, file.name).tobytes().decode(errors="replace")
    pairs: list[tuple[str, str]] = []
    lines: list[int] = []
    bad: list[int] = []
    conversations = _conversations(_composed(text, file.name), file.name)
    for node in conversations:
        turns = _turns(node)
        if len(turns) < 2:
            bad.append(node.start_mark.line + 1)
        for (question, line), (answer, _) in pairwise(turns):
            pairs.append((question, answer))
            lines.append(line)
    what = f"{len(bad):,} of {len(conversations):,} conversations are no lists of two texts or more"
    if not pairs or len(bad) > UNUSABLE * len(conversations):
        first = f", the first in line {bad[0]}" if bad else ""
        raise DataError(f"{file.name}: {what}{first}. A conversation is a list of turns, `- - question` and below it "
                        "`  - answer`; a turn with : in it belongs in quotation marks.")  # fmt: skip
    notes = [note] if note else []
    if bad:
        notes.append(f"{file.name}: {what} and are left out; the first in line {bad[0]}.")
    frame = pl.DataFrame(pairs, schema={"question": pl.String, "answer": pl.String}, orient="row")
    origin = Origin(file.name, len(pairs), lines=tuple(lines))
    return [Table(frame, origins=(origin,), notes=tuple(notes), targets=("answer",))]


def _composed(text: str, where: str) -> Node | None:
    """The tree of a YAML text, its values as they are written."""
    try:
        return YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{where}, line {mark.line + 1}" if mark else where
        why = " ".join(str(getattr(error, "problem", None) or error).split())
        raise DataError(f"{place}: this is not YAML: {why}. Text with : or # belongs in quotation marks.") from error
    except (RecursionError, ValueError, TypeError) as error:
        raise DataError(f"{where}: this is not YAML that holds conversations ({type(error).__name__}).") from error


def _conversations(tree: Node | None, where: str) -> list[Node]:
    """What stands in the list of conversations."""
    entries = tree.value if isinstance(tree, MappingNode) else []
    keys = [str(key.value) for key, _ in entries]
    found = next((value for key, value in entries if key.value == "conversations"), None)
    if not isinstance(found, SequenceNode):
        seen = f"the keys {listing(keys)}" if keys else "no keys"
        raise DataError(f"{where}: expected a list `conversations:` of lists of turns, found {seen}.")
    if len({id(each) for each in found.value}) < len(found.value):  # a few bytes could ask for any number of rows
        raise DataError(f"{where}: it repeats a conversation by reference (*name). Write it out.")
    return list(found.value)


def _turns(node: Node) -> list[tuple[str, int]]:
    """What is said in each turn, with its line; nothing where that is no list of texts."""
    turns = node.value if isinstance(node, SequenceNode) else []
    if not all(isinstance(turn, ScalarNode) for turn in turns):
        return []
    return [(str(turn.value).strip(), turn.start_mark.line + 1) for turn in turns]
