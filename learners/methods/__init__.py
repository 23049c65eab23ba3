"""Methods of the literature: one file per method, and each file defines `FAMILY`.

To add a learner, add a file here: `learners.specification.family` finds it. Outside this room, use
`learners.specification.family.families` and `parse_learner` rather than these modules.
"""
