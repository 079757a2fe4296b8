"""The broker: the only home of kombu. Connections, topology, consuming, publishing, looking."""
