#!/bin/bash
# Stop the daemons of up.sh, the newest first. With "purge": also drop the databases, the RabbitMQ
# vhost, the data and the configs; the virtual environment stays.
set -euo pipefail

LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")/lib" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib/settings.sh
. "$LIB/settings.sh"
# shellcheck source-path=SCRIPTDIR source=lib/daemons.sh
. "$LIB/daemons.sh"

stop_all
if [ "${1:-}" = purge ]; then
    for name in "${DATABASES[@]}"; do
        mysql -e "DROP DATABASE IF EXISTS $DBP$name"
    done
    rabbitmqctl -q delete_vhost "$VHOST" || true
    rm -rf "${ROOT:?}"/{data,etc,log,run,initialized,seeded,discovered,clouds.yaml}
fi
