"""The contenders: each file is a script that runs in its own environment, where Lamina is not installed.

Only `lamina.py` and `lamina_texts.py` import Lamina. They share `job.py`, which needs nothing but numpy.
"""
