"""Pull requests of GitHub, GitLab, Gitea and Forgejo, Bitbucket, and Azure DevOps."""
