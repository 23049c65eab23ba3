"""The command `taskstream`: one file a verb."""
