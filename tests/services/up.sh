#!/bin/bash
# Install (Debian 12, as root) and start what the integration tier needs, and make its users.
#   up.sh [SERVICE...]    all of rabbitmq, mariadb, postgresql when none is named
# What already runs is used as it is; a second call is quick. down.sh stops what this started.
# Without a name it also installs Prometheus, which tests start themselves.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

declare -A PACKAGE=([rabbitmq]=rabbitmq-server [mariadb]=mariadb-server [postgresql]=postgresql)

install_packages() {
    local name wanted=()
    for name in "$@"; do
        dpkg -s "$name" >/dev/null 2>&1 || wanted+=("$name")
    done
    [ ${#wanted[@]} -eq 0 ] && return
    say "install ${wanted[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${wanted[@]}" >"$RUN/apt.log" 2>&1 ||
        { tail -n 30 "$RUN/apt.log"; exit 1; }
}

launch() { # launch SERVICE: detached, so that it outlives this shell
    case $1 in
        rabbitmq) rabbitmq-server -detached >"$RUN/rabbitmq.log" 2>&1 </dev/null ;;
        mariadb)
            install -d -o mysql -g mysql /run/mysqld
            setsid nohup mysqld_safe >"$RUN/mariadb.log" 2>&1 </dev/null & ;;
        postgresql)
            local version cluster
            read -r version cluster _ < <(pg_lsclusters -h)
            pg_ctlcluster "$version" "$cluster" start >"$RUN/postgresql.log" 2>&1 </dev/null ;;
    esac
}

start() { # start SERVICE: when it is down; wait until it answers
    local pid
    if pid_of "$1" >/dev/null; then
        say "$1 already runs"
        return
    fi
    say "start $1"
    launch "$1"
    for _ in $(seq 120); do
        if pid=$(pid_of "$1"); then
            echo "$pid" > "$RUN/$1.pid"
            return
        fi
        sleep 0.5
    done
    echo "$1 does not answer; see $RUN/$1.log" >&2
    exit 1
}

make_user() { # make_user SERVICE: what tests/support/services.py logs in with
    local host
    case $1 in
        rabbitmq) rabbitmqctl -q await_startup ;; # guest/guest is there from the start
        mariadb) for host in 127.0.0.1 localhost; do
            mysql -e "CREATE USER IF NOT EXISTS 'trove_resources'@'$host'
                          IDENTIFIED BY 'trove_resources';
                      GRANT ALL ON \`trove\\_resources\\_%\`.* TO 'trove_resources'@'$host';
                      CREATE USER IF NOT EXISTS 'trove_reader'@'$host'
                          IDENTIFIED BY 'trove_reader';
                      GRANT SELECT ON \`trove\\_resources\\_%\`.* TO 'trove_reader'@'$host'"
        done ;;
        postgresql) (
            cd / # the postgres user may not read the checkout
            su postgres -c "psql -qc \"DO \\\$\\\$ BEGIN
                CREATE ROLE trove_resources LOGIN CREATEDB PASSWORD 'trove_resources';
                EXCEPTION WHEN duplicate_object THEN NULL; END \\\$\\\$\""
        ) ;;
    esac
}

packages=()
[ $# -gt 0 ] || { set -- "${SERVICES[@]}"; packages+=(prometheus); }
for service in "$@"; do packages+=("${PACKAGE[$service]}"); done
mkdir -p "$RUN"
install_packages "${packages[@]}"
for service in "$@"; do
    start "$service"
    make_user "$service"
done
