#!/bin/sh
# The Kubernetes target on a real cluster: generate, deploy, ask, break, mend, back up, restore, roll
# back. Needs docker and kubectl, and room for a registry on a port of this machine.
#   sh tests/kind.sh             makes a cluster with kind 0.27 or newer, and removes it
#   sh tests/kind.sh --present   takes the cluster that kubectl talks to, which must enforce policies, pull
#                                from localhost, and have the namespace traefik, for a pod of the test
set -eu
cd "$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)"
present='' made='' cluster=spinbox-deploy-$$ work=$(mktemp -d)
case "$#-${1-}" in
    0-) export KUBECONFIG="$work/kubeconfig" ;;
    1---present) present=yes ;;
    *) echo "Use: sh tests/kind.sh [--present]" >&2 && exit 2 ;;
esac
# Requests come from where the cluster's proxy is: policies let nothing else through.
name=e2e-fastapi-postgresql-redis namespace=e2e-fastapi-postgresql-redis-staging proxy=traefik asking=ask-$$
finish() {
    code=$?
    trap '' HUP INT TERM
    if [ "$code" -ne 0 ]; then
        echo "== it failed; what is there" >&2
        kubectl get pods,jobs,events --namespace "$namespace" >&2 || true
    fi
    if [ -z "$made" ]; then
        :
    elif [ -n "$present" ]; then
        kubectl delete pod "$asking" --namespace "$proxy" --ignore-not-found --now >&2 || true
        kubectl delete namespace "$namespace" --ignore-not-found --timeout 3m >&2 || true
    else
        kind delete cluster --name "$cluster" || true
    fi
    docker rm --force --volumes "$cluster-registry" >/dev/null 2>&1 || true
    rm -rf "$work"
    [ "$code" -ne 0 ] || echo "1 passed, 0 failed"
    exit "$code"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

say() {
    echo "== $1"
}
# A command that has to fail, for the reason given.
refused() {
    reason=$1
    shift
    if "$@" >"$work/said" 2>&1; then
        cat "$work/said" >&2
        echo "It should have failed: $*" >&2
        exit 1
    fi
    [ -z "$reason" ] || grep -q "$reason" "$work/said" || {
        cat "$work/said" >&2
        echo "It should have failed with: $reason" >&2
        exit 1
    }
}

if [ -n "$present" ]; then
    kubectl get namespace "$proxy" >/dev/null
    # Nothing of somebody else's is removed at the end.
    ! kubectl get namespace "$namespace" >/dev/null 2>&1 || {
        echo "The namespace $namespace is there already: remove it first." >&2
        exit 1
    }
fi
made=yes
make .venv/.dev
.venv/bin/python -m tests.projects.compose "$name" "$work/project" >/dev/null
.venv/bin/python -m spinbox_wrapper deploy --target kubernetes --generate --set kubernetes_route=ingress -C "$work/project"
cd "$work/project"

say 'a cluster, and a registry that it can pull from'
docker run --detach --name "$cluster-registry" --publish 127.0.0.1::5000 registry:2 >/dev/null
port=$(docker port "$cluster-registry" 5000 | sed -n 's/.*://p' | head -n 1)
if [ -z "$present" ]; then
    # kind's network plugin enforces policies since 0.24.
    kind create cluster --name "$cluster" --wait 3m
    docker network connect kind "$cluster-registry"
    for node in $(kind get nodes --name "$cluster"); do
        docker exec "$node" mkdir -p "/etc/containerd/certs.d/localhost:$port"
        printf '[host."http://%s-registry:5000"]\n' "$cluster" |
            docker exec -i "$node" tee "/etc/containerd/certs.d/localhost:$port/hosts.toml" >/dev/null
    done
    kubectl create namespace "$proxy"
fi
# The name of an image in that registry, by its digest.
pushed() {
    docker tag "$1" "localhost:$port/$2"
    docker push --quiet "localhost:$port/$2" >/dev/null
    docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "localhost:$port/$2" |
        grep "^localhost:$port/$2@"
}
build() {
    docker build --quiet --file Dockerfile.prod --tag "$name-app:test" . >/dev/null
    pushed "$name-app:test" app
}
ask() {
    kubectl exec --namespace "$proxy" "$asking" -- python -c "
import sys, urllib.request
request = urllib.request.Request('http://app.$namespace:8000' + sys.argv[1], data=sys.argv[2].encode() or None)
request.add_header('Content-Type', 'application/json')
print(urllib.request.urlopen(request, timeout=30).read().decode())" "$1" "${2-}"
}
say 'a first deployment fails: PostgreSQL cannot be started'
sed -i 's/example\.com/shop.test/' deploy/kubernetes/overlays/staging/kustomization.yaml
# One process in a container, which ends with it.
sed -i 's/^WEB_CONCURRENCY=.*/WEB_CONCURRENCY=1/' deploy/kubernetes/overlays/staging/settings.env
sh deploy/kubernetes/init-secrets.sh staging
image=$(build)
kubectl run "$asking" --namespace "$proxy" --image "$image" --restart Never --command -- sleep 7200
sh deploy/kubernetes/set-images.sh staging "app=$image" "redis=$(pushed redis:7-alpine redis)" \
    "pgvector/pgvector=localhost:$port/none@sha256:$(printf %064d 0)"
refused 'ImagePull' sh deploy/kubernetes/deploy.sh staging

say 'the corrected one comes up, without a backup of what never ran'
sh deploy/kubernetes/set-images.sh staging "pgvector/pgvector=$(pushed pgvector/pgvector:pg15 postgres)"
sh deploy/kubernetes/deploy.sh staging
kubectl wait --for condition=Ready --namespace "$proxy" "pod/$asking" --timeout 2m
ask /health | grep healthy
ask /api/v1/items '{"name": "kept"}'

say 'a policy holds: the worker does not reach the app'
# A cluster lays policies around new pods some moments after they start.
tries=0
until ! kubectl exec --namespace "$namespace" deployment/worker -- python -c "
import urllib.request; urllib.request.urlopen('http://app:8000/health', timeout=5)" >"$work/said" 2>&1 &&
    grep -q 'refused\|timed out' "$work/said"; do
    tries=$((tries + 1))
    if [ "$tries" -ge 60 ]; then
        cat "$work/said" >&2
        echo "The worker still reaches the app." >&2
        exit 1
    fi
    sleep 2
done

say 'a second version, with a backup before it'
echo '# second' >>backend/app/main.py
sh deploy/kubernetes/deploy.sh staging "app=$(build)"

say 'a broken version goes back by itself, and says why'
cp backend/app/main.py main.py
echo 'raise RuntimeError("broken on purpose")' >>backend/app/main.py
refused 'broken on purpose' sh deploy/kubernetes/deploy.sh staging --no-backup "app=$(build)"
cp main.py backend/app/main.py
ask /health | grep healthy

say 'back to the first version, and what was backed up'
sh deploy/kubernetes/rollback.sh staging
ask /api/v1/items '{"name": "lost"}'
sh deploy/kubernetes/restore.sh staging --list | grep 'before deploy'
sh deploy/kubernetes/restore.sh staging --yes latest
ask /api/v1/items >items
grep kept items
refused '' grep lost items

say 'latest is still the same, and what the restore replaced can be had back'
sh deploy/kubernetes/restore.sh staging --yes --no-backup latest
ask /api/v1/items >items
refused '' grep lost items
before=$(sh deploy/kubernetes/restore.sh staging --list | sed -n 's/ .*before restore.*//p' | tail -n 1)
sh deploy/kubernetes/restore.sh staging --yes --no-backup "$before"
ask /api/v1/items | grep lost
say 'all of it passed'
