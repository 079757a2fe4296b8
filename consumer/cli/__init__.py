"""The command line. It fetches, calls and prints; what it calls is made in consumer/app.py."""

import warnings

# oslo.messaging imports eventlet, which warns on standard error; we never use it.
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
