"""What mesh records: lockfile, journal, slices and history in the clusters, leases."""
