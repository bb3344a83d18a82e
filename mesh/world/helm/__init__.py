"""Run helm as a child process, and read its release records from the API server."""
