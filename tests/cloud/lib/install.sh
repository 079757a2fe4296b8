# shellcheck shell=bash
# Packages, configuration files, databases and identity data. Each phase skips what is done.

fingerprint() { # of everything that decides what is in the virtual environment
    cat "$HERE"/requirements.txt "$HERE"/constraints.txt "$HERE"/plugins/pyproject.toml \
        "$HERE"/plugins/cloudfakes/*.py | sha256sum | cut -d' ' -f1
}

cloud_pip() {
    "$BIN/pip" install -q --disable-pip-version-check "$@" >>"$LOG/pip.log" 2>&1 ||
        { tail -n 30 "$LOG/pip.log"; exit 1; }
}

do_install() {
    mkdir -p "$ROOT" "$ETC" "$RUN" "$LOG" "$ROOT/data"
    if [ "$(cat "$ROOT/installed" 2>/dev/null)" = "$(fingerprint)" ]; then
        say "packages already installed"
        return
    fi
    command -v memcached >/dev/null ||
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq memcached >"$LOG/apt.log" 2>&1
    [ -x "$BIN/python" ] || "$PY" -m venv "$VENV"
    cloud_pip 'setuptools<81' wheel
    # uWSGI and a few others build from source: this needs gcc and the Python headers
    cloud_pip -r "$HERE/requirements.txt" -c "$HERE/constraints.txt"
    local copy
    copy=$(mktemp -d)
    cp -r "$HERE/plugins/." "$copy/"
    cloud_pip --no-build-isolation --no-deps --force-reinstall "$copy"
    rm -rf "$copy"
    fingerprint > "$ROOT/installed"
}

render() { # all templates of etc/ -> $ETC
    local file out auth token
    auth="auth_type = password\nauth_url = $AUTHURL\npassword = $PASSWORD\nproject_name = service"
    auth+="\nproject_domain_name = Default\nuser_domain_name = Default"
    token="www_authenticate_uri = $AUTHURL\nmemcached_servers = 127.0.0.1:$MEMCACHE_PORT"
    token+="\ntoken_cache_time = 3600\n$auth"
    for file in "$HERE"/etc/*.in; do
        out=$ETC/$(basename "${file%.in}")
        sed -e "s#@AUTHTOKEN@#$token#" -e "s#@AUTH@#$auth#" -e "s#@AUTHURL@#$AUTHURL#" \
            -e "s#@RABBIT@#$RABBIT#" -e "s#@DB@#$DB#" -e "s#@DBP@#$DBP#" -e "s#@ROOT@#$ROOT#g" \
            -e "s#@VENV@#$VENV#g" -e "s#@MEMCACHE@#127.0.0.1:$MEMCACHE_PORT#" \
            -e "s#@PASSWORD@#$PASSWORD#" -e "s#@HEAT_WORKERS@#$HEAT_WORKERS#" \
            "$file" > "$out.new"
        mv "$out.new" "$out"
    done
    cp "$VENV/etc/nova/api-paste.ini" "$ETC/api-paste.ini" # nova-api reads it beside nova.conf
    mkdir -p "$ROOT"/data/{keystone,os-brick} "$ROOT"/data/glance/{images,staging,tasks} \
        "$ROOT"/data/{nova,nova-compute1,nova-compute2,neutron,cinder}/locks \
        "$ROOT"/data/cinder/coordination
}

allow_connections() { # the server's default of 151 is too few for all these services
    [ "$(mysql -NBe 'select @@global.max_connections')" -ge 1000 ] ||
        mysql -e "SET GLOBAL max_connections = 1000"
}

make_databases() {
    local name sql=
    for name in 127.0.0.1 localhost; do
        sql+="CREATE USER IF NOT EXISTS '$DBUSER'@'$name' IDENTIFIED BY '$PASSWORD';"
    done
    for name in "${DATABASES[@]}"; do
        sql+="CREATE DATABASE IF NOT EXISTS $DBP$name CHARACTER SET utf8mb3;
              GRANT ALL ON $DBP$name.* TO '$DBUSER'@'127.0.0.1';
              GRANT ALL ON $DBP$name.* TO '$DBUSER'@'localhost';"
    done
    mysql -e "$sql"
}

make_vhost() {
    rabbitmqctl -q list_vhosts name | grep -qx "$VHOST" || rabbitmqctl -q add_vhost "$VHOST"
    rabbitmqctl -q set_permissions -p "$VHOST" guest '.*' '.*' '.*'
    # nobody may be listening to the notifications: keep the newest 20000 only
    rabbitmqctl -q set_policy -p "$VHOST" --apply-to queues notifications \
        '^(versioned_)?notifications(\..*)?$' '{"max-length":20000,"overflow":"drop-head"}'
}

migrate_most() { # every schema but Nova's and Cinder's, and Keystone's first data
    local keystone=("$BIN/keystone-manage" --config-file "$ETC/keystone.conf")
    "${keystone[@]}" db_sync
    "${keystone[@]}" fernet_setup --keystone-user root --keystone-group root
    "${keystone[@]}" credential_setup --keystone-user root --keystone-group root
    "${keystone[@]}" bootstrap --bootstrap-password "$PASSWORD" \
        --bootstrap-region-id RegionOne --bootstrap-public-url "$AUTHURL" \
        --bootstrap-internal-url "$AUTHURL" --bootstrap-admin-url "$AUTHURL"
    "$BIN/glance-manage" --config-file "$ETC/glance-api.conf" db_sync
    "$BIN/placement-manage" --config-file "$ETC/placement.conf" db sync
    "$BIN/heat-manage" --config-file "$ETC/heat.conf" db_sync
    "$BIN/neutron-db-manage" --config-file "$ETC/neutron.conf" \
        --config-file "$ETC/ml2_conf.ini" upgrade head
}

migrate_nova() { # Nova's schemas and cells, then Cinder's
    local nova=("$BIN/nova-manage" --config-file "$ETC/nova.conf" --config-file "$ETC/nova-db.conf")
    "${nova[@]}" api_db sync
    "${nova[@]}" cell_v2 map_cell0 --database_connection "$DB/${DBP}nova_cell0?charset=utf8mb4"
    "${nova[@]}" db sync
    "${nova[@]}" cell_v2 list_cells | grep -q ' cell1 ' ||
        "${nova[@]}" cell_v2 create_cell --name cell1
    "$BIN/cinder-manage" --config-file "$ETC/cinder.conf" db sync
}

do_init() {
    render
    allow_connections
    if [ -f "$ROOT/initialized" ]; then
        say "already initialized"
        return
    fi
    make_databases
    make_vhost
    start_one memcached
    say "database migrations"
    local first second failed=0
    (set -e; migrate_most) >"$LOG/init.log" 2>&1 & first=$!
    (set -e; migrate_nova) >"$LOG/init2.log" 2>&1 & second=$!
    wait "$first" || { failed=1; tail -n 30 "$LOG/init.log"; }
    wait "$second" || { failed=1; tail -n 30 "$LOG/init2.log"; }
    [ "$failed" = 0 ] || exit 1
    say "identity data"
    start_one keystone
    wait_http keystone "$AUTHURL"
    "$BIN/python" "$HERE/setup_cloud.py" identity
    touch "$ROOT/initialized"
}

do_seed() {
    if [ ! -f "$ROOT/discovered" ]; then
        "$BIN/nova-manage" --config-file "$ETC/nova.conf" --config-file "$ETC/nova-db.conf" \
            cell_v2 discover_hosts --verbose >>"$LOG/init2.log" 2>&1
        touch "$ROOT/discovered"
    fi
    [ -f "$ROOT/seeded" ] || "$BIN/python" "$HERE/setup_cloud.py" seed
    touch "$ROOT/seeded"
}
