"""The command line: parses arguments, prints text and returns exit codes; one module per command."""
