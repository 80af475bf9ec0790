"""The shapes of answers by resource, for OpenAPI and for tests; what is sent is built by `queries.event_forms` and `picks`."""
