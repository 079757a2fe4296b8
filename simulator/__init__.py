"""A small OpenStack over HTTP, on the state of the in-memory cloud.

`app.py` puts it together. Each service is a list of routes: `keystone.py`, `nova/`, `cinder/`,
`neutron/`, `glance.py`, `heat/`. `admin.py` is the back door for tests and demos, `server.py`
serves it all on one port of 127.0.0.1. openstacksdk talks to it unmodified, and so does
python-heatclient.
"""

from simulator.accounts import ACCOUNTS, clouds_yaml
from simulator.server import running
from simulator.wire import Account

__all__ = ["ACCOUNTS", "Account", "clouds_yaml", "running"]
