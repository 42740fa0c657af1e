"""What deblurring is good for: text read, objects found and segmented, before and after."""

from nightsharp.evaluation.downstream.items import Item, Shot, from_folders, restored_by
from nightsharp.evaluation.downstream.measure import Measured, measure
from nightsharp.evaluation.downstream.rendered import rendered_text
from nightsharp.evaluation.downstream.report import as_document, as_markdown, write_report
from nightsharp.evaluation.downstream.task import Ratio, Task
from nightsharp.evaluation.downstream.tasks import make_task

__all__ = [
    "Item",
    "Measured",
    "Ratio",
    "Shot",
    "Task",
    "as_document",
    "as_markdown",
    "from_folders",
    "make_task",
    "measure",
    "rendered_text",
    "restored_by",
    "write_report",
]
