"""The Kubernetes API over HTTP: kubeconfig, authentication, requests, retries, errors."""
