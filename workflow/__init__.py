"""How things get decided: requests, kinds, policies, steps, plans."""
