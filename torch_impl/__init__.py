"""The formulas of the notes in PyTorch: the forward pass is written out, autograd does the rest."""
