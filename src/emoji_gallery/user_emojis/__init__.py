"""What users upload: quota, processing state, list, rename, delete, restore."""
