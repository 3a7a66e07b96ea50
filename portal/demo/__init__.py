"""The demo data: a publisher with its team and listings, and half a year of leads as they might have come."""
