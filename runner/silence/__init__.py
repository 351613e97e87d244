"""Keeping monitors quiet about an upgrade: what each is asked, as data; it sends nothing and reads no secret."""
