"""What stands between the network and the page: plain ASGI and HTML, no Gradio."""
