"""Statistics of small suites: vectorised, each with the source of its formula."""

from radsafe_bench.stats.binomial import (
    Interval,
    at_most_p_value,
    clopper_pearson,
    lower_bound,
    upper_bound,
    wilson,
)
from radsafe_bench.stats.bootstrap import percentile_interval, resample_weights, resampled_means
from radsafe_bench.stats.calibration import (
    Brier,
    EceNull,
    Reliability,
    brier,
    ece_null,
    reliability,
    smooth_ece,
)
from radsafe_bench.stats.discrimination import Estimate, auroc, auroc_resampled, separation
from radsafe_bench.stats.paired import (
    holm,
    mcnemar_exact,
    tango_interval,
    tango_lower,
    tango_statistic,
    tango_upper,
)
from radsafe_bench.stats.power import (
    inferiority_power,
    joint_power,
    non_inferiority_power,
    smallest_detectable_rate,
    smallest_detectable_worsening,
    smallest_margin,
)
from radsafe_bench.stats.selective import CoverageRisk, coverage_risk, least_abstention

__all__ = [
    "Brier",
    "CoverageRisk",
    "EceNull",
    "Estimate",
    "Interval",
    "Reliability",
    "at_most_p_value",
    "auroc",
    "auroc_resampled",
    "brier",
    "clopper_pearson",
    "coverage_risk",
    "ece_null",
    "holm",
    "inferiority_power",
    "joint_power",
    "least_abstention",
    "lower_bound",
    "mcnemar_exact",
    "non_inferiority_power",
    "percentile_interval",
    "reliability",
    "resample_weights",
    "resampled_means",
    "separation",
    "smallest_detectable_rate",
    "smallest_detectable_worsening",
    "smallest_margin",
    "smooth_ece",
    "tango_interval",
    "tango_lower",
    "tango_statistic",
    "tango_upper",
    "upper_bound",
    "wilson",
]
