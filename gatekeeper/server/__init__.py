"""The proxy: an ASGI application that speaks the OpenAI protocol to applications."""
