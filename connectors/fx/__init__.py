"""Official exchange rates: the Central Bank of Russia and the European Central Bank, exactly as they publish them."""
