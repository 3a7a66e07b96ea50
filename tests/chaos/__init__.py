"""`make chaos`: leads are posted while every process is killed in turn, and afterwards the books must balance.

CHAOS_SCALE=small (default), tiny (as the test suite runs it) or full; CHAOS_SEED repeats a run's faults. One line at the end:
A acknowledged, D of them in the archive byte for byte, L lost, U in the archive although nobody posted them so often, Dl leads, De CRM records and
Dm mails that are there twice; F the faults by kind.
"""
