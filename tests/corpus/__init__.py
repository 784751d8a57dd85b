"""Posts a folder of real and hostile images to a running service and judges what happens.

    python -m tests.corpus FOLDER            # starts a service of its own
    python -m tests.corpus FOLDER --url URL --token TOKEN

The folder has a `manifest.csv` that says of each file whether it must be accepted.
"""
