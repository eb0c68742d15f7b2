"""The demonstration behind `make demo`: real proxies on loopback, asked through the official client."""
