"""Private pushes of datasets and adapters to the Hugging Face Hub: what goes up is prepared and shown first."""

from pipeline.hub.account import Account, find_token, full_name, hub_api, read_account
from pipeline.hub.adapters import prepare_adapter
from pipeline.hub.faults import ask_hub
from pipeline.hub.pack import pack_adapter
from pipeline.hub.push import CONSENT, Pushed, Upload, UploadFile, prepare_dataset, push

__all__ = [
    "CONSENT",
    "Account",
    "Pushed",
    "Upload",
    "UploadFile",
    "ask_hub",
    "find_token",
    "full_name",
    "hub_api",
    "pack_adapter",
    "prepare_adapter",
    "prepare_dataset",
    "push",
    "read_account",
]
