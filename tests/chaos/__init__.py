"""The fault campaign: what is asked for, what goes wrong meanwhile, and what an onlooker saw of it all."""
