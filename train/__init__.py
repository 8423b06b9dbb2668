"""Training: one runnable script per architecture, around one loop."""
