"""Evaluation: pixelators side by side, the paper's tables, generation, and the evidence for the pixel-art measure."""
