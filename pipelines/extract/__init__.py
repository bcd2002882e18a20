"""From the org and the reference files into typed tables; what the values mean is for later steps."""
