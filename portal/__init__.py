"""The project: settings, addresses, the path of a lead (pipeline), periodic work (due), the embedded engines and their supervisor."""
