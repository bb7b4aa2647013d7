"""Faults on real wires and real processes: a proxy that breaks, kills at every gap and at random moments, full disks."""
