"""Workflows as the browser stores them (UI format) -> prompts as the server takes them (API format).

Follows ComfyUI's frontend (`graphToPrompt`): a widget's value is found by its position among the node's widgets.
Subgraphs, groups and primitive nodes are refused: our workflows use none.
"""

from __future__ import annotations

from typing import Any

from harness.client import Json, Prompt

WIDGET_TYPES = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
ONLY_SHOWN = {"Note", "MarkdownNote"}
ADDED_BY_THE_FRONTEND = {"PreviewAny": {"preview": ""}}
"""Widgets that core's own JavaScript adds to a node, with their values before a run; the server ignores them."""
MUTED, BYPASSED = 2, 4


class ConversionError(ValueError):
    """A workflow that the server could not be given."""


def to_prompt(workflow: Json, object_info: dict[str, Json]) -> Prompt:
    """The prompt of a workflow.

    Args:
        workflow: UI format, as `Save` writes it.
        object_info: the server's `/object_info`.

    Raises:
        ConversionError: an unknown or bypassed node, or too many or too few widget values.
    """
    links = {link[0]: (str(link[1]), link[2]) for link in workflow["links"]}
    prompt: Prompt = {}
    for node in workflow["nodes"]:
        if node["type"] in ONLY_SHOWN:
            continue
        if node.get("mode", 0) in (MUTED, BYPASSED):
            raise ConversionError(f"node {node['id']} ({node['type']}) is muted or bypassed; our workflows run whole")
        if node["type"] not in object_info:
            raise ConversionError(f"node {node['id']}: the server does not know {node['type']!r}")
        inputs = _widget_values(node, object_info[node["type"]]) | ADDED_BY_THE_FRONTEND.get(node["type"], {})
        linked = {slot["name"]: links[slot["link"]] for slot in node.get("inputs", []) if slot.get("link") is not None}
        inputs |= {name: list(link) for name, link in linked.items()}
        prompt[str(node["id"])] = {"class_type": node["type"], "inputs": inputs}
    return prompt


def widget_names(info: Json) -> list[str | None]:
    """A node type's widgets in the order of `widgets_values`; None stands for a value that is not sent."""
    names: list[str | None] = []
    for group in ("required", "optional"):
        for name in info.get("input_order", {}).get(group, list(info["input"].get(group, {}))):
            kind, *rest = info["input"][group][name]
            options: Json = rest[0] if rest else {}
            if options.get("forceInput") or not (isinstance(kind, list) or kind in WIDGET_TYPES):
                continue
            names.append(name)
            if options.get("control_after_generate"):
                names.append(None)
            if options.get("image_upload") or options.get("video_upload"):
                names.append(None)  # the upload button
    return names


def _widget_values(node: Json, info: Json) -> dict[str, Any]:
    names, values = widget_names(info), node.get("widgets_values", [])
    if isinstance(values, dict):
        return {name: values[name] for name in names if name is not None}
    if len(names) != len(values):
        raise ConversionError(
            f"node {node['id']} ({node['type']}) has the widget values {values}, expected one each for {names}"
        )
    return {name: value for name, value in zip(names, values, strict=True) if name is not None}
