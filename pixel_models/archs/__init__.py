"""One file per architecture: paper, config, modules, loss, SPEC."""
