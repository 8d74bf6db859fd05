"""A slider with two thumbs over the days of a chat; Gradio has none of its own."""

from __future__ import annotations

import gradio as gr

__all__ = ["days_range"]

TEMPLATE = """
<div class="days" data-first="${first}" data-length="${length}">
  <div class="days-head"><span>Days</span><output></output></div>
  <div class="days-track">
    <i></i>
    <input type="range" min="0" max="${length}" value="${value[0]}" aria-label="from day">
    <input type="range" min="0" max="${length}" value="${value[1]}" aria-label="to day">
  </div>
</div>
"""
STYLE = """
.days { min-width: 15rem; }
.days-head { display: flex; justify-content: space-between; gap: 1rem; font-size: 14px; font-weight: 500;
  margin-bottom: 10px; color: var(--block-title-text-color); }
.days-head output { color: var(--body-text-color); }
.days-track { position: relative; height: 28px; }
.days-track::before, .days-track i { content: ""; position: absolute; top: 12px; height: 4px; border-radius: 2px; }
.days-track::before { left: 0; right: 0; background: var(--border-color-primary); }
.days-track i { background: var(--slider-color); }
.days input { position: absolute; inset: 0; width: 100%; height: 28px; margin: 0; padding: 0; background: none;
  border: 0;
  appearance: none; -webkit-appearance: none; pointer-events: none; }
.days input::-webkit-slider-runnable-track { background: none; }
.days input::-moz-range-track { background: none; }
.days input::-webkit-slider-thumb { -webkit-appearance: none; pointer-events: auto; width: 22px; height: 22px;
  border-radius: 50%; background: var(--background-fill-primary); border: 2px solid var(--slider-color); cursor: grab; }
.days input::-moz-range-thumb { pointer-events: auto; width: 18px; height: 18px; border-radius: 50%;
  background: var(--background-fill-primary); border: 2px solid var(--slider-color); cursor: grab; }
.days input:focus-visible { outline: none; }
.days input:focus-visible::-webkit-slider-thumb { box-shadow: 0 0 0 3px var(--color-accent-soft); }
"""
# The thumbs are two plain inputs, so that keys and screen readers work; they may meet, not cross. The value goes to
# Python when a thumb is let go, the label follows at once; Gradio builds the template anew whenever the value is set.
SCRIPT = """
const ends = () => [...element.querySelectorAll('input')].map(input => Number(input.value));
const day = (first, offset) => new Date(Date.parse(first + 'T00:00:00Z') + offset * 86400000)
  .toLocaleDateString('en-GB', {day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC'});
const paint = () => {
  const box = element.querySelector('.days');
  if (!box) return;
  const [from, to] = ends(), length = Math.max(1, Number(box.dataset.length));
  const bar = box.querySelector('i');
  bar.style.left = 100 * from / length + '%';
  bar.style.right = 100 - 100 * to / length + '%';
  const label = box.querySelector('output');
  const said = day(box.dataset.first, from) + ' to ' + day(box.dataset.first, to);
  if (label.textContent !== said) label.textContent = said;
};
element.addEventListener('input', event => {
  const inputs = [...element.querySelectorAll('input')], [from, to] = ends();
  if (from > to) event.target.value = event.target === inputs[0] ? to : from;
  paint();
});
element.addEventListener('change', event => {
  event.stopPropagation();
  props.value = ends();
  trigger('input');
});
new MutationObserver(paint).observe(element, {childList: true, subtree: true});
paint();
"""


def days_range(elem_id: str) -> gr.HTML:
    """The slider; its value is [from, to] in days since `first` (an ISO date)."""
    return gr.HTML(
        value=[0, 1], html_template=TEMPLATE, css_template=STYLE, js_on_load=SCRIPT, first="2020-01-01", length=1,
        elem_id=elem_id, min_width=260,
    )  # fmt: skip
