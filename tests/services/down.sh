#!/bin/bash
# Stop the services that up.sh started; those that ran before it are left alone.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

stop() {
    local version cluster
    say "stop $1"
    case $1 in
        rabbitmq)
            rabbitmqctl -q shutdown
            epmd -kill || true ;; # Erlang's name server; it refuses while another node is there
        mariadb) mysqladmin shutdown ;;
        postgresql)
            read -r version cluster _ < <(pg_lsclusters -h)
            pg_ctlcluster "$version" "$cluster" stop ;;
    esac
}

for service in "${SERVICES[@]}"; do
    started=$(cat "$RUN/$service.pid" 2>/dev/null) || continue
    if [ "$(pid_of "$service")" = "$started" ]; then stop "$service" >/dev/null; fi
    rm -f "$RUN/$service.pid"
done
