"""The whole house on one stage: mock platforms, gateway, upstream systems and their cases, and the verdict over all ledgers."""
