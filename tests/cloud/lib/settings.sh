# shellcheck shell=bash disable=SC2034  # read by the scripts that source this one
# Where the test cloud lives and what it is made of. Every CLOUD_* variable may be set by the caller.
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
ROOT=${CLOUD_ROOT:-/opt/cloud}
VENV=$ROOT/venv
BIN=$VENV/bin
ETC=$ROOT/etc
RUN=$ROOT/run
LOG=$ROOT/log
PY=${CLOUD_PYTHON:-python3}
PASSWORD=${CLOUD_PASSWORD:-cloud}
VHOST=${CLOUD_VHOST:-cloud}
DBP=${CLOUD_DB_PREFIX:-os_}
DBUSER=${CLOUD_DB_USER:-cloud}
MEMCACHE_PORT=${CLOUD_MEMCACHE_PORT:-21211}
HEAT_WORKERS=${CLOUD_HEAT_WORKERS:-1}
THREADS=${CLOUD_API_THREADS:-6}
AUTHURL=http://127.0.0.1:5000/v3
RABBIT=rabbit://guest:guest@127.0.0.1:5672/$VHOST
DB=mysql+pymysql://$DBUSER:$PASSWORD@127.0.0.1
export CLOUD_ROOT=$ROOT CLOUD_PASSWORD=$PASSWORD
export PYTHONWARNINGS=ignore OS_CLIENT_CONFIG_FILE=$ROOT/clouds.yaml

DATABASES=(keystone glance placement nova_api nova nova_cell0 cinder neutron heat)
# in the order in which they start; they stop in the reverse order
DAEMONS=(memcached keystone placement glance neutron cinder-api nova-api heat-api
         nova-conductor nova-scheduler nova-compute1 nova-compute2
         cinder-scheduler cinder-volume heat-engine)

say() { printf '[%s] %s\n' "$(date +%T)" "$*"; }
