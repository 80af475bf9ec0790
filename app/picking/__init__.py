"""Step 6: the few events and communities one step outside what somebody knows, kept for the week."""
