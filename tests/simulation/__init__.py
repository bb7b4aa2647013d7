"""The real engine under a virtual clock: seeded, bit for bit repeatable, with every fault and crash that a seed draws."""
