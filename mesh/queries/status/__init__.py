"""`mesh status`: the state of clusters, gateways, peers and certificates."""
