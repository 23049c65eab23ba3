"""One file per method; each defines `FAMILY`. A new file here is a new learner: nothing else needs a line."""
