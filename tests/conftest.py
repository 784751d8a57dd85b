"""Fixtures for every test; the real parts are started when a test first asks for them."""

pytest_plugins = ["tests.parts", "tests.demo_tasks"]
