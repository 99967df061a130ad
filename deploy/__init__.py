"""What runs Rejoin somewhere: the local run is the first of it."""
