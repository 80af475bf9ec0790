"""What people are told, in their language: hours, places, topics, reasons."""
