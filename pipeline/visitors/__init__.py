"""What the app keeps of a visitor, typed: their chat, choices and runs, and what their dataset leaves out."""

from pipeline.visitors.chat import (
    chat_head,
    chat_stamp,
    discard_incoming,
    incoming_folder,
    load_chat,
    receive_file,
    replace_chat,
    reread_chat,
    save_chat,
    source_file,
    waiting_file,
)
from pipeline.visitors.choices import load_choices, save_choices
from pipeline.visitors.dataset import dataset_stamp, load_dataset, replace_dataset
from pipeline.visitors.left_out import LeftOut, forget_left_out, keep_left_out, left_out
from pipeline.visitors.measured import measured_chat
from pipeline.visitors.memory import around, ask_chat
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
    "around",
    "ask_chat",
    "chat_head",
    "chat_stamp",
    "check_none_goes",
    "dataset_stamp",
    "discard_incoming",
    "finished_runs",
    "forget_left_out",
    "incoming_folder",
    "invited_runs",
    "keep_left_out",
    "left_out",
    "load_chat",
    "load_choices",
    "load_dataset",
    "measured_chat",
    "new_run_folder",
    "newest_run",
    "own_run",
    "receive_file",
    "replace_chat",
    "replace_dataset",
    "reread_chat",
    "run_folders",
    "runs_stamp",
    "save_chat",
    "save_choices",
    "share_done",
    "source_file",
    "stamp",
    "waiting_file",
]
