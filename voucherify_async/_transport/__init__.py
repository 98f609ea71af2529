"""One request, sent once; the only folder that knows an HTTP library."""
