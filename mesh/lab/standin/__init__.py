"""A stand-in istiod: it behaves like the real one in each cluster of a lab.

See docs/explanation/standins.md.

It is independent of `mesh`: it has its own copy of the facts of the distribution, so a wrong plan fails
in the lab. Its modules, in the order in which its loop uses them::

    access > api > mirror     copies of the objects in the API servers, kept up to date by watches
    issue > trust > boot      what an istiod pod read at its start: CA and licence
    facts                     what peers can see of one cluster, as a frozen value
    meeting > peering         whether a peer gateway connects, and the reported conditions: pure
    eastwest, local, own > writes
                              the objects that istiod creates and maintains in its cluster: pure
    remote                    whether a remote secret leads to another cluster's services (upstream)
    cluster                   one thread per cluster that decides and writes
    distributor               the management plane, which copies peers from cluster to cluster
"""
