"""Legal entities, exchange rates and business calendars: see the contract."""
