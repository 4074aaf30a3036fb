"""What a config may say: the one source of keys, types, defaults and their explanations.

`config.yaml` names a study; `config/studies/{study}.yaml` describes it. The JSON schema in
`workflow/schemas/` is generated from these models (`python -m relatask write_schema`).
"""

from relatask.config.datasets import (
    DatasetConfig,
    DensifyConfig,
    EpisodesConfig,
    RelationsConfig,
    SizeConfig,
)
from relatask.config.grouping import GainsConfig, GroupingConfig, StrategyConfig, TaskSetsConfig
from relatask.config.loading import Config, ServicesConfig, load_config, load_study
from relatask.config.methods import GroupsConfig, MethodConfig, ScaleConfig, TableConfig, TrainingConfig
from relatask.config.splits import SplitsConfig
from relatask.config.study import OWN_TABLES, StudyConfig, grouping_table_names
from relatask.core.blocks import NAME, Block, parse

__all__ = [
    "NAME",
    "OWN_TABLES",
    "Block",
    "Config",
    "DatasetConfig",
    "DensifyConfig",
    "EpisodesConfig",
    "GainsConfig",
    "GroupingConfig",
    "GroupsConfig",
    "MethodConfig",
    "RelationsConfig",
    "ScaleConfig",
    "ServicesConfig",
    "SizeConfig",
    "SplitsConfig",
    "StrategyConfig",
    "StudyConfig",
    "TableConfig",
    "TaskSetsConfig",
    "TrainingConfig",
    "grouping_table_names",
    "load_config",
    "load_study",
    "parse",
]
