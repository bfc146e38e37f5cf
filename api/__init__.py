"""The doors: command line, JSON and web. Thin; everything they say the engine has worked out."""
