"""The doctor: examines a running Rejoin from where its readers are, and says the line that mends what is wrong."""
