"""What people and programs read: plans, errors, tables and progress, in text, JSON and Markdown."""
