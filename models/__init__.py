"""Score cards and the workshop that fits and checks them. (`models` does not mean database classes.)"""
