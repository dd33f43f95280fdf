"""Where things run: the registry, bundles and their revisions, drivers."""
