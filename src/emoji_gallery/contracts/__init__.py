"""What features share: ids, the identity of a caller, the ports they meet through."""
