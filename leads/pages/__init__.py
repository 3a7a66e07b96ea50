"""What people see of the leads: the list, the record, a seller's day, the board, the quarantine, imports."""
