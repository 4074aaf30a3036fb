"""A shared encoder of a window and one linear head per series that forecasts its next values.

What MTG-Net's gains on ETTm1 are made of, with a small network in the place of Autoformer (section 4.1): all
series are read, those of the task set are forecast and have the loss, mean squared error.
"""

from torch import Tensor, nn

from relatask.nn.contract import Encoder, MultiTaskModel, TaskContext, task_draws

CAPABILITIES = {
    "summary": "one encoder for all series, one linear head each for the values ahead",
    "label": "forecaster",
    "paper": "mtg_net",
    "loop": "forecasting",
    "kinds": ("real",),
    "cost_in_tasks": "O(1)",
    "options": {"horizon": 24},
    "limits": {"horizon": (1, 10_000)},
}


class Forecaster(MultiTaskModel):
    """Encoder, then a linear head per series: windows of B items -> changes ahead [B, H, T].

    A series starts from the same head whichever series it is learned with.
    """

    def __init__(self, encoder: Encoder, context: TaskContext, horizon: int):
        super().__init__()
        self.encoder, self.horizon = encoder, horizon
        weight, bias = task_draws((horizon,), encoder.width, context)  # [T, H, width], [T, H]
        self.weight = nn.Parameter(weight.transpose(0, 1).flatten(0, 1).contiguous())
        self.bias = nn.Parameter(bias.transpose(0, 1).flatten().contiguous())

    @property
    def trunk(self) -> nn.Module:
        """The encoder."""
        return self.encoder

    def forward(self, x: object) -> Tensor:
        """Return how far each value ahead is from the last one that is known."""
        changes = nn.functional.linear(self.encoder(x), self.weight, self.bias)
        return changes.unflatten(1, (self.horizon, -1))

    def losses(self, changes: Tensor, targets: Tensor) -> Tensor:
        """Return each series' mean squared error, [T], of changes and targets [B, H, T]."""
        return (changes - targets).square().mean((0, 1))


def build(context: TaskContext, horizon: int) -> Forecaster:
    """Return the model around the shared encoder."""
    return Forecaster(context.encoder(), context, horizon)
