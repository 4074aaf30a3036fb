"""LSTM and dot-product attention as literal loops over texts, words and numbers.

Gates as Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000), in the order that
torch.nn.LSTM documents; the attention of L2T-MITTEN, appendix B.2.
"""

import torch
from torch import Tensor


def lstm(texts: list[list[Tensor]], entry: Tensor, recurrent: Tensor, bias: Tensor) -> list[list[Tensor]]:
    """Hidden state [w] at each word of each text.

    texts: vector [e] of each word; entry [4 w, e], recurrent [4 w, w], bias [4 w]: gates i, f, g, o.
    """
    width = recurrent.shape[1]
    found = []
    for text in texts:
        hidden = [torch.zeros((), dtype=entry.dtype) for _ in range(width)]
        cell = [torch.zeros((), dtype=entry.dtype) for _ in range(width)]
        states = []
        for word in text:
            sums = []
            for gate in range(4 * width):
                total = bias[gate]
                for number in range(len(word)):
                    total = total + entry[gate, number] * word[number]
                for number in range(width):
                    total = total + recurrent[gate, number] * hidden[number]
                sums.append(total)
            new = []
            for unit in range(width):
                i, f = torch.sigmoid(sums[unit]), torch.sigmoid(sums[width + unit])
                g, o = torch.tanh(sums[2 * width + unit]), torch.sigmoid(sums[3 * width + unit])
                cell[unit] = f * cell[unit] + i * g
                new.append(o * torch.tanh(cell[unit]))
            hidden = new
            states.append(torch.stack(hidden))
        found.append(states)
    return found


def attention(states: list[Tensor]) -> Tensor:
    """alpha = Softmax(O h_n), alpha^T O of the states [w] of one text's words."""
    last = states[-1]
    scores = []
    for state in states:
        score = torch.zeros((), dtype=last.dtype)
        for unit in range(len(last)):
            score = score + state[unit] * last[unit]
        scores.append(score)
    most = max(float(score.detach()) for score in scores)
    powers = [torch.exp(score - most) for score in scores]
    total = powers[0]
    for power in powers[1:]:
        total = total + power
    text = torch.zeros_like(last)
    for power, state in zip(powers, states, strict=True):
        text = text + power / total * state
    return text
