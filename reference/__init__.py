"""The formulas of the notes in NumPy, derived by hand: the backward pass is written out, one formula a line."""
