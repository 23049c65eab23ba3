"""Engine: settings become jobs, jobs become events, events become results."""
