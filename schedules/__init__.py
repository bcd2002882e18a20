"""When: schedules, sensors and the off-hours window."""
