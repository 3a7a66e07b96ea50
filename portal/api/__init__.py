"""The REST API, /api/v1/. Each view names the roles that may enter; what they see comes from the same `visible_to` querysets as the pages."""
