"""PostgreSQL and Valkey from wheels, started and stopped by ourselves.

For `make run` and the tests; production images carry neither the extra `embedded` nor its
wheels. So this file imports nothing, and all may import `errors`; `parts` needs the wheels.
"""
