"""Whether computing in fewer digits, or with fewer multiplications, costs accuracy: the same trainings, other ways."""
