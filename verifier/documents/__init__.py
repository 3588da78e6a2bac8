"""Values and their wire forms; strict readers.  Bytes in, values out."""
