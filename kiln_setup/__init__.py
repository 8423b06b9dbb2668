"""What `kiln.py` is made of: environments, the test ComfyUI, a Chromium, the stages of a test run.

Standard library only, Python 3.10 or newer. The pack never imports this package.
"""
