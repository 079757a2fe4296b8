#!/bin/bash
# A control-plane-only OpenStack on one machine: see README.md.
#   up.sh [all]      install + init + start + seed (each skips what is done)
#   up.sh install    venv and packages            up.sh init    databases, configs, identity data
#   up.sh start      daemons not yet running      up.sh seed    image, flavors, network, volume types
#   up.sh status     daemons, pids, memory        up.sh restart NAME...   stop and start some daemons
#   up.sh render     configs only                 up.sh stop NAME...      stop some daemons
set -euo pipefail

LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")/lib" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib/settings.sh
. "$LIB/settings.sh"
# shellcheck source-path=SCRIPTDIR source=lib/daemons.sh
. "$LIB/daemons.sh"
# shellcheck source-path=SCRIPTDIR source=lib/install.sh
. "$LIB/install.sh"

phase() { # phase NAME: run do_NAME and say how long it took
    local begun=$SECONDS
    say "== $1"
    "do_$1"
    say "== $1: $((SECONDS - begun)) s"
}

verb=${1:-all}
[ $# -eq 0 ] || shift
case $verb in
    all) for name in install init start seed; do phase "$name"; done; do_status ;;
    install | init | start | seed) phase "$verb" ;;
    render) render ;;
    status) do_status ;;
    restart) for name in "$@"; do stop_one "$name"; start_one "$name"; done ;;
    stop) for name in "$@"; do stop_one "$name"; done ;;
    stop-all) stop_all ;;
    *) sed -n '2,7p' "$0"; exit 2 ;;
esac
