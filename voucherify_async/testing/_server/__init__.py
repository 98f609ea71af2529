"""How the embedded server is reached: in process, as an ASGI application, on a loopback port."""
