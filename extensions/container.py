"""What the containers of all apps have in common."""

from __future__ import annotations

# The user that every image of ours runs as: numeric, so that Kubernetes can tell it is not root.
UID = 10001
HOME = "/home/app"
# How long a container may take to finish its requests; the server itself stops before that.
GRACE_SECONDS = 30
# Where the proxy takes requests of one app to another; built into images, so alike everywhere.
INNER_HOST = "api"
INNER_PORT = 8000
