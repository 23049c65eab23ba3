"""The mechanisms, a file each; `TWINS` at its end are the tasks that it makes. Being here is enough to be found."""
