"""The machine: partners' extracts in, explained flags out. Knows no web page, no training, no council."""
