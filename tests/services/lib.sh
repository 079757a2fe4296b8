# shellcheck shell=bash disable=SC2034  # read by the scripts that source this one
# RabbitMQ, MariaDB and PostgreSQL for the integration tier, without an init system.
#
# $RUN holds one file per service that up.sh started, with the pid of the process: down.sh stops
# these and nothing else.
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
RUN=${SERVICES_RUN:-$TOP/.services}
SERVICES=(rabbitmq mariadb postgresql)

say() { printf '[%s] %s\n' "$(date +%T)" "$*"; }

pid_of() { # pid_of SERVICE: of the running one; fails when it is down
    case $1 in
        rabbitmq) rabbitmqctl -q eval 'io:format("~s~n", [os:getpid()]).' 2>/dev/null |
            grep -oE '^[0-9]+' ;;
        mariadb) cat "$(mysql -NBe 'select @@global.pid_file' 2>/dev/null)" 2>/dev/null ;;
        postgresql) pg_lsclusters -h 2>/dev/null | awk '$4 == "online" {print $6}' | head -n 1 |
            xargs -I{} head -n 1 {}/postmaster.pid 2>/dev/null | grep -oE '^[0-9]+' ;;
        *) echo "unknown service $1: one of ${SERVICES[*]}" >&2; exit 2 ;;
    esac
}
