"""Execution: does jobs, in this process or in worker processes.

schedule          `run_here` and `run_in_workers`: start each job when the jobs that it needs are done
pending           `Pending`: the jobs without a result; a job is given again after a fault
workbench         `Setup` (plain values) and `Workbench` (loaded backbone, learners, data, store)
switches          switches of PyTorch that choose kernels: read, and set in workers
numerics          `numerics`: what may change the last bit of a logit, with a fingerprint of the arithmetic
job               `execute`: does one job
fit_job           a fit: from the store, or with the learner's trainer
search_job        a trial of a learner with alternatives
trial_job         what a trial fits, and what a fit keeps
fit_recipe        the recipe of a fit, and the state of a paused one
pack_job          fits of one learner in packs
row_job           the cells of a row of R
evaluate_job      the score of a Delta on a task, by itself or in packs
activation_cache  activations of frozen layers on test rows, shared by learners
result            the result of a job, and the part of it that later jobs need
workers           starts, reuses and ends worker processes
worker            the program of a worker process
messages          JSON lines between a run and its workers
cores             how many processes this machine or container can run
memory            peak memory of a fit

Rooms above may import every public name except those of `worker`. Execution imports `plugins` and `storage`.
"""
