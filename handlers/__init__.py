"""What a command means: plans of steps, the managers that make them, the clouds they act on."""
