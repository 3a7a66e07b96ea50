"""`make bench`: the speed of the portal, each figure a ratio to a reference measured in the same run on the same machine.

BENCH_SCALE=small (default, minutes) or full. `python -m bench WORDS` measures only the rows whose name has these words.
"""
