"""Actions and tools that generated pipelines use: by commit id and digest, all in this one file.

Read from what other repositories pin, and for every image from several of them; the generated
Dependabot and Renovate settings keep a project's own copies fresh.
"""

from __future__ import annotations

# Action -> (commit id, version), as in `uses: ACTION@COMMIT # VERSION`.
ACTIONS: dict[str, tuple[str, str]] = {
    "actions/attest": ("1e69f48acb82d1966a394da916b4c1698aa569d6", "v4.2.2"),
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/download-artifact": ("3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", "v8.0.1"),
    "actions/setup-node": ("820762786026740c76f36085b0efc47a31fe5020", "v7.0.0"),
    "actions/upload-artifact": ("043fb46d1a93c77aae656e7c1c64a875d1fc6a0a", "v7.0.1"),
    "astral-sh/setup-uv": ("20cfd1bf945f4377ade1205e4dbc17946fc9a30d", "v10.0.1"),
    "docker/login-action": ("650006c6eb7dba73a995cc03b0b2d7f5ca915bee", "v4.2.0"),
    "docker/setup-buildx-action": ("d7f5e7f509e45cec5c76c4d5afdd7de93d0b3df5", "v4.1.0"),
}

# Image -> its reference with version and digest.
IMAGES: dict[str, str] = {
    "buildkit": "moby/buildkit:v0.31.1@sha256:"
    "6b59b7df63a8cb9902736f9ddf7fcff8261613d3e7449b8ea8b7537fc399c03a",
    "docker-cli": "docker:29.8.1-cli@sha256:"
    "018edbc908e08fcc9dbf029c812c34251e9b4719e6f71ca0e5eae2a987d014ca",
    "docker-dind": "docker:29.8.1-dind@sha256:"
    "3f3c01aaaebf7cce837356b688b7c059a4749f10bd7660dec7c58fc454a283f0",
    "hadolint": "hadolint/hadolint:v2.15.1@sha256:"
    "32dac94127fd60b7b7e3fbfc65e1383b9b5e25c9bfd7b8536de7a539fe68a12d",
    "sbom": "docker/buildkit-syft-scanner:1.11.0@sha256:"
    "79e7b013cbec16bbb436f312819a49a4a57752b2270c1a9332ae1a10fcc82a68",
    "trivy": "aquasec/trivy:0.74.0@sha256:"
    "62b1e65e8869bc4b4c6aa4fa2b21595256c7c2f6018a9d9ad61caf87187c1969",
}


def action(name: str) -> str:
    """What stands behind `uses:`, by full commit id, with the version in a comment."""
    commit, version = ACTIONS[name]
    return f"{name}@{commit} # {version}"


def image(name: str) -> str:
    """An image's reference with version and digest."""
    return IMAGES[name]
