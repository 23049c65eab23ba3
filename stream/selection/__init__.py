"""Selection: which fits a learner with alternatives makes on a task, and which of them wins. Reads validation scores
only.

trials   the trials of a search, what each of them fits, and what it must wait for
rungs    successive halving
sampler  Optuna
choice   the winner
"""
