"""The mechanisms, a file each; `TWINS` at the end of one are the tasks it makes; being here is all it takes to be found."""
