"""What a registry has: the tags of a repository and the digest behind one; nothing here pulls or pushes an image."""
