"""Parquet files of pictures, in the layout of Hugging Face's `datasets`: read and written through pyarrow."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import ImageError, PixelModelError
from .captions import CAPTION_NAMES, caption_in
from .items import Item, Row, Sample
from .names import free_name, inner_key

ROW_GROUP = 100
"""Rows that are kept together, which is what a reader gets at once."""

_AT_ONCE = 16


def need_pyarrow(what: str) -> Any:  # noqa: ANN401 - an optional package has no types here
    """The package pyarrow.

    Args:
        what: begins the message where it is missing.

    Raises:
        PixelModelError: it is not installed.
    """
    try:
        importlib.import_module("pyarrow.parquet")
        return importlib.import_module("pyarrow")
    except ImportError as error:
        msg = f"{what} needs pyarrow; pip install 'pixel-kiln[parquet]'"
        raise PixelModelError(msg) from error


def table_items(path: Path, inside: str, source: str, stamp: str, caption: str) -> Iterator[Item]:
    """Find the pictures of a parquet file; only its structure and the names of pictures are read.

    Args:
        path: the .parquet file.
        inside: what the pictures' keys begin with.
        source: what their sources begin with.
        stamp: theirs.
        caption: the caption's column; empty: the first of `CAPTION_NAMES`.

    Raises:
        PixelModelError: pyarrow is missing.
        ImageError: the file is no parquet file, or has no column of pictures.
    """
    pa = need_pyarrow(f"{path}: reading it")
    try:
        with pa.parquet.ParquetFile(path) as file:
            image, nested = _image_column(path, pa, file.schema_arrow)
            names = [*((caption,) if caption else CAPTION_NAMES)]
            text = next((name for name in names if name in file.schema_arrow.names), "")
            digits = len(str(max(0, file.metadata.num_rows - 1)))
            taken: set[str] = set()
            number = 0
            for group in range(file.num_row_groups):
                count = file.metadata.row_group(group).num_rows
                for row, name in enumerate(_names(file, group, image, count, nested=nested)):
                    told = f"{number:0{digits}}"
                    key = free_name(inner_key(str(Path(name).with_suffix(""))) if name else told, taken)
                    yield Item(
                        key=inside + key,
                        source=f"{source}/{told}",
                        picture=Row(path=str(path), group=group, row=row, image=image, text=text),
                        stamp=stamp,
                    )
                    number += 1
    except (pa.ArrowException, OSError) as error:
        msg = f"{path}: is no whole parquet file ({error})"
        raise ImageError(msg) from error


def _image_column(path: Path, pa: Any, schema: Any) -> tuple[str, bool]:  # noqa: ANN401
    """The first column of pictures: `{bytes, path}`, or bytes; and whether it has paths."""
    for field in schema:
        kind = field.type
        if pa.types.is_struct(kind) and any(kind.field(i).name == "bytes" for i in range(kind.num_fields)):
            return field.name, any(kind.field(i).name == "path" for i in range(kind.num_fields))
    for field in schema:
        if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
            return field.name, False
    msg = f"{path}: has no column of pictures (bytes, or a struct of bytes and path), only {', '.join(schema.names)}"
    raise ImageError(msg)


def _names(file: Any, group: int, image: str, count: int, *, nested: bool) -> Iterator[str]:  # noqa: ANN401
    """The pictures' own names in a row group, where the column has them."""
    if not nested:
        yield from [""] * count
        return
    for batch in file.iter_batches(batch_size=1000, row_groups=[group], columns=[f"{image}.path"]):
        for value in batch.column(0).to_pylist():
            yield (value or {}).get("path") or ""


class TableReader:
    """Reads rows; quick when they come in order, since it goes on where it was."""

    def __init__(self) -> None:
        self._at: tuple[str, int] = ("", -1)
        self._first = 0
        self._rows: list[dict[str, Any]] = []
        self._batches: Iterator[Any] = iter(())

    def read(self, row: Row) -> tuple[bytes, str, str]:
        """The picture's bytes, its other columns as a JSON object, and its caption.

        Raises:
            ImageError: there is no picture in the row.
        """
        if (row.path, row.group) != self._at or row.row < self._first:
            parquet = need_pyarrow(f"{row.path}: reading it").parquet
            self._at, self._first, self._rows = (row.path, row.group), 0, []
            self._batches = parquet.ParquetFile(row.path).iter_batches(batch_size=_AT_ONCE, row_groups=[row.group])
        while row.row >= self._first + len(self._rows):
            self._first += len(self._rows)
            self._rows = next(self._batches).to_pylist()
        values = dict(self._rows[row.row - self._first])
        picture = values.pop(row.image)
        data = picture.get("bytes") if isinstance(picture, dict) else picture
        if not data:
            msg = f"column {row.image!r} holds no bytes in this row"
            raise ImageError(msg)
        kept = {key: value for key, value in values.items() if not isinstance(value, bytes)}
        told = json.dumps(kept, ensure_ascii=False, default=str) if kept else ""
        return data, told, caption_in(values, row.text) if row.text else ""


class TableWriter:
    """Writes samples into a parquet file that `datasets.load_dataset` reads with pictures in the column `image`."""

    def __init__(self, file: BinaryIO) -> None:
        pa = need_pyarrow("parquet")
        text, number = pa.string(), pa.int32()
        self._schema = pa.schema(
            {
                "image": pa.struct({"bytes": pa.binary(), "path": text}),
                "text": text,
                "key": text,
                "source": text,
                "cells": pa.struct({"width": number, "height": number}),
                "palette": pa.list_(text),
                "json": text,
                "metadata": text,
            }
        )
        self._schema = self._schema.with_metadata({"huggingface": json.dumps({"info": {"features": _FEATURES}})})
        self._table = pa.Table
        self._writer = pa.parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._rows: list[Mapping[str, Any]] = []

    def add(self, item: Item, sample: Sample) -> None:
        """Append one row; a full group is written."""
        width, height = sample.cells
        described = sample.sidecars.get("json")
        self._rows.append(
            {
                "image": {"bytes": sample.png, "path": f"{item.key}.png"},
                "text": sample.text,
                "key": item.key,
                "source": item.source,
                "cells": {"width": width, "height": height},
                "palette": list(sample.palette),
                "json": None if described is None else described.decode("utf-8", "replace"),
                "metadata": sample.row or None,
            }
        )
        if len(self._rows) == ROW_GROUP:
            self._flush()

    def close(self) -> None:
        """Write what is left, and the end of the file."""
        if self._rows:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        self._writer.write_table(self._table.from_pylist(self._rows, schema=self._schema))
        self._rows = []


def _value(kind: str) -> dict[str, str]:
    return {"dtype": kind, "_type": "Value"}


_FEATURES = {
    "image": {"_type": "Image"},
    "text": _value("string"),
    "key": _value("string"),
    "source": _value("string"),
    "cells": {"width": _value("int32"), "height": _value("int32")},
    "palette": {"feature": _value("string"), "_type": "Sequence"},
    "json": _value("string"),
    "metadata": _value("string"),
}
