"""Categories as a job: a sheet a person writes, put into an overlay, checked, or drafted."""
