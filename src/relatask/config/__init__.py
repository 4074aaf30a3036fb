"""What a config may say: the one source of keys, types, defaults and their explanations.

`config.yaml` names a study; `config/studies/{study}.yaml` describes it. The JSON schema in
`workflow/schemas/` is generated from these models (`python -m relatask write_schema`).
"""

from relatask.config.conditions import encoded_strategy, figure_names, table_names, table_record
from relatask.config.datasets import (
    DatasetConfig,
    DensifyConfig,
    EpisodesConfig,
    RelationsConfig,
    SizeConfig,
)
from relatask.config.grouping import GainsConfig, GroupingConfig, StrategyConfig, TaskSetsConfig
from relatask.config.loading import (
    Config,
    ServicesConfig,
    StudyAtScale,
    load_config,
    load_study,
    read_study,
)
from relatask.config.methods import (
    GroupsConfig,
    MethodConfig,
    OwnSettings,
    ScaleConfig,
    TableConfig,
    TrainingConfig,
)
from relatask.config.search import SearchConfig
from relatask.config.splits import SplitsConfig
from relatask.config.study import StudyConfig
from relatask.core.blocks import NAME, Block, parse

__all__ = [
    "NAME",
    "Block",
    "Config",
    "DatasetConfig",
    "DensifyConfig",
    "EpisodesConfig",
    "GainsConfig",
    "GroupingConfig",
    "GroupsConfig",
    "MethodConfig",
    "OwnSettings",
    "RelationsConfig",
    "ScaleConfig",
    "SearchConfig",
    "ServicesConfig",
    "SizeConfig",
    "SplitsConfig",
    "StrategyConfig",
    "StudyAtScale",
    "StudyConfig",
    "TableConfig",
    "TaskSetsConfig",
    "TrainingConfig",
    "encoded_strategy",
    "figure_names",
    "load_config",
    "load_study",
    "parse",
    "read_study",
    "table_names",
    "table_record",
]
