"""The officers' site: server-made pages over what the engine has kept."""
