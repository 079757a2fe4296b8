# shellcheck shell=bash
# The processes of the test cloud: each in a session of its own, with a pid file and a log.

launch() { # launch NAME [VAR=VALUE...] COMMAND...
    local name=$1
    shift
    # the session leader's pid is the group's id too: all its children are stopped with it
    setsid nohup env "$@" >>"$LOG/$name.log" 2>&1 </dev/null &
    echo $! > "$RUN/$name.pid"
}

wsgi() { # wsgi NAME PORT MODULE CONFIG-ARGS [VAR=VALUE...]
    local name=$1 port=$2 module=$3 args=$4
    shift 4
    launch "$name" "$@" "$BIN/uwsgi" --http-socket "127.0.0.1:$port" \
        --module "$module:application" --pyargv "$args" --virtualenv "$VENV" \
        --processes 1 --threads "$THREADS" --enable-threads --need-app --die-on-term \
        --buffer-size 65535 --socket-timeout 120 --http-socket-modifier1 0 \
        --add-header "Connection: close" --wsgi-disable-file-wrapper --disable-logging \
        --listen 100 --procname "uwsgi-$name"
}

running() { # running NAME: prints its pid when it is alive and ours
    local pid
    pid=$(cat "$RUN/$1.pid" 2>/dev/null) || return 1
    [ -n "$pid" ] && [ -d "/proc/$pid" ] && ! grep -q '^State:.*Z' "/proc/$pid/status" &&
        tr '\0' ' ' < "/proc/$pid/cmdline" |
        grep -qE "$ROOT|memcached|uwsgi|nova|cinder|heat" && echo "$pid"
}

start_one() {
    running "$1" >/dev/null && return 0
    say "start $1"
    local nova=(--config-file "$ETC/nova.conf")
    case $1 in
        memcached) launch "$1" memcached -u nobody -l 127.0.0.1 -p "$MEMCACHE_PORT" -m 64 -t 1 ;;
        keystone) wsgi "$1" 5000 keystone.wsgi.api "" OS_KEYSTONE_CONFIG_DIR="$ETC" ;;
        placement) wsgi "$1" 8778 placement.wsgi.api "" OS_PLACEMENT_CONFIG_DIR="$ETC" ;;
        glance) wsgi "$1" 9292 glance.wsgi.api "" OS_GLANCE_CONFIG_DIR="$ETC" ;;
        neutron) wsgi "$1" 9696 neutron.wsgi.api \
            "--config-file $ETC/neutron.conf --config-file $ETC/ml2_conf.ini" \
            OS_NEUTRON_CONFIG_DIR="$ETC" "OS_NEUTRON_CONFIG_FILES=neutron.conf;ml2_conf.ini" ;;
        cinder-api) wsgi "$1" 8776 cinder.wsgi.api "--config-file $ETC/cinder.conf" ;;
        nova-api) wsgi "$1" 8774 nova.wsgi.osapi_compute "" OS_NOVA_CONFIG_DIR="$ETC" \
            "OS_NOVA_CONFIG_FILES=api-paste.ini;nova.conf;nova-db.conf" ;;
        heat-api) wsgi "$1" 8004 heat.wsgi.api "--config-file $ETC/heat.conf" ;;
        nova-conductor | nova-scheduler)
            launch "$1" "$BIN/$1" "${nova[@]}" --config-file "$ETC/nova-db.conf" ;;
        nova-compute[12])
            launch "$1" "$BIN/cloudfakes-nova-compute" "${nova[@]}" --config-file "$ETC/$1.conf" ;;
        cinder-scheduler | cinder-volume)
            launch "$1" "$BIN/$1" --config-file "$ETC/cinder.conf" ;;
        heat-engine) launch "$1" "$BIN/heat-engine" --config-file "$ETC/heat.conf" ;;
        *) echo "unknown daemon $1" >&2; exit 2 ;;
    esac
}

stop_one() {
    local pid
    pid=$(running "$1") || { rm -f "$RUN/$1.pid"; return 0; }
    kill -TERM -- "-$pid" 2>/dev/null || true
    for _ in $(seq 60); do
        kill -0 -- "-$pid" 2>/dev/null || break
        sleep 0.25
    done
    kill -KILL -- "-$pid" 2>/dev/null || true
    rm -f "$RUN/$1.pid"
    say "stopped $1"
}

stop_all() { # tell all at once, then wait for each, the newest first
    local index pid name
    for name in "${DAEMONS[@]}"; do
        if pid=$(running "$name"); then kill -TERM -- "-$pid" || true; fi
    done
    for ((index = ${#DAEMONS[@]} - 1; index >= 0; index--)); do
        stop_one "${DAEMONS[index]}"
    done
}

wait_http() { # wait_http NAME URL: any HTTP answer below 500 will do
    local code=000
    for _ in $(seq 240); do
        code=$(curl -s -o /dev/null -m 20 -w '%{http_code}' "$2" || true)
        [ "$code" != 000 ] && [ "$code" -lt 500 ] && return 0
        running "$1" >/dev/null || { echo "$1 died:"; tail -n 20 "$LOG/$1.log"; exit 1; }
        sleep 0.5
    done
    echo "$1 does not answer at $2 ($code)"
    tail -n 20 "$LOG/$1.log"
    exit 1
}

do_start() {
    local name
    mkdir -p "$RUN" "$LOG"
    allow_connections
    for name in "${DAEMONS[@]}"; do
        # nova-compute asks placement and the conductor at once: it comes later
        [[ $name = nova-compute* ]] || start_one "$name"
    done
    wait_http keystone "$AUTHURL"
    wait_http placement http://127.0.0.1:8778/
    start_one nova-compute1
    start_one nova-compute2
    wait_http glance http://127.0.0.1:9292/
    wait_http neutron http://127.0.0.1:9696/
    wait_http cinder-api http://127.0.0.1:8776/
    wait_http nova-api http://127.0.0.1:8774/
    wait_http heat-api http://127.0.0.1:8004/
    "$BIN/python" "$HERE/setup_cloud.py" wait
}

do_status() {
    local name pid memory total=0 down=0
    for name in "${DAEMONS[@]}"; do
        if pid=$(running "$name"); then
            memory=$(ps -o rss= -g "$pid" | awk '{s += $1} END {print int(s / 1024)}')
            total=$((total + memory))
            printf '%-18s pid %-7s %5d MiB\n' "$name" "$pid" "$memory"
        else
            printf '%-18s DOWN\n' "$name"
            down=1
        fi
    done
    echo "total RSS $total MiB"
    return "$down"
}
