"""A stand-in istiod: it acts for each cluster of a lab as the real one does.

See docs/explanation/standins.md.

It is a witness independent of `mesh`: it knows the facts of the distribution from its own modules only, so a
wrong plan fails in the lab. Its modules, in the order in which a turn of its loop passes them::

    access > api > mirror     what the API servers say, kept up to date by watches
    issue > trust > boot      what an istiod pod read when it started: authority and licence
    facts                     what one cluster is to its peers, as a frozen value
    meeting > peering         whether a peer gateway connects, and what is reported of it: pure
    eastwest, local, own > writes
                              what istiod makes of a gateway, and what it keeps in its cluster: pure
    remote                    whether a remote secret leads to another cluster's services, as upstream has it
    cluster                   one thread per cluster that decides and writes
    distributor               the management plane, which copies peers from cluster to cluster
"""
