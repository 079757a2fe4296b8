#!/bin/sh
# The publisher of docker-compose.yml: one instance after the other is made, grown, given another
# flavor, opened to other networks and removed. ROUNDS says how often; 0 is for ever.
set -eu

# what the simulator offers
IMAGE=5c1c7d2e-52d0-4d4f-9c7e-3a1a57d0b001
NETWORK=9a3e8f10-6d0f-4a51-8d0c-0f6ab7d0c001

send() { # send COMMAND FIELD=VALUE...: to the instance of this round; wait for its end
    command=$1
    shift
    trove-resources send "$command" --instance "$instance" --wait 300 --data project=demo "$@"
}

round=0
while [ "${ROUNDS:-0}" -eq 0 ] || [ "$round" -lt "$ROUNDS" ]; do
    round=$((round + 1))
    instance=$(python -c 'import uuid; print(uuid.uuid4())')
    send instance.create name="db-$round" flavor=1 image="$IMAGE" volume.size=1 \
        networks="[{\"network\": \"$NETWORK\"}]" access.cidrs='["10.0.0.0/8"]' \
        access.ports='[{"protocol": "tcp", "first": 3306, "last": 3306}]'
    send volume.resize size=2
    send instance.resize flavor=2
    send security_group_rules.update cidrs='["10.1.0.0/16", "172.16.0.0/12"]'
    send instance.delete project=demo
done
