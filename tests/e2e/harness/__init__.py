"""What the tests on a real ComfyUI share: a client, the conversion of workflows, expectations, a browser page."""
