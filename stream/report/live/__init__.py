"""The live view of a run. From outside: `View`, `open_view` (view.py).

state.py sums up the events. rich.py draws the state on a terminal, plain.py prints lines. lines.py and arrivals.py
format the lines that stay on the screen in both views.
"""
