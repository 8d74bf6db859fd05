"""What the app keeps of a visitor, typed: their chat, choices and runs, and what their dataset leaves out."""

from pipeline.visitors.chat import (
    chat_head,
    chat_stamp,
    incoming_folder,
    load_chat,
    replace_chat,
    save_chat,
    source_file,
    waiting_file,
)
from pipeline.visitors.choices import load_choices, save_choices
from pipeline.visitors.left_out import LeftOut, forget_left_out, keep_left_out, left_out
from pipeline.visitors.runs import (
    check_none_goes,
    finished_runs,
    invited_runs,
    new_run_folder,
    newest_run,
    own_run,
    run_folders,
    runs_stamp,
    share_done,
)
from pipeline.visitors.visitor import Visitor, stamp

__all__ = [
    "LeftOut",
    "Visitor",
    "chat_head",
    "chat_stamp",
    "check_none_goes",
    "finished_runs",
    "forget_left_out",
    "incoming_folder",
    "invited_runs",
    "keep_left_out",
    "left_out",
    "load_chat",
    "load_choices",
    "new_run_folder",
    "newest_run",
    "own_run",
    "replace_chat",
    "run_folders",
    "runs_stamp",
    "save_chat",
    "save_choices",
    "share_done",
    "source_file",
    "stamp",
    "waiting_file",
]
