"""Which rights a plan or an apply needs, which are missing, and the roles that grant them."""
