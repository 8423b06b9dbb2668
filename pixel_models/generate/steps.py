"""The horizontal stack and the draw as one step on a device: always the same calls on the same tensors.

Which column it is stands in a tensor on the device that the step itself advances, so a CUDA graph of one step serves
every place of every row. Without a graph the step runs call by call, on any device.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import is_out_of_memory
from .choice import draw_tensor
from .job import Job
from .pack import Packed, pack
from .rows import Rows


class Steps:
    """Column by column from the left of a row; features lie `b c`."""

    def __init__(self, job: Job, packed: Packed) -> None:
        """Lay out the tensors; `begin` has to come before the first step."""
        self._packed, self._choice, self._twins = packed, job.choice, job.twins
        self._channels = job.channels
        like, batch = packed.out, job.batch * job.twins
        width, features = job.width, len(packed.bias)
        inputs = job.channels * packed.look.shape[1]
        self.tables = [like.new_zeros(width, batch, 2 * features) for _ in packed.layers]
        """Of each layer `w b 2c`: what each column adds before the gate, new for each row."""
        taps = packed.kernel // 2
        reach = [taps * layer.dilation for layer in packed.layers]
        self._seen = like.new_zeros(width + reach[0] + taps, batch, packed.entry_horizontal.shape[1])
        self._read = [like.new_zeros(reach[i] + width, batch, features) for i in range(len(reach))]
        if packed.skips_horizontal:
            self._read[0] = self._seen
        self._offsets = [torch.arange(taps + 1, device=like.device) * layer.dilation for layer in packed.layers]
        self._reach, self._after, self._inputs = reach, taps, inputs
        self.codes = torch.zeros(width, job.batch * job.channels, dtype=torch.int64, device=like.device)
        """`w b*c`: given codes of the row; drawn ones take the place of the others."""
        self._empty = torch.zeros_like(self.codes, dtype=torch.bool)
        self._uniforms = torch.zeros_like(self.codes, dtype=torch.float64)
        self._allowed = None
        if job.allowed is not None:
            self._allowed = torch.ones(job.allowed.shape[1:], dtype=torch.bool, device=like.device)
        self._column = torch.zeros(1, dtype=torch.int64, device=like.device)
        self._weights = [(layer.before.T.contiguous(), layer.back.T.contiguous()) for layer in packed.layers]
        self._out_bias = packed.out_bias.double()

    def begin(self, job: Job, row: int) -> None:
        """Go to the left of a row; `tables` are written by others."""
        self._column.zero_()
        self.codes.copy_(torch.from_numpy(job.codes[row]))
        self._empty.copy_(torch.from_numpy(job.empty[row]))
        self._uniforms.copy_(torch.from_numpy(job.uniforms[row]))
        if self._allowed is not None:
            assert job.allowed is not None
            self._allowed.copy_(torch.from_numpy(job.allowed[row]))

    def step(self) -> None:
        """Draw one column and go on to the next; nothing here waits for the device or depends on what is drawn."""
        packed, column = self._packed, self._column
        h = self._seen.index_select(0, column + self._reach[0])[0] @ packed.entry_horizontal.T
        for index, (before, back) in enumerate(self._weights):
            if index or not packed.skips_horizontal:
                self._read[index].index_copy_(0, column + self._reach[index], h[None])
            seen = self._read[index].index_select(0, column + self._offsets[index]).transpose(0, 1).flatten(1)
            both = torch.addmm(self.tables[index].index_select(0, column)[0], seen, before)
            value, share = both.tanh().chunk(2, 1)
            h = torch.addmm(h, torch.addcmul(value, value, share), back)
        logits = (F.elu(h + packed.bias) @ packed.out.T).double() + self._out_bias
        drawn = self._draw(logits.unflatten(1, (self._channels, -1)))
        codes = torch.where(self._empty.index_select(0, column)[0], drawn, self.codes.index_select(0, column)[0])
        self.codes.index_copy_(0, column, codes[None])
        x = packed.look[codes].view(-1, self._inputs)
        x = torch.cat([x] * self._twins)
        for after in range(1, self._after + 1):
            # What column + after sees of this one; the columns beyond the last are there to be written to.
            place = slice((self._after - after) * self._inputs, (self._after - after + 1) * self._inputs)
            self._seen[..., place].index_copy_(0, column + (self._reach[0] + after), x[None])
        column += 1

    def _draw(self, logits: Tensor) -> Tensor:
        """`t*b c codes` to `b*c`."""
        if self._twins == 2:
            logits, without = logits.chunk(2)
            logits = without + self._choice.guidance * (logits - without)
        allowed = None if self._allowed is None else self._allowed.index_select(0, self._column)[0]
        uniforms = self._uniforms.index_select(0, self._column)[0]
        return draw_tensor(logits.flatten(0, 1), uniforms, self._choice, allowed)

    def replayed(self) -> Callable[[], None]:
        """The step as one CUDA graph; the step itself where it cannot be captured. `begin` has to follow."""
        try:
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(2):  # libraries set themselves up in the first calls
                    self._column.zero_()
                    self.step()
            torch.cuda.current_stream().wait_stream(side)
            self._column.zero_()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self.step()
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            warnings.warn(f"drawing goes on without a CUDA graph, more slowly: {error}", RuntimeWarning, stacklevel=2)
            return self.step
        return graph.replay


def fill_on_device(job: Job, *, graph: bool) -> None:
    """Draw all that a job wants, on the network's device, which has to have float64.

    Steps are queued ahead of the device, at most a row: `callback` tells of those queued, `on_row` of those done. The
    graph has been written after PyTorch's manual and without such a device at hand; without it the same step is tested.

    Args:
        job: what is to be drawn.
        graph: replay the step as a CUDA graph.
    """
    with torch.cuda.device(job.device) if graph else contextlib.nullcontext():
        packed = pack(job.network, job.width, job.device)
        steps = Steps(job, packed)
        channels, batch = job.channels, job.twins * job.batch
        inputs = channels * packed.look.shape[1]
        rows = Rows(packed, torch, inputs, job.width, batch)
        into = [table.permute(2, 0, 1) for table in steps.tables]
        step = steps.replayed() if graph else steps.step
        for row in range(job.height):
            if row <= job.last_row:
                ends = job.ends(row)
                rows.step(row, packed.steering(job.steering, row), into if ends else None)
                steps.begin(job, row)
                for column in range(ends):
                    step()
                    if job.wanted[row, column]:
                        job.step()
                x = packed.look[steps.codes.view(job.width, -1, channels)].flatten(2)  # w b i
                rows.put(row, torch.cat([x] * job.twins, 1).permute(2, 0, 1))
                job.codes[row] = steps.codes.cpu().numpy()
            job.row_done(row)
