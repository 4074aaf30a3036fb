"""Figures of a study: one file each, with a literal `FIGURE` and `draw(inputs)`, or `draw(inputs, of)`."""
