"""Pictures in folders become rows: a reference in the column `image`, and the folder's name in the column `class`."""

from collections.abc import Sequence

import polars as pl

from lamina.data.class_folders import pieces_by_class
from lamina.data.join import Piece
from lamina.data.media import Places
from lamina.data.place import Place
from lamina.data.table import Origin, Table


def picture_pieces(found: Sequence[tuple[Place, Sequence[str]]], places: Places) -> list[Piece]:
    """A table for each place and part.

    Args:
        found: places with the members that are pictures.
        places: the media that will open them.

    Raises:
        DataError: if some pictures lie in class folders and others beside them.
    """

    def table_of(place: Place, members: Sequence[str]) -> Table:
        references = [f"{place.name}/{member}" for member in members]
        frame = pl.DataFrame({"image": references}, schema={"image": pl.String})
        return Table(frame, {"image": places}, (Origin(place.name, len(members), unit="picture"),))

    return pieces_by_class(found, "pictures", table_of)
