"""Torture: trainings killed, disks that fail, bits that flip, files made to harm; counted, never assumed."""
