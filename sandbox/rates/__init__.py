"""Two central banks: the Bank of Russia's XML scripts and the European Central Bank's history file."""
