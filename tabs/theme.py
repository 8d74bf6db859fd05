"""The look: one theme and one style sheet. Warm paper and ink, one accent, system fonts; light and dark."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from pipeline.charts import FIRST as PEOPLE  # the person to imitate is always first

__all__ = ["PEOPLE", "STYLE", "theme"]

STYLE = Path(__file__).with_name("style.css")

FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif", "Noto Color Emoji")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

# What the theme sets, in light and dark, by what it is set on.
PAGE = {
    "body_background_fill": "#FBFAF7", "body_background_fill_dark": "#14171C",
    "body_text_color": "#1F2430", "body_text_color_dark": "#ECE9E2",
    "body_text_color_subdued": "#636A76", "body_text_color_subdued_dark": "#9AA3AF",
    "background_fill_primary": "#FFFFFF", "background_fill_primary_dark": "#1A1E24",
    "background_fill_secondary": "#F6F4EF", "background_fill_secondary_dark": "#1F242B",
    "border_color_primary": "#E7E3DA", "border_color_primary_dark": "#2A2F37",
    "link_text_color": "#0F766E", "link_text_color_dark": "#2DD4BF",
    "link_text_color_hover": "#0C625B", "link_text_color_hover_dark": "#5EDFCF",
    "color_accent_soft": "#F0FAF8", "color_accent_soft_dark": "#12312E",
    "loader_color": "#0F766E", "loader_color_dark": "#2DD4BF",
}  # fmt: skip
BLOCKS = {
    "block_background_fill": "transparent", "block_background_fill_dark": "transparent",
    "block_border_width": "0px", "block_border_width_dark": "0px", "block_shadow": "none", "block_shadow_dark": "none",
    "block_label_background_fill": "transparent", "block_label_background_fill_dark": "transparent",
    "block_label_border_width": "0px", "block_label_border_width_dark": "0px",
    "block_label_text_color": "#4B5260", "block_label_text_color_dark": "#9AA3AF",
    "block_title_text_color": "#4B5260", "block_title_text_color_dark": "#9AA3AF",
    "block_title_text_weight": "500", "block_info_text_color": "#636A76", "block_info_text_color_dark": "#9AA3AF",
    "block_padding": "0px", "layout_gap": "16px", "panel_border_width": "0px",
}  # fmt: skip
INPUTS = {
    "input_background_fill": "#FFFFFF", "input_background_fill_dark": "#1A1E24",
    "input_border_color": "#D5D0C4", "input_border_color_dark": "#343A45", "input_border_width": "1px",
    "input_border_color_focus": "#0F766E", "input_border_color_focus_dark": "#2DD4BF", "input_shadow": "none",
    "input_shadow_focus": "0 0 0 3px rgba(15, 118, 110, 0.15)",
    "input_shadow_focus_dark": "0 0 0 3px rgba(45, 212, 191, 0.2)",
    "slider_color": "#0F766E", "slider_color_dark": "#2DD4BF",
}  # fmt: skip
BUTTONS = {
    "button_primary_background_fill": "#0F766E", "button_primary_background_fill_dark": "#2DD4BF",
    "button_primary_background_fill_hover": "#0C625B", "button_primary_background_fill_hover_dark": "#5EDFCF",
    "button_primary_text_color": "#FFFFFF", "button_primary_text_color_dark": "#08221F",
    "button_primary_border_color": "#0F766E", "button_primary_border_color_dark": "#2DD4BF",
    "button_secondary_background_fill": "#FFFFFF", "button_secondary_background_fill_dark": "#1F242B",
    "button_secondary_background_fill_hover": "#F4F2EC", "button_secondary_background_fill_hover_dark": "#2A2F37",
    "button_secondary_text_color": "#1F2430", "button_secondary_text_color_dark": "#ECE9E2",
    "button_secondary_border_color": "#D5D0C4", "button_secondary_border_color_dark": "#343A45",
    "button_border_width": "1px", "button_large_radius": "10px", "button_small_radius": "8px",
    "button_large_text_weight": "550", "button_large_padding": "10px 18px", "button_small_padding": "6px 12px",
    "button_primary_shadow": "none", "button_secondary_shadow": "none",
    "button_primary_shadow_hover": "none", "button_secondary_shadow_hover": "none",
    "button_cancel_background_fill": "#B42318", "button_cancel_background_fill_dark": "#F97066",
    "button_cancel_background_fill_hover": "#912018", "button_cancel_background_fill_hover_dark": "#FDA29B",
    "button_cancel_text_color": "#FFFFFF", "button_cancel_text_color_dark": "#2A0B08",
}  # fmt: skip
CHOICES = {
    "checkbox_border_color": "#8B919B", "checkbox_border_color_dark": "#6B7280", "checkbox_border_width": "1px",
    "checkbox_background_color_selected": "#0F766E", "checkbox_background_color_selected_dark": "#14A394",
    "checkbox_border_color_selected": "#0F766E", "checkbox_border_color_selected_dark": "#2DD4BF",
    "checkbox_label_background_fill": "#FFFFFF", "checkbox_label_background_fill_dark": "#1A1E24",
    "checkbox_label_background_fill_selected": "#F0FAF8", "checkbox_label_background_fill_selected_dark": "#12312E",
    "checkbox_label_text_color_selected": "#0B4F4A", "checkbox_label_text_color_selected_dark": "#7BD0C3",
    "checkbox_label_border_color": "#E7E3DA", "checkbox_label_border_color_dark": "#2A2F37",
    "checkbox_label_border_width": "1px", "checkbox_label_shadow": "none",
}  # fmt: skip
ERRORS = {
    "error_background_fill": "#FEF3F2", "error_background_fill_dark": "#2A1513",
    "error_border_color": "#FDA29B", "error_border_color_dark": "#7A271A",
    "error_text_color": "#B42318", "error_text_color_dark": "#FDA29B",
    "error_icon_color": "#B42318", "error_icon_color_dark": "#FDA29B",
}  # fmt: skip


def theme() -> gr.themes.Base:
    """The app's Gradio theme."""
    accent = gr.themes.Color(
        c50="#F0FAF8", c100="#D7F2ED", c200="#AFE4DB", c300="#7BD0C3", c400="#2DD4BF", c500="#14A394",
        c600="#0F766E", c700="#0C625B", c800="#0B4F4A", c900="#093F3B", c950="#052725",
    )  # fmt: skip
    paper = gr.themes.Color(
        c50="#FBFAF7", c100="#F4F2EC", c200="#E7E3DA", c300="#D5D0C4", c400="#9AA3AF", c500="#6B7280",
        c600="#4B5260", c700="#343A45", c800="#2A2F37", c900="#1C2027", c950="#14171C",
    )  # fmt: skip
    base = gr.themes.Base(
        primary_hue=accent, secondary_hue=accent, neutral_hue=paper,
        radius_size=gr.themes.sizes.radius_md, spacing_size=gr.themes.sizes.spacing_md,
        text_size=gr.themes.sizes.text_md, font=FONTS, font_mono=MONO,
    )  # fmt: skip
    return base.set(**PAGE, **BLOCKS, **INPUTS, **BUTTONS, **CHOICES, **ERRORS)
