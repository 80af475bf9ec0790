"""Step 7 for programs: JSON over HTTP under /api/v1, one module a resource."""
