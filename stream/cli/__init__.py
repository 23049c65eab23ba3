"""The command `taskstream`: main.py defines the verbs, and each verb has a file of its own with the same name.

options.py defines the options that several verbs take, help.py the help texts with examples. No other room imports
this one.
"""
