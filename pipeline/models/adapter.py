"""An adapter's folder, as PEFT lays it out."""

from pipeline.store import Entry, Folder

__all__ = ["AdapterFolder"]


class AdapterFolder(Folder):
    """A LoRA adapter: its weights and what is known of them."""

    settings = Entry("adapter_config.json")
    weights = Entry("adapter_model.safetensors")

    @property
    def exists(self) -> bool:
        """Whether an adapter lies here."""
        return self.settings.is_file()
