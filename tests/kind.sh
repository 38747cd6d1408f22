#!/bin/sh
# The Kubernetes target on a real cluster: generate, deploy, ask, back up, restore, break, roll back.
# Needs docker, kind 0.27 or newer and kubectl. Makes a cluster of its own, and removes it.
#   sh tests/kind.sh
set -eu
cd "$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)"
cluster=spinbox-deploy-$$ work=$(mktemp -d)
export KUBECONFIG="$work/kubeconfig"
finish() {
    code=$?
    trap '' HUP INT TERM
    [ "$code" -eq 0 ] || kubectl get pods --all-namespaces 2>/dev/null || true
    kind delete cluster --name "$cluster" || true
    rm -rf "$work"
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

make .venv/.dev
.venv/bin/python -m tests.projects.compose e2e-fastapi-postgresql-redis "$work/project" >/dev/null
.venv/bin/spinbox deploy --target kubernetes --generate --set kubernetes_route=ingress -C "$work/project"
cd "$work/project"
namespace=$(sed -n 's/^namespace: //p' deploy/kubernetes/overlays/staging/kustomization.yaml)
app=${namespace%-staging}-app
say() {
    echo "== $1"
}
# A command that has to fail.
refused() {
    if "$@"; then
        echo "It should have failed: $*" >&2
        exit 1
    fi
}

say 'a cluster with a registry of its own'
# kind's network plugin enforces policies since 0.24.
docker run --detach --name "$cluster-registry" --publish 127.0.0.1::5000 registry:2 >/dev/null
trap 'docker rm --force --volumes "$cluster-registry" >/dev/null; finish' EXIT
port=$(docker port "$cluster-registry" 5000 | sed -n 's/.*://p' | head -n 1)
kind create cluster --name "$cluster" --wait 3m
docker network connect kind "$cluster-registry"
for node in $(kind get nodes --name "$cluster"); do
    docker exec "$node" mkdir -p "/etc/containerd/certs.d/localhost:$port"
    printf '[host."http://%s-registry:5000"]\n' "$cluster" |
        docker exec -i "$node" tee "/etc/containerd/certs.d/localhost:$port/hosts.toml" >/dev/null
done
push() {
    docker build --quiet --file Dockerfile.prod --tag "localhost:$port/$app" . >/dev/null
    docker push --quiet "localhost:$port/$app" >/dev/null
    docker image inspect --format '{{index .RepoDigests 0}}' "localhost:$port/$app"
}
# Asks from inside a pod of the app, since no Ingress controller is there.
ask() {
    kubectl exec --namespace "$namespace" deployment/app -- python -c "
import sys, urllib.request
request = urllib.request.Request('http://app:8000' + sys.argv[1], data=sys.argv[2].encode() or None)
request.add_header('Content-Type', 'application/json')
print(urllib.request.urlopen(request, timeout=30).read().decode())" "$1" "${2-}"
}

say 'first deployment'
sed -i 's/example\.com/shop.test/' deploy/kubernetes/overlays/staging/kustomization.yaml
sh deploy/kubernetes/init-secrets.sh staging
sh deploy/kubernetes/deploy.sh staging "app=$(push)"
ask /health | grep healthy
ask /api/v1/items '{"name": "kept"}'

say 'a policy holds: the worker does not reach the app'
refused kubectl exec --namespace "$namespace" deployment/worker -- python -c "
import urllib.request; urllib.request.urlopen('http://app:8000/health', timeout=5)" 2>/dev/null

say 'a second version, with a backup before it'
echo '# second' >>backend/app/main.py
sh deploy/kubernetes/deploy.sh staging "app=$(push)"

say 'a broken version goes back by itself'
cp backend/app/main.py main.py
echo 'raise RuntimeError("broken on purpose")' >>backend/app/main.py
refused sh deploy/kubernetes/deploy.sh staging --no-backup "app=$(push)"
cp main.py backend/app/main.py
ask /health | grep healthy

say 'back to the first version, and what was backed up'
sh deploy/kubernetes/rollback.sh staging
ask /api/v1/items '{"name": "lost"}'
sh deploy/kubernetes/restore.sh staging --list
sh deploy/kubernetes/restore.sh staging --yes --no-backup latest
ask /api/v1/items | grep kept
ask /api/v1/items >items
refused grep lost items
say 'all of it passed'
