# SPDX-License-Identifier: Apache-2.0
"""PLADIS in ComfyUI: nodes that take a model and give one whose attention to the text is sparse in part."""
from .nodes import GagNode, PladisNode

NODE_CLASS_MAPPINGS = {"PLADIS": PladisNode, "PLADISGAG": GagNode}
NODE_DISPLAY_NAME_MAPPINGS = {"PLADIS": "PLADIS", "PLADISGAG": "GAG (PLADIS)"}
__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]
