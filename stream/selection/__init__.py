"""Selection: which fits a learner with alternatives makes on a task, and which of them wins. Reads validation scores
only.

trials   the trials of a search, what each of them fits, and what it must wait for
ranking  the order of alternatives by their scores
rungs    successive halving
sampler  Optuna
choice   the winner

How a choice is made, in the order in which the code runs:

    learners.specification.alternatives   "adapter:8/64" becomes a learner with two alternatives (`Learner.selection`)
    engine.jobs.search_jobs               one job of kind `search` for each trial, with the trials that it waits for
    execution.trial_job.trial_of          what a trial fits: `proposed` here, from the results of the trials before
    execution.search_job                  fits it, or takes it from the store; the ledger gets a `search` event
    execution.fit_job                     the fit of the task: `winning` here; the store has it already
    results.selection                     `selection` and the cost of the search in results.json
    verification.selection                repeats all of this from the ledger, and checks its order

`nobert` has no alternatives but several models, and chooses among them inside each fit: it has no trials, but its rows
wait for its fits as well (`choice.chooses`), and the checks and the cost of its search count its models.
"""
