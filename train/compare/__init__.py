"""`python -m train.compare`: every model of the translation family, on the same data and budget, side by side."""
