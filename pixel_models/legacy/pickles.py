"""A reader of the pickles that torch.save writes, which imports nothing and runs nothing.

A pickle is a program for a small stack machine (Python's `Lib/pickletools.py` describes its instructions). This one
knows the instructions that plain containers need, and the few names that stand for a tensor; any other name is refused
by name. Why not torch.load(weights_only=True): docs/adr/0005-own-reader-of-pickles.md.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..errors import CheckpointError
from .claims import TORCH_STORAGES, StorageClaim, TensorClaim

MOST_STEPS = 500_000
"""Instructions of one pickle; a state dict of the classic networks has about 5,000."""

MOST_TEXT = 65_536
"""Bytes of one text."""

_DICT = "collections.OrderedDict"
_PARAMETER = "torch._utils._rebuild_parameter"
_TENSORS = frozenset({"torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"})
_INERT = frozenset(
    {
        "_codecs.encode",
        "numpy.dtype",
        "numpy.core.multiarray.scalar",
        "numpy._core.multiarray.scalar",
        "torch.Size",
        "torch.device",
    }
)
"""Names of values that training facts hold; an empty place is left for what they would make."""


@dataclass(frozen=True)
class Name:
    """A name that the pickle asks for: never looked up, never called."""

    module: str
    name: str

    def __str__(self) -> str:
        """As one would import it."""
        return f"{self.module}.{self.name}"

    @property
    def is_storage(self) -> bool:
        """Whether it is one of torch's storage classes."""
        return self.module in ("torch", "torch.cuda") and self.name in TORCH_STORAGES


@dataclass(frozen=True)
class Inert:
    """The place of a value that nothing here needs."""

    what: str


class Machine:
    """The stack machine: `read` gives the next value of `data`; `storages` are those named so far."""

    def __init__(self, data: bytes) -> None:
        """`data` begins with a pickle; others may follow it."""
        self.data = data
        self.position = 0
        self.storages: dict[str, StorageClaim] = {}
        self.stack: list[Any] = []
        self.outer: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def read(self) -> object:
        """Run one pickle.

        Returns:
            Its value: containers, numbers and texts, a `TensorClaim` for each tensor, `Inert` places.

        Raises:
            CheckpointError: it is damaged, endless, or asks for something that no state dict needs.
        """
        self.stack, self.outer, self.memo = [], [], {}
        try:
            for _ in range(MOST_STEPS):
                code = self.take(1)
                if code == b".":
                    return self.stack.pop()
                step = _STEPS.get(code)
                if step is None:
                    msg = f"its pickle uses the instruction {code!r}, which no file of torch.save needs"
                    raise CheckpointError(msg)
                step(self)
        except CheckpointError:
            raise
        except (LookupError, TypeError, ValueError, struct.error) as error:
            msg = "its pickle is damaged; fetch the file again"
            raise CheckpointError(msg) from error
        msg = f"its pickle has more than {MOST_STEPS:,} instructions; a state dict has a few thousand"
        raise CheckpointError(msg)

    def take(self, count: int) -> bytes:
        """The next bytes."""
        end = self.position + count
        if end > len(self.data):
            msg = "its pickle breaks off in the middle; fetch the file again"
            raise CheckpointError(msg)
        part = self.data[self.position : end]
        self.position = end
        return part

    def number(self, form: str) -> Any:  # noqa: ANN401  an int or a float, as the form says
        """The next number."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def counted(self, form: str) -> bytes:
        """The next bytes, after their number."""
        count = self.number(form)
        if not 0 <= count <= MOST_TEXT:
            msg = f"its pickle holds a text of {count:,} bytes, expected at most {MOST_TEXT:,}; the file is damaged"
            raise CheckpointError(msg)
        return self.take(count)

    def line(self) -> str:
        """The next text up to a line's end."""
        end = self.data.find(b"\n", self.position, self.position + 1024)
        if end < 0:
            raise ValueError
        return self.take(end + 1 - self.position)[:-1].decode()

    def mark(self) -> None:
        """Begin a group of items."""
        self.outer.append(self.stack)
        self.stack = []

    def group(self) -> list[Any]:
        """End the group."""
        items, self.stack = self.stack, self.outer.pop()
        return items

    def last(self, count: int) -> tuple[Any, ...]:
        """Take the last items off the stack."""
        if len(self.stack) < count:
            raise IndexError
        items = tuple(self.stack[-count:])
        del self.stack[-count:]
        return items

    def extend(self, items: Iterable[Any]) -> None:
        """Append to the list on the stack."""
        if not isinstance(self.stack[-1], list):
            raise TypeError
        self.stack[-1].extend(items)

    def fill(self, items: list[Any] | tuple[Any, ...]) -> None:
        """Put keys and values, by turns, into the dictionary on the stack."""
        if not isinstance(self.stack[-1], dict):
            raise TypeError
        _fill(self.stack[-1], zip(items[::2], items[1::2], strict=True))

    def name(self, module: object, name: object) -> None:
        """Push a name, if it is one of those that stand for something here."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise TypeError
        asked = Name(module, name)
        if not asked.is_storage and str(asked) not in {_DICT, _PARAMETER, *_TENSORS, *_INERT}:
            msg = (
                f"its pickle asks to run {str(asked)[:120]!r}, which no state dict needs: it holds a whole network "
                "with its code, or is made to do harm. Nothing was run. Ask its maker for the state_dict alone"
            )
            raise CheckpointError(msg)
        self.stack.append(asked)

    def call(self) -> None:
        """Make what a name and its arguments stand for."""
        name, arguments = self.last(2)
        if not isinstance(name, Name) or not isinstance(arguments, tuple):
            raise TypeError
        if str(name) == _DICT:
            made: object = _fill({}, *arguments)
        elif str(name) in _TENSORS:
            made = _tensor(*arguments[:4])
        elif str(name) == _PARAMETER:
            made = arguments[0]
        else:
            made = Inert(str(name))
        self.stack.append(made)

    def build(self) -> None:
        """Drop what would become attributes: a state dict's `_metadata`, a numpy dtype's state."""
        self.stack.pop()
        if not isinstance(self.stack[-1], (dict, Inert)):
            raise TypeError

    def refer(self) -> None:
        """Push the storage that is referred to."""
        kind, name, key, _, numel, *view = self.stack.pop()
        if kind != "storage" or not isinstance(name, Name) or not name.is_storage or not isinstance(key, str):
            msg = "its pickle refers to something else than tensor storages: it holds a whole network with its code. "
            msg += "Nothing was run. Ask its maker for the state_dict alone"
            raise CheckpointError(msg)
        storage = StorageClaim(key, TORCH_STORAGES[name.name], _whole(numel))
        if self.storages.setdefault(key, storage) != storage:
            msg = f"its pickle claims two sizes of the storage {key[:40]!r}; the file is damaged"
            raise CheckpointError(msg)
        if view and view[0] is not None:
            _, start, _ = view[0]
            storage = StorageClaim(key, storage.dtype, storage.numel, _whole(start))
        self.stack.append(storage)


def _fill(target: dict[Any, Any], pairs: Iterable[Any] = ()) -> dict[Any, Any]:
    for key, value in pairs:
        if not isinstance(key, (str, int, float, bytes, type(None))):  # hashing nested tuples may take for ever
            msg = f"a dictionary in its pickle has a {type(key).__name__} as a key, expected texts"
            raise CheckpointError(msg)
        target[key] = value
    return target


def _whole(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise TypeError
    return int(value)


def _tensor(storage: object, offset: object, shape: object, stride: object) -> TensorClaim:
    if not isinstance(storage, StorageClaim) or not isinstance(shape, tuple) or not isinstance(stride, tuple):
        raise TypeError
    return TensorClaim(storage, _whole(offset), tuple(map(_whole, shape)), tuple(map(_whole, stride)))


def _push(make: Callable[[Machine], object]) -> Callable[[Machine], None]:
    def step(machine: Machine) -> None:
        value = make(machine)  # first: a tuple's items come off a stack that is then replaced
        machine.stack.append(value)

    return step


def _remember(slot: Callable[[Machine], int]) -> Callable[[Machine], None]:
    return lambda m: m.memo.__setitem__(slot(m), m.stack[-1])


_STEPS: dict[bytes, Callable[[Machine], object]] = {
    b"\x80": lambda m: m.take(1),  # protocol
    b"\x95": lambda m: m.take(8),  # frame
    b"(": Machine.mark,
    b"N": _push(lambda _: None),
    b"\x88": _push(lambda _: True),
    b"\x89": _push(lambda _: False),
    b"K": _push(lambda m: m.number("<B")),
    b"M": _push(lambda m: m.number("<H")),
    b"J": _push(lambda m: m.number("<i")),
    b"\x8a": _push(lambda m: int.from_bytes(m.counted("<B"), "little", signed=True)),
    b"G": _push(lambda m: m.number(">d")),
    b"X": _push(lambda m: m.counted("<I").decode()),
    b"\x8c": _push(lambda m: m.counted("<B").decode()),
    b"U": _push(lambda m: m.counted("<B").decode()),  # texts of Python 2
    b"T": _push(lambda m: m.counted("<i").decode()),
    b"C": _push(lambda m: m.counted("<B")),
    b"B": _push(lambda m: m.counted("<I")),
    b"}": _push(lambda _: {}),
    b"]": _push(lambda _: []),
    b")": _push(lambda _: ()),
    b"t": _push(lambda m: tuple(m.group())),
    b"\x85": _push(lambda m: m.last(1)),
    b"\x86": _push(lambda m: m.last(2)),
    b"\x87": _push(lambda m: m.last(3)),
    b"a": lambda m: m.extend(m.last(1)),
    b"e": lambda m: m.extend(m.group()),
    b"s": lambda m: m.fill(m.last(2)),
    b"u": lambda m: m.fill(m.group()),
    b"q": _remember(lambda m: m.number("<B")),
    b"r": _remember(lambda m: m.number("<I")),
    b"\x94": _remember(lambda m: len(m.memo)),
    b"h": _push(lambda m: m.memo[m.number("<B")]),
    b"j": _push(lambda m: m.memo[m.number("<I")]),
    b"c": lambda m: m.name(m.line(), m.line()),
    b"\x93": lambda m: m.name(*m.last(2)),
    b"R": Machine.call,
    b"b": Machine.build,
    b"Q": Machine.refer,
}
"""What each instruction does."""
