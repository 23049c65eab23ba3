"""Storage: the typed values that a run writes, and the files that hold them.

cell      `Cell`: one entry of the matrix R
job       `Job` and `JobId`: one piece of a run's work
fits      `Recipe` (inputs of a fit), `FitResult` and `FailedFit` (its outcome)
facts     facts about a run that its results repeat
keys      `RunInputs`: the inputs of all jobs, and the key (hash) of each job
events    the events of a ledger: `Header`, fits, rows, failures, end
finished  looks up fits, rows and cells in the events of finished jobs
ledger    the file `ledger.jsonl`: append-only lines, each with the hash of the previous line
store     the folder `store/`: Deltas by content id, fits by recipe id
remembered  facts in the user's cache that are slow to compute
learner_folder  the folder of a learner, with a name that is safe on every system
registry  the runs that use a shared store
plain     dataclasses to JSON values and back
files     strict JSON files, writable folders, the lock of a run's folder

Rooms above may import every public name. Storage imports `learners` and `tasks`, but no other room of `stream`.
"""
