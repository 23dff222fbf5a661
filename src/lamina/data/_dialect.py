"""How a delimited text is written: its encoding, what stands between cells, and whether quotation marks count."""

import codecs
import re
from collections import Counter

import numpy as np

from lamina.data._records import pieces
from lamina.ground.errors import DataError

SEPARATORS = "\t;,|^~\x01\x1f"
"""What may stand between cells, the safest first: a tab seldom lies inside a cell, a comma often."""
HEAD = 256 << 10
"""Bytes from which the separator is guessed."""
MOSTLY = 0.6
"""Share of the lines that must have the same number of cells for a text to be a table; others may be mistakes."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[nN][aA][nN]|\?|NA")


def encoding_of(data: np.ndarray, where: str) -> tuple[str, int, str | None]:
    """How a text is encoded.

    Args:
        data: (bytes,) uint8, the whole file.
        where: the file's name for messages.

    Returns:
        The encoding, how many bytes its mark takes, and what a person should know of the guess or None.
    """
    head = data[:4096].tobytes()
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            if encoding == "utf-8" and (problem := _first_not_utf8(data)) is not None:
                line = int(np.count_nonzero(data[:problem] == 10)) + 1
                raise DataError(
                    f"{where}, line {line}: the file says it is UTF-8, but this line is not: it seems to be put "
                    f"together from files of several encodings. Save all of it as UTF-8."
                )
            return encoding, len(mark), None
    if len(head) >= 4 and head.count(0) > len(head) // 4:
        encoding = "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
        return encoding, 0, f"{where}: read as {encoding.upper()}, because every other byte is zero."
    problem = _first_not_utf8(data)
    if problem is None:
        return "utf-8", 0, None
    encoding = "cp1252"
    try:
        data.tobytes().decode(encoding)
    except UnicodeDecodeError:
        encoding = "latin-1"
    line = int(np.count_nonzero(data[:problem] == 10)) + 1
    shown = data[problem : problem + 1].tobytes().decode(encoding)
    name = {"cp1252": "Windows-1252", "latin-1": "Latin-1"}[encoding]
    return encoding, 0, f"{where}: not UTF-8 at line {line}; read as {name}, in which that character is {shown!r}."


def _first_not_utf8(data: np.ndarray, piece: int = 16 << 20) -> int | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), piece):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(data[start : start + piece].tobytes(), final=start + piece >= len(data))
        except UnicodeDecodeError as error:
            return start - pending + error.start
    return None


def as_utf8(data: np.ndarray, encoding: str, mark: int, where: str) -> np.ndarray:
    """The text as UTF-8 with one newline after each line; the same array when it is so already."""
    if encoding != "utf-8":
        try:
            text = data[mark:].tobytes().decode(encoding)
        except UnicodeDecodeError as error:
            raise DataError(
                f"{where} says it is {encoding.upper()} but is not, at byte {error.start + mark:,}. Save it as UTF-8."
            ) from error
        data = np.frombuffer(text.encode(), np.uint8)
    else:
        data = data[mark:]
    head = data[:HEAD]
    if not (head == 10).any() and (head == 13).any():  # line ends of old Macs
        data = np.where(data == 13, np.uint8(10), data)
    return data


def separator_of(data: np.ndarray, suffix: str) -> str | None:
    """What stands between the cells, or None if there seems to be one column.

    The whole of the beginning must agree: the separator that gives every record the same number of cells, two or
    more, wins. Without one, whatever nearly every record agrees on, or what the suffix promises and the first line
    has, is returned, so that the survey of the whole file can name the line that differs.
    """
    head = _head(data)
    promised = {".tsv": "\t", ".tab": "\t", ".csv": ","}.get(suffix, "")
    order = promised + SEPARATORS.replace(promised, "") if promised else SEPARATORS
    agreement = {separator: _agreement(head, separator) for separator in order}
    for least in (1.0, 0.9):
        for separator in order:
            if agreement[separator] >= least:
                return separator
    first = head[: int(np.argmax(head == 10))] if (head == 10).any() else head
    counts = {separator: int(np.count_nonzero(first == ord(separator))) for separator in order}
    most = max(order, key=lambda separator: (separator == promised and counts[separator] > 0, counts[separator]))
    return most if counts[most] and agreement[most] > 0 else None


def is_divided(data: np.ndarray) -> bool:
    """Whether a separator divides most lines of a text into the same number of cells: then it is a table, not prose."""
    head = _head(data)
    lines = np.count_nonzero(head[:-1] == 10) + 1 if len(head) else 0
    return bool(lines > 1 and max(_agreement(head, separator) for separator in SEPARATORS) > MOSTLY)


def _head(data: np.ndarray) -> np.ndarray:
    """The beginning of a text, up to the end of a line where there is one."""
    head = data[:HEAD]
    if len(head) < len(data) and (head == 10).any():
        head = head[: len(head) - int(np.argmax(head[::-1] == 10))]
    return head


def _agreement(head: np.ndarray, separator: str) -> float:
    """The share of records that have the commonest number of cells, 0 if that is one cell.

    Read with and without quotation marks, the better counts: prose has marks that are never closed.
    """
    best = 0.0
    for quoted in (True, False):
        widths = Counter[int]()
        for piece in pieces(head, ord(separator), quoted):
            if not piece.is_open:
                lengths = piece.ends - piece.starts
                widths.update(piece.widths[(lengths > 1) | (piece.widths > 1)].tolist())
        if widths:
            width, count = widths.most_common(1)[0]
            best = max(best, count / widths.total() if width > 1 else 0.0)
    return best


def columns_of_blanks(data: np.ndarray) -> np.ndarray | None:
    """Numbers set apart by runs of blanks, as text with tabs; None when that is not how the text is written."""
    lines = data[:HEAD].tobytes().splitlines()[:200]
    rows = [line.split() for line in (lines[:-1] if len(data) > HEAD else lines) if line.strip()]
    widths = {len(row) for row in rows}
    if len(widths) != 1 or widths == {1} or not all(_NUMBER.fullmatch(cell) for row in rows for cell in row):
        return None
    tabbed = (b"\t".join(line.split()) for line in data.tobytes().split(b"\n"))
    return np.frombuffer(b"\n".join(tabbed), np.uint8)
