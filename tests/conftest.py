"""Every test runs offline, on one thread of its worker, with data of its own and models from the shared cache."""

import os
import tempfile

os.environ.update(
    CHAT_TWIN_HOME=tempfile.mkdtemp(prefix="chat-twin-test-"),
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_HUB_OFFLINE="1",
    GRADIO_ANALYTICS_ENABLED="False",
    OMP_NUM_THREADS="1",
    TOKENIZERS_PARALLELISM="false",
)
os.environ.pop("HF_TOKEN", None)

from hypothesis import HealthCheck, settings

# Workers share two cores with training and a browser: a slow example says nothing about the code.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("house")
