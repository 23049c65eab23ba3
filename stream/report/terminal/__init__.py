"""The printed report: one file per section, and summary.py, which prints them all.

From outside: `print_report`, `SECTIONS` (summary.py), the lines about failures (failures.py) and the tables of
`taskstream compare` (comparison.py). The HTML page uses the same captions.
"""
