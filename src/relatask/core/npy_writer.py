"""Large .npy files written row by row, in bounded memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from relatask.core.atomic import atomic_path


class NpyWriter:
    """Appends rows of one array; the header is completed at the end."""

    def __init__(self, path: Path, dtype: str, width: int | None):
        self.dtype = np.dtype(dtype)
        self.width = width
        self.rows = 0
        self._file = path.open("wb")
        self._header_end = self._write_header()

    def append(self, rows: np.ndarray) -> None:
        """Append `rows`, of shape [n, width], or [n] where the array has one axis."""
        if rows.shape[1:] != self._shape()[1:]:
            raise ValueError(f"rows of shape {rows.shape} do not fit {self._shape()}")
        self._file.write(np.ascontiguousarray(rows, dtype=self.dtype).tobytes())
        self.rows += len(rows)

    def close(self) -> None:
        """Write the final number of rows into the header."""
        self._file.seek(0)
        # numpy pads the header so that the first axis may grow; another numpy might not.
        if self._write_header() != self._header_end:
            raise RuntimeError("the .npy header changed its length")
        self._file.close()

    def _shape(self) -> tuple[int, ...]:
        return (self.rows,) if self.width is None else (self.rows, self.width)

    def _write_header(self) -> int:
        np.lib.format.write_array_header_1_0(
            self._file,
            {
                "descr": np.lib.format.dtype_to_descr(self.dtype),
                "fortran_order": False,
                "shape": self._shape(),
            },
        )
        return self._file.tell()


@contextmanager
def npy_writer(path: str | Path, dtype: str, width: int | None = None) -> Iterator[NpyWriter]:
    """Yield a writer whose file appears at `path`, whole, when the block ends well."""
    with atomic_path(path) as temporary:
        writer = NpyWriter(temporary, dtype, width)
        try:
            yield writer
        except BaseException:
            writer._file.close()
            raise
        writer.close()
