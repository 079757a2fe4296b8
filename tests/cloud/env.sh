# shellcheck shell=bash
# . tests/cloud/env.sh: the client tools of the test cloud and its clouds.yaml
# (openstack --os-cloud trove server list ...)
export OS_CLIENT_CONFIG_FILE=${CLOUD_ROOT:-/opt/cloud}/clouds.yaml PYTHONWARNINGS=ignore
export PATH=$PATH:${CLOUD_ROOT:-/opt/cloud}/venv/bin
