"""The command line: arguments in, text and exit codes out; one file per verb."""
