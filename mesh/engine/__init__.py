"""The verbs that change something: observe, plan, preview, run, verify, record."""
