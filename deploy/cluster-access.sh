#!/bin/sh
# Gives the portal its access to the k3s of docker-compose.yml: its address, authority and a token for a year.
# /k3s is what k3s keeps, /access what the portal reads.
set -eu
kubectl() { /bin/kubectl --kubeconfig /k3s/admin.kubeconfig --server https://k3s:6443 "$@"; }
kubectl apply -f /deploy/cluster-access.yaml
cp /k3s/server/tls/server-ca.crt /access/ca.pem
kubectl create token portal --namespace portal-system --duration 8760h > /access/token.new
chown 10001 /access/token.new
chmod 400 /access/token.new
mv /access/token.new /access/token
