"""Output formats: plans, errors, tables and progress as text, JSON, Markdown, JUnit and SARIF."""
