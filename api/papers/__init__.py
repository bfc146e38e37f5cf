"""What a meeting prints: an agenda or minutes as one frozen content, written as PDF, Word and a spreadsheet."""
