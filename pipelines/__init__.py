"""What the desk knows: pure Python, frames in, frames and documents out."""
