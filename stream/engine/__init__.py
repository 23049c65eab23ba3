"""Engine: runs a stream. Settings become jobs, results of jobs become events of the ledger, events become the results.

engine           `run_stream`: runs or continues a stream
resolve          `resolve`: stream, source and learners that the settings name; reports all wrong names at once
attempts         several steps whose errors are reported together
context          `prepare`: backbone and encoded data, beside what `resolve` gives
task_data        facts about encoded tasks and their simulated twins
learner_checks   what must hold of learners before the first job
known            facts about backbone and machine, remembered from earlier runs, so that PyTorch need not be loaded
outlook          what a new run will do and about how long it takes, said before any slow step
work             rough count of the work of a run, and the pace of this machine
stream           the tasks in order of arrival
jobs             the plan: all jobs, each with the jobs that it needs
header           the first event of a call; checks that backbone and data are those of earlier calls
kept             learners and arrivals with results, which the next call must keep
resume           which events of a ledger still count
events           the ledger event of a finished job; certificates; what views are shown
running_metrics  growth, forgetting and violations, updated with each job
progress         the events that views, loggers and the caller's `handle` receive
preview          what a run would do, for `plan`
shared_fits      which fits of several runs are the same, for the plan of a study
study_flops      FLOPs of a whole study, and of its members if each were alone
estimate         the speed of finished jobs
job_flops        FLOPs of jobs, from the lengths of their rows

Rooms above may import every public name. The engine imports `execution`, `plugins`, `results` and `storage`.

One `taskstream run`, from the command to results.json:

    cli.run.run                      reads the options
    api.arguments.read_call          settings and objects of the call, or all errors
    api.session.perform_run          opens view and loggers
    engine.engine.run_stream         locks the folder, opens the ledger
      engine.resolve.resolve         names of tasks and learners; starts workers if the run is new
      engine.context.prepare         backbone, encoded data
      engine.header.check_settings, check_same_inputs
      engine.jobs.plan_jobs          all jobs
      engine.resume.finished_events  the jobs that are already done
      execution.schedule.run_here    or run_in_workers: the other jobs
        execution.job.execute        one job
          execution.fit_job.execute_fit
          execution.evaluate_job.evaluate
        engine.events.record         its event, written to the ledger
      results.document.results       the content of results.json, from the events
"""
