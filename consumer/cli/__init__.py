"""The command line. It fetches, calls and prints; what it calls is made in consumer/app.py."""
